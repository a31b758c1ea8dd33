/** A member that runs like others, but lies about the time: its answers are changed on their way out. */
import type { Bytes } from "../../core/base/bytes.ts";
import { decode, encode } from "../../core/base/codec.ts";
import { PART_PROTOCOLS } from "../../core/net/links/member-link.ts";
import { frameSchema } from "../../core/net/membership/wire.ts";
import { createNet } from "../../core/net/net.ts";
import { RANKS } from "../../core/net/time/neighbours.ts";
import type { Net } from "../../core/net/types.ts";
import type { Channel, Link, Message, Network } from "../../core/ports/network.ts";
import type { MapNode, MapSwarm } from "./maps.ts";

/**
 * Joins. From then on it tells a time that is ahead of the truth by `lieMs`, and claims that this is the swarm's common
 * time.
 */
export async function joinLiar(swarm: MapSwarm, name: string, lieMs: number, host: MapNode): Promise<Net> {
  const machine = swarm.world.spawn({ name, kind: "node" });
  const { store, clock, random, crypto, log } = machine.ports;
  const starting = createNet({ kind: "node", found: false, name, invite: host.net.invite() })({
    store,
    clock,
    random,
    crypto,
    log,
    network: async (keys) => lyingNetwork(machine.networkAs(keys), () => Math.max(0, Math.round(clock.now() + lieMs))),
  });
  return swarm.settle(starting);
}

function lyingNetwork(network: Network, nowMs: () => number): Network {
  const known = new WeakMap<Link, Link>();
  const lying = (link: Link): Link => {
    let made = known.get(link);
    if (made !== undefined) return made;
    made = {
      peer: link.peer,
      inbound: link.inbound,
      path: () => link.path(),
      open: async (protocol, options) => lyingChannel(await link.open(protocol, options), nowMs),
      close: () => link.close(),
      onClose: (listener) => link.onClose(listener),
    };
    known.set(link, made);
    return made;
  };
  return {
    self: network.self,
    addresses: () => network.addresses(),
    onAddresses: (listener) => network.onAddresses(listener),
    dial: async (target, options) => lying(await network.dial(target, options)),
    links: () => network.links().map(lying),
    onLink: (listener) => network.onLink((link) => listener(lying(link))),
    handle: (protocol, accept) => network.handle(protocol, (channel, link) => accept(channel, lying(link))),
    admit: (peer) => network.admit(peer),
    expel: (peer, forMs) => network.expel(peer, forMs),
    [Symbol.asyncDispose]: () => network[Symbol.asyncDispose](),
  };
}

function lyingChannel(channel: Channel, nowMs: () => number): Channel {
  if (channel.protocol !== PART_PROTOCOLS.members) return channel;
  return {
    protocol: channel.protocol,
    send: (message) => channel.send(lie(message, nowMs())),
    drained: () => channel.drained(),
    end: () => channel.end(),
    abort: (error) => channel.abort(error),
    onMessage: (receive) => channel.onMessage(receive),
    onEnd: (listener) => channel.onEnd(listener),
    onClose: (listener) => channel.onClose(listener),
  };
}

function lie(message: Message, commonMs: number): Message {
  if (Array.isArray(message)) return message;
  const frame = decode(frameSchema, message as Bytes);
  return frame.time === undefined ? message : encode({ ...frame, time: [commonMs, RANKS.common] });
}

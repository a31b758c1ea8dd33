/** An admitted member that speaks the memory's protocols by hand, to say what no honest node says. */
import { encode, type Schema } from "../../core/base/codec.ts";
import { ACK_PROTOCOL } from "../../core/memory/acknowledge.ts";
import { type Entry, LIVE } from "../../core/memory/entry.ts";
import { Packer } from "../../core/memory/pack.ts";
import { RECONCILE_PROTOCOL } from "../../core/memory/replicated-map.ts";
import { createNet } from "../../core/net/net.ts";
import type { Net } from "../../core/net/types.ts";
import type { Channel, PeerId } from "../../core/ports/network.ts";
import { MapSwarm, type MapSwarmOptions, type MapNode } from "./maps.ts";
import type { SimNode } from "./node.ts";
import { SimWorld } from "./world.ts";

const MAP = "test";
const NOTHING = new Uint8Array(0);

/** One of her channels, and the messages that came on it. */
export interface Talk {
  readonly channel: Channel;
  readonly answers: Uint8Array[];
  isOver: boolean;
}

export class Mallory {
  readonly swarm: MapSwarm;
  readonly net: Net;
  readonly machine: SimNode;

  private constructor(swarm: MapSwarm, net: Net, machine: SimNode) {
    this.swarm = swarm;
    this.net = net;
    this.machine = machine;
  }

  /** Joins this swarm and is linked to all of its nodes. */
  static async join(swarm: MapSwarm, name = "mallory"): Promise<Mallory> {
    const [host] = swarm.nodes;
    if (host === undefined) throw new Error("There is nobody to join");
    const { world } = swarm;
    const machine = world.spawn({ name, kind: "node" });
    const { store, clock, random, crypto, log } = machine.ports;
    const starting = createNet({ kind: "node", found: false, name, invite: host.net.invite() })({
      store,
      clock,
      random,
      crypto,
      log,
      network: async (keys) => machine.networkAs(keys),
    });
    const net = await swarm.settle(starting);
    const all = [net, ...swarm.nodes.map((node) => node.net)];
    const isWhole = (one: Net): boolean => one.members().length >= all.length && one.links().length >= all.length - 1;
    await world.runUntil(() => all.every(isWhole), { withinMs: 20_000, what: "all are linked to all" });
    return new Mallory(swarm, net, machine);
  }

  get nowMs(): number {
    return this.net.correctedNow();
  }

  /** An entry of hers, written now, with these changes. */
  entry(changes: Partial<Entry> = {}): Entry {
    const stamp = Math.floor(this.nowMs) * 2048;
    return { stamp, writer: 666, state: LIVE, value: "\u0001", expiresAtMs: undefined, ...changes };
  }

  packed(key: string, changes: Partial<Entry> = {}): Uint8Array {
    const packer = new Packer();
    packer.add(key, this.entry(changes));
    return packer.take();
  }

  gossip(entries: Uint8Array): void {
    this.net.publish(`memory/${MAP}`, encode({ entries }));
  }

  async open(victim: MapNode): Promise<Talk> {
    return watch(await this.swarm.settle(this.net.open(victim.net.self, RECONCILE_PROTOCOL)));
  }

  /** Opens a session as an asker. */
  async ask(victim: MapNode, ranges: Uint8Array, changes: Record<string, unknown> = {}): Promise<Talk> {
    const talk = await this.open(victim);
    const cutoffMs = Math.ceil(this.nowMs) + 5_000;
    talk.channel.send(encode({ map: MAP, cutoffMs, ranges, vector: NOTHING, ...changes }));
    return talk;
  }

  /** Serves the sessions that others ask her for, each message by `serve`. */
  serve(serve: (talk: Talk, message: Uint8Array) => void): void {
    this.net.accept(RECONCILE_PROTOCOL, (channel) => void watch(channel, serve));
  }

  request<R>(victim: MapNode, held: Uint8Array, schema: Schema<R>): Promise<R> {
    return this.net.request(victim.net.self, ACK_PROTOCOL, { map: MAP, held }, schema);
  }

  /** How often this node has counted a fault of hers. */
  faultsAt(victim: MapNode): number {
    return this.swarm.world.journal
      .entries()
      .filter(
        ({ node, event, fields }) =>
          node === victim.machine.name && event === "net.misbehaved" && fields["peer"] === this.net.self,
      ).length;
  }

  isLinkedTo(peer: PeerId): boolean {
    return this.net.links().some((link) => link.peer === peer);
  }

  async untilOver(talk: Talk, withinMs: number): Promise<void> {
    await this.swarm.world.runUntil(() => talk.isOver, { withinMs, what: "the session is over" });
  }
}

function watch(channel: Channel, serve?: (talk: Talk, message: Uint8Array) => void): Talk {
  const talk: Talk = { channel, answers: [], isOver: false };
  channel.onMessage((message) => {
    talk.answers.push(message);
    serve?.(talk, message);
  });
  channel.onClose(() => (talk.isOver = true));
  return talk;
}

export async function swarmWithMallory(
  seed: number,
  options: MapSwarmOptions & { readonly nodes?: number } = {},
): Promise<Mallory> {
  const swarm = new MapSwarm(new SimWorld({ seed }), options);
  await swarm.found(options.nodes ?? 3);
  return await Mallory.join(swarm);
}

/** An admitted member with a net of its own, that says whatever the schemas let pass, on every way there is. */
import * as v from "valibot";
import { concat, utf8 } from "../../core/base/bytes.ts";
import { decode, encode } from "../../core/base/codec.ts";
import { isStarfishError } from "../../core/base/errors.ts";
import { peerIdOf } from "../../core/base/peer-id.ts";
import type { Entry } from "../../core/memory/entry.ts";
import { createMemory, type Memory } from "../../core/memory/memory.ts";
import { RECONCILE_PROTOCOL } from "../../core/memory/replicated-map.ts";
import { type Chain, rootKeyOf } from "../../core/net/certificate.ts";
import { type Invite, parseInvite } from "../../core/net/invite.ts";
import type { LinkPart } from "../../core/net/links.ts";
import { PART_PROTOCOLS } from "../../core/net/member-link.ts";
import { createNet } from "../../core/net/net.ts";
import { createSealer } from "../../core/net/sealing.ts";
import type { Net } from "../../core/net/types.ts";
import type { KeyPair } from "../../core/ports/crypto.ts";
import type { Channel, PeerId } from "../../core/ports/network.ts";
import type { SimNetwork } from "../sim/network.ts";
import type { SimNode } from "../sim/node.ts";
import { packed, type Speaker } from "./samples.ts";
import type { Scene } from "./scene.ts";

const STATEMENT_DOMAIN = utf8("starfish certificate 1\n");
const RECORD_DOMAIN = utf8("starfish member record 1\n");
const pingSchema = v.object({ ping: v.optional(v.tuple([v.number(), v.number()])) });
const FORWARD_DOMAIN = utf8("starfish forwarded request 1\n");

export class Intruder {
  readonly scene: Scene;
  readonly net: Net;
  readonly machine: SimNode;
  readonly network: SimNetwork;
  readonly keys: KeyPair;
  readonly invite: Invite;
  /** The maps as an honest member would have them. */
  readonly memory: Memory;
  readonly #parts = new Map<string, Channel>();

  private constructor(scene: Scene, net: Net, machine: SimNode, network: SimNetwork, keys: KeyPair, invite: Invite) {
    const { store, clock, random, crypto, log } = machine.ports;
    this.memory = createMemory({ store, clock, random, crypto, log, net });
    this.scene = scene;
    this.net = net;
    this.machine = machine;
    this.network = network;
    this.keys = keys;
    this.invite = invite;
  }

  /** Joins, and is linked to all who are honest. */
  static async join(scene: Scene, name: string, skewMs = 0): Promise<Intruder> {
    const { world } = scene;
    const machine = world.spawn({ name, kind: "node", skewMs });
    const { store, clock, random, crypto, log } = machine.ports;
    const ports = { store, clock, random, crypto, log };
    let network: SimNetwork | undefined;
    let own: KeyPair | undefined;
    const starting = createNet({ kind: "node", found: false, name, invite: scene.invite })({
      ...ports,
      network: async (keys) => {
        own = keys;
        network = machine.networkAs(keys);
        return network;
      },
    });
    const net = await world.settle(starting, { withinMs: 5_000 });
    if (network === undefined || own === undefined) throw new Error("The net has started no network");
    const made = new Intruder(scene, net, machine, network, own, parseInvite(world.crypto, scene.invite));
    await world.runUntil(() => made.isLinked, { withinMs: 20_000, what: `${name} is linked to all who are honest` });
    return made;
  }

  get nowMs(): number {
    return Math.floor(this.scene.machine("h0").ports.clock.now());
  }

  get isLinked(): boolean {
    const linked = new Set(this.net.links().map(({ peer }) => peer));
    return this.scene.honest.every(({ net }) => linked.has(net.self));
  }

  async leave(): Promise<void> {
    if (this.machine.running) this.scene.world.crash(this.machine);
  }

  /** What it would say were it honest is said of these. */
  speaker(victim: PeerId, content: { readonly layout: string; readonly cid: string }, map: string): Speaker {
    const { crypto } = this.scene.world;
    const root = rootKeyOf(this.invite.swarm);
    return { crypto, keys: this.keys, root, chain: this.chain(), victim, map, nowMs: this.nowMs, ...content };
  }

  /** A chain that makes `subject` a member; `says` is the last statement, field by field, if it is to be otherwise. */
  chain(statement?: unknown, keys: KeyPair = this.keys): Chain {
    const { crypto } = this.scene.world;
    const issuer = crypto.keyPair(this.invite.delegation.privateKey);
    const root = rootKeyOf(this.invite.swarm);
    const right = [1, root, issuer.publicKey, keys.publicKey, "member", "member", 0, this.nowMs + 3_600_000];
    const bytes = encode(statement ?? right);
    const certificate = encode([bytes, crypto.sign(issuer.privateKey, concat([STATEMENT_DOMAIN, bytes]))]);
    return [...this.invite.delegation.chain, certificate];
  }

  /** Says that it has much room and many cores, so that others ask it. */
  lures(): void {
    this.write("layout", `d/${this.net.self}`, [2 ** 40, 2 ** 40]);
    this.net.update({ coresLent: 4 });
  }

  /** Tells whoever asks that it is later by so much. */
  liesAboutTime(aheadMs: number): void {
    this.network.handle(PART_PROTOCOLS.members, (channel, link) => {
      channel.onMessage((message) => {
        const { ping } = decode(pingSchema, message);
        if (ping === undefined) return;
        const time = [Math.floor(this.machine.ports.clock.now() + aheadMs), 3];
        void this.part(link.peer, "members", encode({ pong: ping, time }));
      });
    });
    // What is heard from now on is heard anew.
    for (const link of this.network.links()) void link.close();
  }

  // Ways to say something

  /** Asks, and does not care for the answer; only errors of the world may come of it. */
  request(victim: PeerId, protocol: string, value: unknown): void {
    this.net.request(victim, protocol, value, v.unknown()).catch(expected);
  }

  publish(topic: string, value: unknown): void {
    try {
      this.net.publish(topic, encode(value));
    } catch (error) {
      expected(error);
    }
  }

  /** A message on one of the channels that carry members, overlay and gossip. */
  async part(victim: PeerId, part: LinkPart, message: Uint8Array): Promise<void> {
    try {
      await this.#part(victim, part, message);
    } catch (error) {
      expected(error);
    }
  }

  async #part(victim: PeerId, part: LinkPart, message: Uint8Array): Promise<void> {
    const key = `${victim}/${part}`;
    let channel = this.#parts.get(key);
    if (channel === undefined) {
      const link = this.network.links().find(({ peer }) => peer === victim);
      if (link === undefined) return;
      channel = await link.open(PART_PROTOCOLS[part]);
      const opened = channel;
      opened.onClose(() => void (this.#parts.get(key) === opened && this.#parts.delete(key)));
      this.#parts.set(key, channel);
    }
    if (message.length < 1024 * 1024) channel.send(message);
  }

  /** Says these on a channel, one after the other, whatever comes back. */
  async talk(victim: PeerId, protocol: string, messages: readonly Uint8Array[]): Promise<void> {
    try {
      const channel = await this.net.open(victim, protocol);
      channel.onMessage(() => {});
      for (const message of messages) if (message.length < 1024 * 1024) channel.send(message);
    } catch (error) {
      expected(error);
    }
  }

  reconcile(victim: PeerId, messages: readonly Uint8Array[]): Promise<void> {
    return this.talk(victim, RECONCILE_PROTOCOL, messages);
  }

  /** An entry of a map, by gossip. The value is byte text as entries have it, or anything that CBOR carries. */
  write(map: string, key: string, value: unknown, changes: Partial<Entry> = {}): void {
    this.publish(`memory/${map}`, { entries: this.entry(key, value, changes) });
  }

  entry(key: string, value: unknown, changes: Partial<Entry> = {}): Uint8Array {
    return packed(key, this.nowMs, { value: byteText(encode(value)), ...changes });
  }

  // Signed and sealed

  sealed(topic: string, value: unknown): Uint8Array {
    const { crypto, random } = this.machine.ports;
    return createSealer(this.invite.secret)({ crypto, random }).seal(topic, encode(value));
  }

  /** A record of somebody made up, who is a member by the invite. */
  recordOf(keys: KeyPair, state: "awake" | "asleep", addresses: readonly string[]): Uint8Array {
    const { crypto } = this.scene.world;
    const peer = peerIdOf(keys.publicKey);
    const body = encode([1, peer, this.nowMs, "ghost", "node", peer, [...addresses], 0, 0, this.nowMs, state, null]);
    const signature = crypto.sign(keys.privateKey, concat([RECORD_DOMAIN, body]));
    return encode([body, signature, [...this.chain(undefined, keys)]]);
  }

  record(body: unknown, chain: Chain = this.chain()): Uint8Array {
    return encode([...this.#signed(RECORD_DOMAIN, body), [...chain]]);
  }

  envelope(request: unknown): Uint8Array {
    return encode(this.#signed(FORWARD_DOMAIN, request));
  }

  #signed(domain: Uint8Array, says: unknown): [Uint8Array, Uint8Array] {
    const bytes = encode(says);
    return [bytes, this.scene.world.crypto.sign(this.keys.privateKey, concat([domain, bytes]))];
  }
}

function byteText(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** What the world answers to what it does not like. */
function expected(error: unknown): void {
  if (!isStarfishError(error)) throw error;
}

/**
 * An admitted member with a net of its own, which says whatever the schemas accept, in every way there is: over the
 * simulator's network or a real one.
 */
import * as v from "valibot";
import { concat } from "../../core/base/bytes.ts";
import { decode, encode } from "../../core/base/codec.ts";
import { isStarfishError } from "../../core/base/errors.ts";
import { peerIdOf } from "../../core/base/peer-id.ts";
import type { Entry } from "../../core/memory/entry.ts";
import { RECONCILE_PROTOCOL } from "../../core/memory/replicated-map.ts";
import { type Chain, rootKeyOf, STATEMENT_DOMAIN } from "../../core/net/identity/certificate.ts";
import type { Invite } from "../../core/net/identity/invite.ts";
import type { LinkPart } from "../../core/net/links/links.ts";
import { PART_PROTOCOLS } from "../../core/net/links/member-link.ts";
import { createSealer } from "../../core/net/gossip/sealing.ts";
import { LIFE_BYTES, RECORD_DOMAIN, signRecord } from "../../core/net/membership/record.ts";
import { REQUEST_DOMAIN } from "../../core/net/requests/forward.ts";
import type { Net } from "../../core/net/types.ts";
import type { Clock } from "../../core/ports/clock.ts";
import type { Crypto, KeyPair } from "../../core/ports/crypto.ts";
import { type Channel, MESSAGE_BYTES_MAX, type Network, type PeerId } from "../../core/ports/network.ts";
import type { Random } from "../../core/ports/random.ts";
import { packed, recordOf, type Speaker } from "./samples.ts";

const pingSchema = v.object({ ping: v.optional(v.tuple([v.number(), v.number()])) });

export interface VoiceParts {
  readonly net: Net;
  readonly network: Network;
  readonly keys: KeyPair;
  readonly invite: Invite;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly random: Random;
}

export class Voice {
  readonly net: Net;
  readonly network: Network;
  readonly keys: KeyPair;
  readonly invite: Invite;
  readonly clock: Clock;
  readonly #crypto: Crypto;
  readonly #random: Random;
  readonly #parts = new Map<string, Channel>();

  constructor({ net, network, keys, invite, clock, crypto, random }: VoiceParts) {
    this.net = net;
    this.network = network;
    this.keys = keys;
    this.invite = invite;
    this.clock = clock;
    this.#crypto = crypto;
    this.#random = random;
  }

  get nowMs(): number {
    return Math.floor(this.clock.now());
  }

  /** The facts about which an honest member would speak. */
  speaker(victim: PeerId, content: { readonly layout: string; readonly cid: string }, map: string): Speaker {
    const root = rootKeyOf(this.invite.swarm);
    return {
      crypto: this.#crypto,
      keys: this.keys,
      root,
      chain: this.chain(),
      victim,
      map,
      nowMs: this.nowMs,
      ...content,
    };
  }

  /** A chain of certificates that makes `subject` a member; `says` replaces fields of the last statement. */
  chain(statement?: unknown, keys: KeyPair = this.keys): Chain {
    const crypto = this.#crypto;
    const issuer = crypto.keyPair(this.invite.delegation.privateKey);
    const root = rootKeyOf(this.invite.swarm);
    const right = [1, root, issuer.publicKey, keys.publicKey, "member", "member", 0, this.nowMs + 3_600_000];
    const bytes = encode(statement ?? right);
    const certificate = encode([bytes, crypto.sign(issuer.privateKey, concat([STATEMENT_DOMAIN, bytes]))]);
    return [...this.invite.delegation.chain, certificate];
  }

  /** Claims much room and many cores, so that others ask this node. */
  lures(): void {
    this.write("layout", `d/${this.net.self}`, [2 ** 40, 2 ** 40]);
    this.net.update({ coresLent: 4 });
  }

  /** Tells everybody who asks a time that is too late by this much. */
  liesAboutTime(aheadMs: number): void {
    this.network.handle(PART_PROTOCOLS.members, (channel, link) => {
      channel.onMessage((message) => {
        const { ping } = decode(pingSchema, message);
        if (ping === undefined) return;
        const time = [Math.floor(this.clock.now() + aheadMs), 3];
        void this.part(link.peer, "members", encode({ pong: ping, time }));
      });
    });
    // Closes all links, so that the others hear everything anew.
    for (const link of this.network.links()) void link.close();
  }

  // Ways to say something

  /** Sends a request and ignores the answer; only expected errors may result. */
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
    if (message.length < MESSAGE_BYTES_MAX) channel.send(message);
  }

  /** Sends these messages on a channel, one after the other, whatever comes back. */
  async talk(victim: PeerId, protocol: string, messages: readonly Uint8Array[]): Promise<void> {
    try {
      const channel = await this.net.open(victim, protocol);
      channel.onMessage(() => {});
      for (const message of messages) if (message.length < MESSAGE_BYTES_MAX) channel.send(message);
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
    const ports = { crypto: this.#crypto, random: this.#random };
    return createSealer(this.invite.secret)(ports).seal(topic, encode(value));
  }

  /** A newly made identity. */
  someKeys(): KeyPair {
    return this.#crypto.keyPair(this.#random.bytes(32));
  }

  /** A record of an invented node, which is a member by the invite. */
  recordOf(keys: KeyPair, state: "awake" | "asleep", addresses: readonly string[]): Uint8Array {
    const peer = peerIdOf(keys.publicKey);
    const says = { ...recordOf(peer, this.nowMs), state, addresses };
    const lives = { life: this.#random.bytes(LIFE_BYTES), rival: undefined };
    const chain = this.chain(undefined, keys);
    return signRecord(this.#crypto, keys, chain, this.nowMs + 3_600_000, says, lives).wire;
  }

  record(body: unknown, chain: Chain = this.chain()): Uint8Array {
    return encode([...this.#signed(RECORD_DOMAIN, body), [...chain]]);
  }

  envelope(request: unknown): Uint8Array {
    return encode(this.#signed(REQUEST_DOMAIN, request));
  }

  #signed(domain: Uint8Array, says: unknown): [Uint8Array, Uint8Array] {
    const bytes = encode(says);
    return [bytes, this.#crypto.sign(this.keys.privateKey, concat([domain, bytes]))];
  }
}

function byteText(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** Throws the error unless it is one of Starfish's own, with which honest nodes refuse a message. */
function expected(error: unknown): void {
  if (!isStarfishError(error)) throw error;
}

/**
 * Gossip by topic: what one member publishes reaches all members, along a broadcast tree (tree.ts) over the links
 * that the overlay keeps. Payloads are signed by their member and sealed with the swarm's secret.
 *
 * Promises that each payload reaches each subscriber at most once, and reaches every member to which a path of links
 * leads while it travels. A node passes on only what members have sealed and signed. Whatever is forged or altered is
 * dropped where it first appears, and counted against the link it came from. No order is assumed or promised.
 *
 * Wire: a body is CBOR [topic, sealed]; what is sealed is CBOR [from, nonce, payload, signature], the signature Ed25519
 * over CBOR [DOMAIN, topic, nonce, payload].
 */
import * as v from "valibot";
import type { Bytes } from "../../base/bytes.ts";
import { bytesOf, decode, encode, type Schema, textOf } from "../../base/codec.ts";
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import { Listeners, type Unsubscribe } from "../../base/events.ts";
import { publicKeyOf } from "../../base/peer-id.ts";
import { type Clock, every, type Timer } from "../../ports/clock.ts";
import type { Crypto, KeyPair } from "../../ports/crypto.ts";
import type { Log } from "../../ports/log.ts";
import type { PeerId } from "../../ports/network.ts";
import type { Random } from "../../ports/random.ts";
import { Flusher } from "./flush.ts";
import { GossipTree, type Verdict } from "./tree.ts";
import { TREE_FIELDS, type TreeFrame } from "./wire.ts";
import { PART_MESSAGE_BYTES_MAX } from "../limits.ts";
import type { AdmittedLink, Links } from "../links/links.ts";
import type { Sealer } from "./sealing.ts";

export interface GossipOptions {
  readonly peer: PeerId;
  readonly keys: KeyPair;
}

export interface GossipPorts {
  readonly links: Links;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly random: Random;
  readonly log: Log;
  /** Told of every peer that a message comes from: a sign of life. */
  readonly heard?: (peer: PeerId) => void;
  /** Tells of links that have fallen silent, and of those over which something comes again. */
  readonly onSilence?: (
    listener: (change: { readonly peer: PeerId; readonly isSilent: boolean }) => void,
  ) => Unsubscribe;
}

export interface Gossip {
  /** To all other members. Throws StarfishError "too-large" above PAYLOAD_BYTES_MAX. */
  publish(topic: string, payload: Bytes): void;
  /** `from` has signed the payload. */
  subscribe(topic: string, receive: (payload: Uint8Array, from: PeerId) => void): Unsubscribe;
  /** The peers to which it sends new bodies at once, for measurements. */
  eager(): readonly PeerId[];
  stop(): void;
}

export function createGossip(options: GossipOptions): (ports: GossipPorts) => Gossip {
  return (ports) => new Topics(options, ports);
}

export const PAYLOAD_BYTES_MAX: number = 64 * 1024;
const TOPIC_CHARS_MAX = 128;
const NONCE_BYTES = 12;
const DOMAIN = "starfish gossip 1";
/** How often the tree is maintained and ids may be told. */
const TICK_MS = 500;

const frameSchema: Schema<TreeFrame> = v.object(TREE_FIELDS);
const bodySchema = v.tuple([textOf(TOPIC_CHARS_MAX), bytesOf(1, PART_MESSAGE_BYTES_MAX)]);
const sealedSchema = v.tuple([textOf(64), bytesOf(NONCE_BYTES), bytesOf(0, PAYLOAD_BYTES_MAX), bytesOf(64)]);

class Topics implements Gossip {
  readonly #options: GossipOptions;
  readonly #ports: GossipPorts;
  readonly #tree: GossipTree;
  readonly #flusher: Flusher;
  readonly #topics = new Map<string, Listeners<{ readonly payload: Uint8Array; readonly from: PeerId }>>();
  readonly #stops: Unsubscribe[];
  #due: { readonly atMs: number; readonly timer: Timer } | undefined;

  constructor(options: GossipOptions, ports: GossipPorts) {
    const { links, clock, crypto } = ports;
    this.#options = options;
    this.#ports = ports;
    this.#tree = new GossipTree({ self: options.peer, sha256: (bytes) => crypto.sha256(bytes) });
    this.#flusher = new Flusher(clock, (peer) => this.#flush(peer));
    links.receive("gossip", (link, message) => this.#receive(link, message));
    const timer = every(clock, TICK_MS, () => this.#tick());
    this.#stops = [
      () => timer.cancel(),
      links.onUp((link) => this.#up(link)),
      links.onDown((link) => {
        this.#tree.linkDown(link.peer, clock.monotonic());
        this.#flusher.forget(link.peer);
        this.#settle();
      }),
      ports.onSilence?.(({ peer, isSilent }) => {
        this.#tree.linkSilent(peer, isSilent, clock.monotonic());
        this.#settle();
      }) ?? (() => {}),
    ];
    for (const link of links.all()) this.#up(link);
  }

  publish(topic: string, payload: Bytes): void {
    if (payload.length > PAYLOAD_BYTES_MAX) {
      throw new StarfishError("too-large", `Gossip carries at most ${PAYLOAD_BYTES_MAX} bytes, not ${payload.length}`);
    }
    const { crypto, random, sealer, clock } = this.#ports;
    const { peer, keys } = this.#options;
    const nonce = random.bytes(NONCE_BYTES);
    const signature = crypto.sign(keys.privateKey, signed(topic, nonce, payload));
    const sealed = sealer.seal(topic, encode([peer, nonce, payload, signature]));
    this.#tree.publish(encode([topic, sealed]), clock.monotonic());
    this.#settle();
  }

  subscribe(topic: string, receive: (payload: Uint8Array, from: PeerId) => void): Unsubscribe {
    let listeners = this.#topics.get(topic);
    if (listeners === undefined) {
      listeners = new Listeners();
      this.#topics.set(topic, listeners);
    }
    const unsubscribe = listeners.add(({ payload, from }) => receive(payload, from));
    return () => {
      unsubscribe();
      if (listeners.size === 0 && this.#topics.get(topic) === listeners) this.#topics.delete(topic);
    };
  }

  eager(): readonly PeerId[] {
    return this.#tree.eager();
  }

  stop(): void {
    for (const stop of this.#stops) stop();
    this.#due?.timer.cancel();
    this.#flusher.stop();
  }

  #up(link: AdmittedLink): void {
    this.#tree.linkUp(link.peer, this.#ports.clock.monotonic());
    this.#settle();
  }

  #receive(link: AdmittedLink, message: Uint8Array): void {
    const frame = decode(frameSchema, message);
    this.#ports.heard?.(link.peer);
    this.#tree.receive(link.peer, frame, this.#ports.clock.monotonic(), (body) => this.#admit(link, body));
    this.#settle();
  }

  #admit(link: AdmittedLink, body: Uint8Array): Verdict {
    const { sealer, crypto } = this.#ports;
    try {
      const [topic, sealed] = decode(bodySchema, body);
      const opened = sealer.open(topic, sealed);
      if (opened === undefined) throw new StarfishError("malformed", "Gossip that is not sealed for this swarm");
      const [from, nonce, payload, signature] = decode(sealedSchema, opened);
      if (!crypto.verify(publicKeyOf(from), signed(topic, nonce, payload), signature)) {
        throw new StarfishError("malformed", "Gossip with a wrong signature");
      }
      // Payloads of this node's former life may come back. They are passed on, but not delivered here.
      if (from !== this.#options.peer) this.#topics.get(topic)?.emit({ payload, from });
      return "spread";
    } catch (error) {
      if (!isStarfishError(error, "malformed")) throw error;
      this.#ports.links.misbehaved(link.peer, error.message);
      return "fault";
    }
  }

  #tick(): void {
    const nowMs = this.#ports.clock.monotonic();
    this.#tree.tick(nowMs);
    const lazy = this.#tree.lazy(nowMs);
    if (lazy !== undefined) this.#flush(lazy);
    this.#settle();
  }

  /** Sends what is urgent, and schedules the maintenance of the tree. */
  #settle(): void {
    const { clock } = this.#ports;
    this.#flusher.mark(this.#tree.urgent);
    this.#flusher.settle();
    const { dueMs } = this.#tree;
    if (dueMs === Infinity || dueMs >= (this.#due?.atMs ?? Infinity)) return;
    this.#due?.timer.cancel();
    const timer = clock.timer(Math.max(0, dueMs - clock.monotonic()), () => {
      this.#due = undefined;
      this.#tree.tick(clock.monotonic());
      this.#settle();
    });
    this.#due = { atMs: dueMs, timer };
  }

  #flush(peer: PeerId): void {
    const link = this.#ports.links.get(peer);
    if (link === undefined) return;
    for (;;) {
      const frame = this.#tree.take(peer, this.#ports.clock.monotonic());
      if (frame === undefined) return;
      this.#flusher.sent(peer);
      if (!link.send("gossip", encode(frame))) return;
    }
  }
}

function signed(topic: string, nonce: Bytes, payload: Bytes): Uint8Array {
  return encode([DOMAIN, topic, nonce, payload]);
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { frameSchema, bodySchema, sealedSchema };

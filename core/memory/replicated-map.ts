/** One named map of a node, wired: replica, gossip, reconciliation, acknowledgement and, if it is kept, the store. */
import type { Semaphore } from "../base/semaphore.ts";
import * as v from "valibot";
import { bytesOf, decode, encode, integerOf, type Schema } from "../base/codec.ts";
import { isStarfishError, StarfishError } from "../base/errors.ts";
import type { Unsubscribe } from "../base/events.ts";
import type { Net, RequestContext } from "../net/types.ts";
import { every, type Clock, sleep, type Timer, withDeadline } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Channel, PeerId } from "../ports/network.ts";
import type { Random } from "../ports/random.ts";
import { acknowledge, type AckRequest, notAcknowledged, serveAck } from "./acknowledge.ts";
import type { Journal } from "./journal.ts";
import type { LargeBatches } from "./large-batches.ts";
import {
  GOSSIP_BYTES_MAX,
  GOSSIP_PARTS_MAX,
  READY_LOOK_MS,
  READY_MS_MAX,
  RECONCILE_SPREAD,
  SWEEP_KEYS_MAX,
  SWEEP_MS,
  SYNC_TIMEOUT_MS,
  UNSYNCED_KEYS_MAX,
  VALUE_BYTES_MAX,
} from "./limits.ts";
import { Outbox } from "./outbox.ts";
import { type Keyed, unpack } from "./pack.ts";
import { type Part, Parts } from "./parts.ts";
import type { Replica } from "./replica.ts";
import { Rounds } from "./rounds.ts";
import type { Incoming, ExchangeOptions } from "./exchange.ts";
import type {
  KeyRange,
  MapChange,
  MapEntry,
  MapStat,
  MapWrite,
  ReplacedEntry,
  ReplicatedMap,
  Version,
} from "./types.ts";

export const RECONCILE_PROTOCOL = "/starfish/memory/2.0.0";

export interface MapParts {
  readonly name: string;
  readonly replica: Replica;
  readonly bytesMax: number;
  readonly net: Net;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly exchanges: Semaphore;
  /** Shared by all maps, too. */
  readonly largeBatches: LargeBatches;
  /** Undefined: in RAM only. */
  readonly journal: Journal | undefined;
  /** A member as a writer. */
  readonly writerOf: (peer: PeerId) => number;
}

/** Numbers that no two batches of one member have at a time. */
const PARTS_ID_MAX: number = 2 ** 48;

interface Gossiped {
  readonly entries: Uint8Array;
  readonly part?: Part | undefined;
}

const gossipSchema: Schema<Gossiped> = v.object({
  entries: bytesOf(1, GOSSIP_BYTES_MAX + VALUE_BYTES_MAX),
  part: v.optional(
    v.object({
      id: integerOf(0, PARTS_ID_MAX),
      index: integerOf(0, GOSSIP_PARTS_MAX - 1),
      count: integerOf(2, GOSSIP_PARTS_MAX),
    }),
  ),
});

/** A map that gossips, reconciles and may be closed; users see ReplicatedMap. */
export class NodeMap implements ReplicatedMap {
  readonly name: string;
  readonly #parts: MapParts;
  readonly #replica: Replica;
  readonly #outbox: Outbox;
  readonly #rounds: Rounds;
  readonly #stops: Unsubscribe[];
  readonly #sweeper: Timer;
  /** Keys written here that no `sync` has seen acknowledged yet; undefined if they are too many to list. */
  #unsynced: Set<string> | undefined = new Set();
  #syncing: Promise<void> = Promise.resolve();
  readonly #waiting = new Parts();

  constructor(parts: MapParts) {
    const { name, net, clock, random, log, replica, exchanges } = parts;
    this.name = name;
    this.#parts = parts;
    this.#replica = replica;
    const topic = `memory/${name}`;
    this.#outbox = new Outbox({
      clock,
      entry: (key) => replica.table.get(key),
      publish: (entries, part) => net.publish(topic, encode(part === undefined ? { entries } : { entries, part })),
      partsId: () => Math.floor(random.real() * PARTS_ID_MAX),
      overflow: () => this.#rounds.spread(),
    });
    this.#rounds = new Rounds({
      map: name,
      self: net.self,
      links: () => net.links().map(({ peer }) => peer),
      open: (peer, signal) => net.open(peer, RECONCILE_PROTOCOL, { signal }),
      misbehaved: (peer, what) => net.misbehaved(peer, what),
      clock,
      random,
      log,
      exchanges,
      session: (peer, signal) => this.#sessionWith(peer, signal),
      now: () => replica.now(),
      isReady: () => replica.isReady,
    });
    this.#sweeper = every(clock, SWEEP_MS, () => this.#sweep());
    this.#stops = [
      net.onLinks(() => this.#rounds.linksChanged()),
      net.subscribe(topic, (payload, from) => this.#heard(payload, from)),
      replica.onApplied(({ keys, isLocal }) => this.#applied(keys, isLocal)),
    ];
  }

  get(key: string): unknown {
    return this.#replica.entry(key)?.value;
  }

  entry(key: string): MapEntry | undefined {
    return this.#replica.entry(key);
  }

  set(key: string, value: unknown, options: { readonly expiresInMs?: number | undefined } = {}): Version {
    return this.#replica.write([{ key, value, expiresInMs: options.expiresInMs }]);
  }

  delete(key: string): Version | undefined {
    if (this.#replica.entry(key) === undefined) return undefined;
    return this.#replica.write([{ key, deleted: true }]);
  }

  batch(writes: readonly MapWrite[], { isDistinct }: { readonly isDistinct?: boolean } = {}): void {
    if (writes.length > 0) this.#replica.write(writes, isDistinct);
  }

  async ready({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    const { clock } = this.#parts;
    const endMs = clock.monotonic() + READY_MS_MAX;
    for (;;) {
      try {
        this.#replica.checkClock();
        break;
      } catch (error) {
        if (clock.monotonic() > endMs) throw error;
        await sleep(clock, READY_LOOK_MS, { signal });
      }
    }
    // If a write could not be stored, it would be reported as failed although others can read it already.
    await this.#parts.journal?.check();
  }

  raw(key: string): Uint8Array | undefined {
    return this.#replica.raw(key);
  }

  entries(range: string | KeyRange = ""): IterableIterator<MapEntry> {
    return this.#replica.entries(range);
  }

  count(range: string | KeyRange = ""): number {
    return this.#replica.count(range);
  }

  watch(prefix: string, listener: (change: MapChange) => void): Unsubscribe {
    return this.#replica.watchers.watch(prefix, listener);
  }

  stamp(): number {
    return this.#replica.stamp();
  }

  watchAll(listener: (changes: readonly MapChange[]) => void): Unsubscribe {
    return this.#replica.watchers.watchAll(listener);
  }

  watchKeys(listener: (keys: readonly string[]) => void): Unsubscribe {
    return this.#replica.watchers.watchKeys(listener);
  }

  watchReplaced(listener: (replaced: ReplacedEntry) => void): Unsubscribe {
    return this.#replica.watchers.watchReplaced(listener);
  }

  now(): number {
    return this.#replica.now();
  }

  async sync(
    options: { readonly signal?: AbortSignal | undefined; readonly timeoutMs?: number | undefined } = {},
  ): Promise<void> {
    const { clock } = this.#parts;
    const { timeoutMs = SYNC_TIMEOUT_MS, signal } = options;
    const before = this.#syncing;
    const work = async (inner: AbortSignal): Promise<void> => {
      await before;
      await this.#sync(inner);
    };
    const synced = withDeadline(clock, timeoutMs, "sync", work, { signal });
    this.#syncing = synced.catch(() => {});
    try {
      await synced;
    } catch (error) {
      throw isStarfishError(error, "timeout") ? notAcknowledged(timeoutMs) : error;
    }
  }

  stat(): MapStat {
    const { table } = this.#replica;
    const { a, b } = table.sum(undefined, undefined);
    return {
      name: this.name,
      entries: table.live,
      tombstones: table.tombstones,
      bytes: table.bytes,
      tombstoneBytes: table.tombstoneBytes,
      forgottenEarly: table.forgottenEarly,
      bytesMax: this.#parts.bytesMax,
      fingerprint: [a, b].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join(""),
      quarantined: this.#replica.quarantined,
      isKept: this.#parts.journal !== undefined,
      reconciliations: this.#rounds.stat(),
      refused: this.#replica.refused,
      unionedOld: this.#replica.unionedOld,
    };
  }

  /** A member's question whether its writes are here. */
  serveAck(request: AckRequest, context: RequestContext): Promise<number[]> {
    const { clock } = this.#parts;
    return serveAck(request, context, { replica: this.#replica, clock, store: () => this.#store() });
  }

  /** A member's reconciliation. Never rejects. */
  serveSession(peer: PeerId, channel: Channel, incoming: Incoming): Promise<void> {
    return this.#rounds.serve(peer, channel, incoming);
  }

  /** Sends what waits; the net is still there. */
  flush(): void {
    this.#outbox.flush();
  }

  async close(): Promise<void> {
    for (const stop of this.#stops) stop();
    this.#sweeper.cancel();
    this.#outbox.stop();
    this.#rounds.stop();
    await this.#parts.journal?.close();
  }

  async #sync(signal: AbortSignal): Promise<void> {
    const { name, net, clock, random } = this.#parts;
    const replica = this.#replica;
    const keys = this.#unsynced ?? this.#ownKeys();
    this.#unsynced = new Set();
    this.#outbox.flush();
    try {
      await this.#store();
      const entries = [...keys].flatMap((key) => replica.keyed(key) ?? []);
      const reconcile = (peer: PeerId): Promise<boolean> => this.#rounds.reconcile(peer);
      await acknowledge(entries, { map: name, net, clock, random, reconcile }, signal);
    } catch (error) {
      this.#unsyncedAgain(keys);
      throw error;
    }
  }

  #ownKeys(): Set<string> {
    const { table, self } = this.#replica;
    const keys = new Set<string>();
    for (const key of table.keys("")) if (table.head(key)?.writer === self) keys.add(key);
    return keys;
  }

  #unsyncedAgain(keys: Iterable<string>): void {
    for (const key of keys) {
      if (this.#unsynced !== undefined && this.#unsynced.size < UNSYNCED_KEYS_MAX) this.#unsynced.add(key);
      else this.#unsynced = undefined;
    }
  }

  async #store(): Promise<void> {
    await this.#parts.journal?.flush();
  }

  #applied(keys: readonly string[], isLocal: boolean): void {
    this.#parts.journal?.add(keys);
    this.#rounds.stirred();
    if (!isLocal) return;
    this.#outbox.add(keys);
    this.#unsyncedAgain(keys);
  }

  #heard(payload: Uint8Array, from: PeerId): void {
    const received: Keyed[] = [];
    try {
      const { entries, part } = decode(gossipSchema, payload);
      const nowMs = this.#parts.clock.monotonic();
      const whole = part === undefined ? [entries] : this.#waiting.add(from, part, entries, nowMs);
      for (const packed of whole ?? []) received.push(...unpack(packed));
    } catch (error) {
      if (!(error instanceof StarfishError)) throw error;
      return this.#parts.net.misbehaved(from, `memory: ${error.message}`);
    }
    this.#replica.receive(received);
  }

  #sweep(): void {
    this.#replica.sweep(SWEEP_KEYS_MAX);
    // If gossip has lost a part, reconciling brings the whole batch.
    const before = this.#waiting.dropped;
    if (this.#waiting.sweep(this.#parts.clock.monotonic())) this.#rounds.spread(RECONCILE_SPREAD);
    const dropped = this.#waiting.dropped - before;
    if (dropped > 0) this.#parts.log.write("info", "memory.parts-dropped", { map: this.name, dropped });
  }

  #sessionWith(peer: PeerId, signal: AbortSignal): ExchangeOptions {
    const { clock, writerOf, largeBatches } = this.#parts;
    const large = largeBatches.with(peer);
    return { replica: this.#replica, clock, peer: writerOf(peer), signal, store: () => this.#store(), large };
  }
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { gossipSchema };

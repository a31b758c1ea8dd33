/**
 * The state of a replicated map on one node: the newest write to each key, in order, with sums over ranges. Merging is
 * commutative, associative and idempotent, so that nodes which have seen the same writes are equal, in whatever order
 * they came. Pure: no time of its own, no input or output.
 */
import type { Bytes } from "../base/bytes.ts";
import { Digester, DELETED, type Entry, type EntryHead, LIVE } from "./entry.ts";
import { DueQueue } from "./due.ts";
import { boundsOf } from "./key-range.ts";
import type { Indexed, Sum } from "./leaf.ts";
import { BUDGET_OVERSHOOT, ENTRY_COST_BYTES, TOMBSTONES_SHARE_MIN } from "./limits.ts";
import { OrderedEntries } from "./ordered-entries.ts";
import type { Keyed } from "./pack.ts";
import type { KeyRange } from "./types.ts";
import { timeOf } from "./version.ts";

export interface TableOptions {
  /** 8 bytes that all nodes of the swarm share and nobody else knows. */
  readonly digestKey: Uint8Array;
  readonly bytesMax: number;
  /** How long deleted keys are remembered. */
  readonly horizonMs: number;
}

/** "full": it would exceed what this node may hold. */
export type Merged = "applied" | "known" | "full";

export class Table {
  readonly #options: TableOptions;
  readonly #entries = new OrderedEntries();
  readonly #digester: Digester;
  /** Entries that will expire; and tombstones, which are forgotten. */
  readonly #due = new DueQueue();
  readonly #tombs = new DueQueue();
  /** The times at which entries came here that were older than the horizon already. */
  readonly #held = new Map<string, number>();
  #live = 0;
  /** The bytes of the present entries, and those of the tombstones. */
  #bytes = 0;
  #tombstoneBytes = 0;
  #forgottenEarly = 0;

  constructor(options: TableOptions) {
    this.#options = options;
    this.#digester = new Digester(options.digestKey);
  }

  /** Keys that are there. */
  get live(): number {
    return this.#live;
  }

  get tombstones(): number {
    return this.#entries.size - this.#live;
  }

  /** The bytes that count towards the budget: those of the present keys. */
  get bytes(): number {
    return this.#bytes;
  }

  get tombstoneBytes(): number {
    return this.#tombstoneBytes;
  }

  /** Tombstones that were forgotten before their time, because there was no room. */
  get forgottenEarly(): number {
    return this.#forgottenEarly;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  /** Like `get`, at a third of its cost, whatever the length of the value. */
  head(key: string): EntryHead | undefined {
    return this.#entries.head(key);
  }

  /** The bytes of the entry's value, a copy. */
  value(key: string): Uint8Array<ArrayBuffer> | undefined {
    return this.#entries.value(key);
  }

  /** The same until the table changes. */
  view(key: string): Bytes | undefined {
    return this.#entries.view(key);
  }

  heldAtMs(key: string): number | undefined {
    return this.#held.get(key);
  }

  hold(key: string, sinceMs: number): void {
    this.#held.set(key, sinceMs);
  }

  /** By how many bytes this write would make the present entries grow. */
  growth(key: string, entry: Entry): number {
    const before = this.#entries.head(key);
    const costBefore = before?.state === LIVE ? costOf(key, before.valueBytes) : 0;
    return (entry.state === LIVE ? costOf(key, entry.value.length) : 0) - costBefore;
  }

  /** Whether this many more bytes fit into the budget. Local writes keep within it; those of others may exceed it. */
  hasRoom(bytes: number): boolean {
    return this.#bytes + bytes <= this.#options.bytesMax;
  }

  /** The most bytes by which these would make the table grow, whatever they replace. */
  growthMost(entries: readonly Pick<Keyed, "key" | "entry">[]): number {
    let bytes = 0;
    for (const { key, entry } of entries) bytes += costOf(key, entry.value.length);
    return bytes;
  }

  /** Whether all of these fit for certain. */
  takesAll(entries: readonly Keyed[]): boolean {
    return this.#bytes + this.growthMost(entries) <= this.#options.bytesMax * BUDGET_OVERSHOOT;
  }

  /** Bytes by which taking in these, each of another key, would make the table grow, and whether they would fit. */
  roomFor(entries: readonly Keyed[]): { readonly growth: number; readonly fits: boolean } {
    let growth = 0;
    for (const { key, entry } of entries) if (!this.#isKnown(key, entry)) growth += this.growth(key, entry);
    return { growth, fits: growth <= 0 || this.#bytes + growth <= this.#options.bytesMax * BUDGET_OVERSHOOT };
  }

  #isKnown(key: string, entry: Entry): boolean {
    const before = this.#entries.head(key);
    return before !== undefined && !this.#wins(key, entry, before);
  }

  #wins(key: string, entry: Entry, before: EntryHead): boolean {
    if (entry.stamp !== before.stamp) return entry.stamp > before.stamp;
    if (entry.writer !== before.writer) return entry.writer > before.writer;
    const own = this.#entries.get(key);
    return own === undefined || this.#digester.compare(entry, own) > 0;
  }

  /** Takes in a write of any node. `isRoomSeen`: its caller has seen that there is room. */
  merge(key: string, entry: Entry, isRoomSeen = false): Merged {
    const before = this.#entries.head(key);
    if (before !== undefined && !this.#wins(key, entry, before)) return "known";
    const isGrowth = !isRoomSeen && (before === undefined || entry.state === LIVE);
    if (isGrowth && this.#bytes + this.growth(key, entry) > this.#options.bytesMax * BUDGET_OVERSHOOT) return "full";
    this.#put(key, entry, before);
    if (this.#held.size > 0) this.#held.delete(key);
    if (this.#tombstoneBytes > 0) this.#forgetEarly();
    // A deletion of something that was never here, for which there is no room, changes nothing.
    return before === undefined && entry.state !== LIVE && !this.#entries.has(key) ? "known" : "applied";
  }

  /** Forgets a key as if it had never been there. */
  forget(key: string): void {
    const before = this.#entries.head(key);
    if (before === undefined) return;
    this.#entries.delete(key);
    this.#held.delete(key);
    this.#uncount(key, before);
  }

  /**
   * Handles what is due: entries whose time has come by `nowMs` expire, which is reported to `expired`, and tombstones
   * whose horizon has passed by `forgetMs` are forgotten. After `most` keys it leaves the rest for the next call, and
   * says so.
   */
  sweep(nowMs: number, forgetMs: number, most: number, expired: (key: string) => void): boolean {
    let left = most;
    for (; left > 0; left--) {
      const key = this.#due.take(nowMs);
      if (key === undefined) break;
      const head = this.#entries.head(key);
      if (head?.state !== LIVE || this.#dueMs(head) > nowMs) continue;
      const entry = this.#entries.get(key);
      // The digest stays: nobody sees from outside whether it has happened already.
      if (entry !== undefined) this.#put(key, this.#digester.expired(entry), head);
      expired(key);
    }
    for (; left > 0; left--) {
      const key = this.#tombs.take(forgetMs);
      if (key === undefined) break;
      const head = this.#entries.head(key);
      if (head !== undefined && head.state !== LIVE && this.#dueMs(head) <= forgetMs) this.forget(key);
    }
    this.#forgetEarly();
    return left === 0;
  }

  /** Whether a deletion or expiry is so old that it is not remembered any more. */
  isForgotten(entry: Entry, nowMs: number): boolean {
    return entry.state !== LIVE && this.#dueMs(entry) <= nowMs;
  }

  /** The keys of the range or with this prefix, in order, including deleted ones. */
  *keys(range: string | KeyRange): Generator<string, void, undefined> {
    const { from, to, isReverse } = boundsOf(range);
    if (isReverse) {
      for (const key of this.#entries.keysDown(to)) {
        if (key < from) return;
        yield key;
      }
      return;
    }
    for (const key of this.#entries.keys(from)) {
      if (to !== undefined && key >= to) return;
      yield key;
    }
  }

  sum(from: string | undefined, to: string | undefined): Sum {
    return this.#entries.sum(from, to);
  }

  range(from: string | undefined, to: string | undefined): Indexed[] {
    return this.#entries.range(from, to);
  }

  cuts(from: string | undefined, to: string | undefined, count: number, parts: number): [before: string, at: string][] {
    return this.#entries.cuts(from, to, count, parts);
  }

  #put(key: string, entry: Entry, before: EntryHead | undefined): void {
    this.#digester.digest(key, entry);
    this.#entries.set(key, entry, this.#digester.a, this.#digester.b);
    if (before !== undefined) this.#uncount(key, before);
    const cost = costOf(key, entry.value.length);
    if (entry.state === LIVE) {
      this.#live++;
      this.#bytes += cost;
    } else {
      this.#tombstoneBytes += cost;
    }
    this.#await(key, entry);
    // Keys that are written again and again leave outdated entries in the queue.
    if (this.#due.size + this.#tombs.size > 2 * this.#entries.size + 1_024) this.#rebuildDue();
  }

  #uncount(key: string, { state, valueBytes }: EntryHead): void {
    const cost = costOf(key, valueBytes);
    if (state === LIVE) {
      this.#live--;
      this.#bytes -= cost;
    } else {
      this.#tombstoneBytes -= cost;
    }
  }

  /**
   * Keeps tombstones within the memory that the present keys leave; they never take room from these, because any member
   * can delete keys that never existed. The earliest are forgotten first. That is the same on every node, so all end
   * with the same ones.
   */
  #forgetEarly(): void {
    const { bytesMax } = this.#options;
    const most = Math.max(bytesMax * TOMBSTONES_SHARE_MIN, bytesMax * BUDGET_OVERSHOOT - this.#bytes);
    while (this.#tombstoneBytes > most) {
      const dueMs = this.#tombs.nextMs;
      const key = this.#tombs.take(Infinity);
      if (key === undefined) return;
      const head = this.#entries.head(key);
      if (head === undefined || head.state === LIVE || this.#dueMs(head) !== dueMs) continue;
      this.forget(key);
      this.#forgottenEarly++;
    }
  }

  /** When the entry expires or is forgotten, ms since 1970. */
  #dueMs({ state, stamp, expiresAtMs }: Entry | EntryHead): number {
    if (state === LIVE) return expiresAtMs ?? Infinity;
    const goneMs = state === DELETED ? timeOf(stamp) : Math.max(expiresAtMs ?? 0, timeOf(stamp));
    return goneMs + this.#options.horizonMs;
  }

  #await(key: string, entry: Entry | EntryHead): void {
    const dueMs = this.#dueMs(entry);
    if (dueMs !== Infinity) (entry.state === LIVE ? this.#due : this.#tombs).add(dueMs, key);
  }

  #rebuildDue(): void {
    this.#due.clear();
    this.#tombs.clear();
    for (const key of this.#entries.keys("")) {
      const head = this.#entries.head(key);
      if (head !== undefined) this.#await(key, head);
    }
  }
}

function costOf(key: string, valueBytes: number): number {
  return key.length + valueBytes + ENTRY_COST_BYTES;
}

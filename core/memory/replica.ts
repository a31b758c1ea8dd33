/**
 * A replicated map on one node, without the network. It applies local writes and the entries of others by the rules of
 * versions, time and budget. The parts that carry writes further (gossip, store) are told through `onApplied`.
 *
 * Batches are whole here. The entries of a batch share one version, and the map is *closed*: it has none of them, or
 * for each key of the batch that entry or a later one. Local writes keep it closed. Entries of others keep it closed
 * too if they are taken in within one call, and are chosen so by their sender (outbox.ts, exchange.ts). Two closed maps
 * merged are closed, since for each key the later entry stays; so is a map merged with all that another has of a
 * version and later ones. What is forgotten (a tombstone beyond the horizon) counts as later.
 *
 * There are two exceptions, in which part of a batch may be seen until the rest comes: a map is filled to twice its
 * budget, or somebody overwrites part of a batch with a stamp so far ahead that it waits in quarantine.
 */
import { decodeAny, encode, encodeBytes } from "../base/codec.ts";
import { utf8 } from "../base/bytes.ts";
import { messageOf, StarfishError } from "../base/errors.ts";
import { Listeners, type Unsubscribe } from "../base/events.ts";
import { CausalContext, type Vector } from "./causal-context.ts";
import { toByteText } from "./byte-text.ts";
import { DELETED, type Entry, type EntryHead, EXPIRED, LIVE } from "./entry.ts";
import { AHEAD_MS_MAX, BATCH_BYTES_MAX, BATCH_ENTRY_BYTES, KEY_BYTES_MAX, VALUE_BYTES_MAX } from "./limits.ts";
import { type Keyed, keyBytesOf } from "./pack.ts";
import { Quarantine } from "./quarantine.ts";
import { Table } from "./table.ts";
import type { KeyRange, MapEntry, MapWrite, Version } from "./types.ts";
import { unitsOf } from "./units.ts";
import { checkValue } from "./value.ts";
import { HybridClock, stampAt, timeOf } from "./version.ts";
import { Watchers } from "./watchers.ts";

export interface ReplicaOptions {
  readonly digestKey: Uint8Array;
  /** This node as a writer. */
  readonly self: number;
  readonly bytesMax: number;
  readonly horizonMs: number;
}

export interface ReplicaTime {
  /** Corrected time, ms since 1970. */
  now(): number;
  /** Whether that is the common time. Until it is, nothing expires, is forgotten, or is taken in from others. */
  isKnown(): boolean;
  /** Why this node's clock can't be trusted for writing, if so. */
  trouble(): string | undefined;
}

/** The outcome of applying entries that another node has sent. */
export interface Received {
  /** The entries that are new here. */
  readonly applied: readonly Keyed[];
  /**
   * Entries that were deleted here so long ago that the tombstones are gone ("outlived"). The sender has to forget
   * them.
   */
  readonly outlived: readonly Keyed[];
  /** The number of entries for which there was no room. */
  readonly refused: number;
}

interface Taken {
  readonly applied: Keyed[];
  readonly outlived: Keyed[];
}

interface Ready {
  readonly key: string;
  readonly entry: Entry;
}

/** Where entries come from. It matters for entries that are older than tombstones are kept. */
export interface Origin {
  readonly sender: number;
  readonly vector: Vector;
}

export class Replica {
  readonly table: Table;
  readonly causalContext: CausalContext = new CausalContext();
  readonly self: number;
  readonly #horizonMs: number;
  readonly #time: ReplicaTime;
  readonly #clock: HybridClock;
  readonly #quarantine = new Quarantine();
  /**
   * Stored entries whose stamps lie in the future: this node's clock is wrong now, or was then. None of them may be
   * lost.
   */
  readonly #stored = new Quarantine({ isBounded: false });
  readonly watchers: Watchers = new Watchers((key) => this.entry(key));
  readonly #applied = new Listeners<{ readonly keys: readonly string[]; readonly isLocal: boolean }>();
  #unionedOld = 0;
  #refused = 0;

  constructor(options: ReplicaOptions, time: ReplicaTime) {
    this.self = options.self;
    this.table = new Table(options);
    this.#horizonMs = options.horizonMs;
    this.#time = time;
    this.#clock = new HybridClock(() => time.now());
  }

  get quarantined(): number {
    return this.#quarantine.size + this.#stored.size;
  }

  /** Stored entries that wait for their time: they stay in the store as before. */
  aside(): Iterable<Keyed> {
    return this.#stored.all();
  }

  get unionedOld(): number {
    return this.#unionedOld;
  }

  get refused(): number {
    return this.#refused;
  }

  now(): number {
    return this.#time.now();
  }

  /** Whether it knows what time it is, and so can tell old from new. */
  get isReady(): boolean {
    return this.#time.isKnown();
  }

  // Reading

  entry(key: string): MapEntry | undefined {
    const head = this.table.head(key);
    if (head === undefined || !this.#isThere(head)) return undefined;
    const { stamp, writer, expiresAtMs } = head;
    const bytes = this.table.view(key) ?? NO_BYTES;
    const value = byteString(bytes) ?? decodeValue(bytes.slice());
    return { key, value, version: { stamp, writer }, expiresAtMs };
  }

  /** The bytes of its value. */
  raw(key: string): Uint8Array | undefined {
    const head = this.table.head(key);
    return head !== undefined && this.#isThere(head) ? this.table.value(key) : undefined;
  }

  *entries(range: string | KeyRange): Generator<MapEntry, void, undefined> {
    for (const key of this.table.keys(range)) {
      const found = this.entry(key);
      if (found !== undefined) yield found;
    }
  }

  count(range: string | KeyRange): number {
    if (range === "") return this.table.live;
    let count = 0;
    for (const key of this.table.keys(range)) if (this.table.head(key)?.state === LIVE) count++;
    return count;
  }

  /** Keys whose entries have changed, after each call that changed some. */
  onApplied(listener: (event: { readonly keys: readonly string[]; readonly isLocal: boolean }) => void): Unsubscribe {
    return this.#applied.add(listener);
  }

  // Writing

  /** Makes all of these writes with one version, or none if one can't be made. Throws as `ReplicatedMap.batch`. */
  write(writes: readonly MapWrite[], isDistinct = false): Version {
    this.checkClock();
    const nowMs = this.#time.now();
    const stamp = this.#clock.next();
    const ready = this.#readyAll(writes, nowMs, stamp, isDistinct);
    this.#checkRoom(ready);
    for (const { key, entry } of ready) {
      this.#merge(key, entry);
      this.#stored.delete(key);
    }
    this.#tell(
      ready.map(({ key }) => key),
      true,
    );
    return { stamp, writer: this.self };
  }

  /** As in ReplicatedMap. */
  stamp(): number {
    return this.#clock.next();
  }

  /** Throws "clock" if it may not write now. */
  checkClock(): void {
    const trouble = this.#time.trouble();
    if (trouble !== undefined) {
      throw new StarfishError("clock", `${trouble} Nothing was written.`, { retryable: true });
    }
    if (this.#clock.aheadMs() > AHEAD_MS_MAX) {
      throw new StarfishError("clock", "So much was written at once that it is ahead of time; try again in a minute.", {
        retryable: true,
      });
    }
  }

  /** The entries that the writes make. Of several writes to one key the last counts. */
  #readyAll(writes: readonly MapWrite[], nowMs: number, stamp: number, isDistinct: boolean): Ready[] {
    const [only] = writes;
    if (only !== undefined && writes.length === 1) return [this.#ready(only, nowMs, stamp)];
    const all: Ready[] = [];
    let bytes = 0;
    for (const write of writes) {
      const ready = this.#ready(write, nowMs, stamp);
      bytes += keyBytesOf(ready.key) + ready.entry.value.length + BATCH_ENTRY_BYTES;
      if (bytes > BATCH_BYTES_MAX) {
        throw new StarfishError("too-large", "A batch has at most 8 MiB of keys and values. Nothing was written.");
      }
      all.push(ready);
    }
    return isDistinct ? all : [...new Map(all.map((one) => [one.key, one] as const)).values()];
  }

  #ready(write: MapWrite, nowMs: number, stamp: number): Ready {
    const { key } = write;
    checkKey(key);
    const writer = this.self;
    if ("deleted" in write) {
      return { key, entry: { stamp, writer, state: DELETED, value: "", expiresAtMs: undefined } };
    }
    if ("encoded" in write) {
      checkLength(write.encoded.length);
      return { key, entry: { stamp, writer, state: LIVE, value: write.encoded, expiresAtMs: undefined } };
    }
    const value = toByteText(encodeValue(write.value));
    const { expiresInMs } = write;
    if (expiresInMs !== undefined && !(expiresInMs > 0)) {
      throw new StarfishError("malformed", "An entry expires after more than 0 ms");
    }
    // Later than that is as good as never; this fits into 48 bits.
    const expiresAtMs = expiresInMs === undefined ? undefined : Math.min(Math.ceil(nowMs + expiresInMs), 2 ** 47);
    return { key, entry: { stamp, writer, state: LIVE, value, expiresAtMs } };
  }

  #checkRoom(ready: readonly Ready[]): void {
    // The entry that it replaces is looked up only if that matters.
    if (this.table.hasRoom(this.table.growthMost(ready))) return;
    let growth = 0;
    for (const { key, entry } of ready) if (entry.state === LIVE) growth += this.table.growth(key, entry);
    if (growth <= 0 || this.table.hasRoom(growth)) return;
    throw new StarfishError("full", "The shared memory is full: delete keys, or let them expire. Nothing was written.");
  }

  // From others

  /**
   * Takes in all that another node has sent before any listener or reader sees a part of it. `origin` is given if it
   * came by reconciliation. Does nothing until the time is known; reconciling brings the entries again.
   *
   * If there is no room for all of it, entries that share a version are taken in or refused together. After the first
   * refusal only entries that take no more room are taken in: what comes later is older, and might be seen without the
   * newer entries that have replaced the rest of its batch. `isShort` says that something was refused before.
   */
  receive(entries: readonly Keyed[], origin?: Origin, isShort = false): Received {
    const received = { applied: [] as Keyed[], outlived: [] as Keyed[], refused: 0 };
    if (!this.isReady) return received;
    if (!isShort && this.table.takesAll(entries)) {
      this.#take(entries, origin, received);
    } else {
      for (const unit of unitsOf(entries)) {
        const { growth, fits } = this.table.roomFor(unit);
        if (!fits || (growth > 0 && (isShort || received.refused > 0))) received.refused += unit.length;
        else this.#take(unit, origin, received);
      }
    }
    const { applied } = received;
    this.#refused += received.refused;
    if (applied.length > 0) {
      this.#tell(
        applied.map(({ key }) => key),
        false,
      );
    }
    return received;
  }

  #take(entries: readonly Keyed[], origin: Origin | undefined, { applied, outlived }: Taken): void {
    const nowMs = this.#time.now();
    for (const keyed of entries) {
      const { key, entry } = keyed;
      const isThere = this.table.has(key);
      if (timeOf(entry.stamp) > nowMs + AHEAD_MS_MAX) {
        this.#quarantine.add(keyed);
        continue;
      }
      if (isEarly(entry, nowMs)) {
        this.#refused++;
        continue;
      }
      if (!isThere && this.table.isForgotten(entry, nowMs)) continue;
      const isOld = !isThere && timeOf(entry.stamp) <= nowMs - this.#horizonMs;
      const commonMs = isOld && origin ? this.causalContext.common(origin.sender, origin.vector) : undefined;
      if (commonMs !== undefined && (keyed.heldAtMs ?? timeOf(entry.stamp)) <= commonMs) {
        // That side had the entry at a moment when this node had everything of that side. So it was deleted here after
        // that.
        outlived.push(keyed);
        continue;
      }
      if (!this.#merge(key, entry)) continue;
      this.#clock.saw(entry.stamp);
      if (isOld) this.#holdOld(keyed, commonMs, nowMs);
      applied.push(keyed);
    }
  }

  /** Returns whether it was taken in. Listeners for replaced entries are told. */
  #merge(key: string, entry: Entry): boolean {
    const before = this.watchers.isReplacedWatched ? this.table.head(key) : undefined;
    const raw = before !== undefined && this.#isThere(before) ? this.table.value(key) : undefined;
    if (this.table.merge(key, entry, true) !== "applied") return false;
    if (before === undefined || raw === undefined) return true;
    const version = { stamp: before.stamp, writer: before.writer };
    this.watchers.tellReplaced({ key, version, raw, by: { stamp: entry.stamp, writer: entry.writer } });
    return true;
  }

  /**
   * Takes in what this node has stored in an earlier life. Entries from the future wait for their time: in the map they
   * would win over everything that is written now, and the clock would follow them until this node could not write any
   * more.
   */
  restore(entries: readonly Keyed[]): void {
    const latestMs = this.#time.now() + AHEAD_MS_MAX;
    for (const keyed of entries) {
      const { key, entry, heldAtMs } = keyed;
      if (timeOf(entry.stamp) > latestMs) {
        this.#stored.add(keyed);
        continue;
      }
      if (this.table.merge(key, entry) !== "applied") continue;
      this.#clock.saw(entry.stamp);
      if (heldAtMs !== undefined) this.table.hold(key, Math.min(heldAtMs, latestMs));
    }
  }

  /** Restores the causal context, as far as it is not in the future. */
  restoreVector(vector: Vector): void {
    const latestMs = this.#time.now() + AHEAD_MS_MAX;
    this.causalContext.restore(new Map(Array.from(vector).filter(([, atMs]) => atMs <= latestMs)));
  }

  /**
   * The other side has had these entries and has deleted them, so long ago that the tombstones are gone. Forgets them
   * here; returns their keys.
   */
  outlived(entries: readonly Keyed[]): string[] {
    const nowMs = this.#time.now();
    const forgotten: string[] = [];
    for (const { key, entry } of entries) {
      const own = this.table.head(key);
      if (own === undefined || own.stamp !== entry.stamp || own.writer !== entry.writer) continue;
      if (timeOf(own.stamp) > nowMs - this.#horizonMs) continue;
      this.table.forget(key);
      forgotten.push(key);
    }
    if (forgotten.length > 0) this.#tell(forgotten, false);
    return forgotten;
  }

  /** Whether it is older than deletions are remembered. */
  isOld({ entry }: Keyed): boolean {
    return timeOf(entry.stamp) <= this.#time.now() - this.#horizonMs;
  }

  /**
   * The other side has just taken in these entries. They are older than tombstones are kept, so its former causal
   * context says nothing about them.
   */
  joined(keys: readonly string[]): void {
    const nowMs = this.#time.now();
    const joining = keys.filter((key) => this.table.has(key) && this.table.heldAtMs(key) === undefined);
    for (const key of joining) this.table.hold(key, nowMs);
    if (joining.length > 0) this.#applied.emit({ keys: joining, isLocal: false });
  }

  /** The caller's entry by key, for sending. */
  keyed(key: string): Keyed | undefined {
    const entry = this.table.get(key);
    return entry && { key, entry, heldAtMs: this.table.heldAtMs(key) };
  }

  /** Does what time brings: expiry, the end of old tombstones, the end of quarantine. False: call again soon. */
  sweep(most: number): boolean {
    if (!this.isReady) return true;
    const nowMs = this.#time.now();
    const stampMax = stampAt(nowMs + AHEAD_MS_MAX);
    const released = [...this.#quarantine.release(stampMax), ...this.#stored.release(stampMax)];
    if (released.length > 0) this.receive(released);
    const expired: string[] = [];
    const hasMore = this.table.sweep(nowMs, nowMs, most, (key) => expired.push(key));
    if (expired.length > 0) this.watchers.tell(expired, false);
    return !hasMore;
  }

  /**
   * Forgets the tombstones that end by then, so that both sides of a reconciliation have forgotten the same; at most
   * `most` in one call. Returns false if it has to be called again.
   */
  collect(untilMs: number, most: number): boolean {
    const expired: string[] = [];
    const hasMore = this.table.sweep(this.#time.now(), untilMs, most, (key) => expired.push(key));
    if (expired.length > 0) this.watchers.tell(expired, false);
    return !hasMore;
  }

  #holdOld({ key, heldAtMs }: Keyed, commonMs: number | undefined, nowMs: number): void {
    const isNewHere = this.causalContext.size === 0;
    if (!isNewHere && commonMs === undefined) this.#unionedOld++;
    // A newcomer's first entries are those that the others have always had.
    if (!isNewHere || heldAtMs !== undefined) this.table.hold(key, nowMs);
  }

  #tell(keys: readonly string[], isLocal: boolean): void {
    this.#applied.emit({ keys, isLocal });
    this.watchers.tell(keys, isLocal);
  }

  #isThere({ state, expiresAtMs }: EntryHead): boolean {
    return state === LIVE && (expiresAtMs === undefined || expiresAtMs > this.#time.now());
  }
}

/**
 * Whether an entry claims to have expired although its time is yet to come. It would hide the value, which counts as
 * the same write.
 */
function isEarly({ state, expiresAtMs = 0 }: Entry, nowMs: number): boolean {
  return state === EXPIRED && expiresAtMs > nowMs + AHEAD_MS_MAX;
}

const NO_BYTES: Uint8Array = new Uint8Array(0);

/**
 * The value of an entry. `bytes` belong to the caller. If a member has written something that is not CBOR, the value is
 * the bytes themselves: reading never fails.
 */
export function decodeValue(bytes: Uint8Array): unknown {
  const own = byteString(bytes);
  if (own !== undefined) return own;
  try {
    // CBOR's undefined would look as if the key were not there.
    return decodeAny(bytes) ?? (isNull(bytes) ? null : bytes);
  } catch {
    return bytes;
  }
}

/** The byte string that `bytes` encode, if they encode one: the same as decoding, ten times as fast. */
function byteString(bytes: Uint8Array): Uint8Array | undefined {
  const [head = 0, length = 0, low = 0] = bytes;
  if (head >= 0x40 && head < 0x58) return bytes.length === head - 0x3f ? bytes.slice(1) : undefined;
  if (head === 0x58) return length >= 24 && bytes.length === length + 2 ? bytes.slice(2) : undefined;
  if (head !== 0x59 || length === 0) return undefined;
  return bytes.length === length * 256 + low + 3 ? bytes.slice(3) : undefined;
}

function isNull(bytes: Uint8Array): boolean {
  return bytes.length === 1 && bytes[0] === 0xf6;
}

function checkKey(key: string): void {
  if (!key.isWellFormed()) throw new StarfishError("malformed", "A key is well-formed Unicode");
  if (key.length * 3 > KEY_BYTES_MAX && utf8(key).length > KEY_BYTES_MAX) {
    throw new StarfishError(
      "too-large",
      `A key has at most ${KEY_BYTES_MAX} bytes; what is longer belongs in the value`,
    );
  }
}

function encodeValue(value: unknown): Uint8Array {
  if (value === undefined) throw new StarfishError("malformed", "undefined is no value: delete the key instead");
  checkValue(value);
  let bytes: Uint8Array;
  try {
    bytes = value instanceof Uint8Array ? encodeBytes(value) : encode(value);
  } catch (error) {
    throw new StarfishError("malformed", `This can't be kept as a value: ${messageOf(error)}`, { cause: error });
  }
  checkLength(bytes.length);
  return bytes;
}

function checkLength(valueBytes: number): void {
  if (valueBytes <= VALUE_BYTES_MAX) return;
  throw new StarfishError(
    "too-large",
    `A value has at most 64 KiB, this one has ${Math.ceil(valueBytes / 1024)}: spread it over several keys`,
  );
}

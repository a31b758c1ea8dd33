/**
 * The replicated map as its users see it: small mutable state, whole on every node. Made by memory.ts, one for each
 * name.
 *
 * A write is applied here at once and reaches the others by itself. Of two writes to one key the later one wins on
 * every node, by version. Values that are returned or given to a watcher belong to the caller: changing them changes
 * nothing here.
 */
import type { Unsubscribe } from "../base/events.ts";

/** When and by whom a value was written; greater by stamp, then by writer. Equal versions are the same write. */
export interface Version {
  /** Hybrid logical clock: ms since 1970 in corrected time, times 2048, plus a count. Below 2^53. */
  readonly stamp: number;
  /** The first 48 bits of the SHA-256 of the writer's PeerId. */
  readonly writer: number;
}

export interface MapEntry {
  readonly key: string;
  readonly value: unknown;
  readonly version: Version;
  /** Corrected time, ms since 1970, from which the entry is not there any more. Undefined: it does not expire. */
  readonly expiresAtMs: number | undefined;
}

export interface MapChange {
  readonly key: string;
  /** The new entry; undefined: the key has been deleted, or has expired. */
  readonly entry: MapEntry | undefined;
  /** Whether the write was made on this node. */
  readonly isLocal: boolean;
}

/** The entry that a write has replaced on this node. */
export interface ReplacedEntry {
  readonly key: string;
  /** The version of the replaced entry. */
  readonly version: Version;
  /** Its value's CBOR. */
  readonly raw: Uint8Array;
  /** The version of the write. */
  readonly by: Version;
}

export type MapWrite =
  | { readonly key: string; readonly value: unknown; readonly expiresInMs?: number | undefined }
  /** A value that is CBOR already, as byte text (byte-text.ts). It is not checked: for thousands of values at once. */
  | { readonly key: string; readonly encoded: string }
  /** Deletes. */
  | { readonly key: string; readonly deleted: true };

/** A range of keys, in the order of UTF-16 code units: the keys that meet all of the given conditions. */
export interface KeyRange {
  /** Keys that begin with this. */
  readonly prefix?: string | undefined;
  /** This key and those after it. */
  readonly from?: string | undefined;
  /** Keys before this one. */
  readonly to?: string | undefined;
  /** Whether the last key comes first. */
  readonly reverse?: boolean | undefined;
}

export interface MapStat {
  readonly name: string;
  /** Keys that are there. */
  readonly entries: number;
  /** Deleted and expired keys that are still remembered. */
  readonly tombstones: number;
  /** The bytes that count against the budget: keys, values, and a fixed cost for each present entry. */
  readonly bytes: number;
  /** The same of tombstones, which have a budget of their own. */
  readonly tombstoneBytes: number;
  /** Tombstones that were forgotten before their time, because there was no room. */
  readonly forgottenEarly: number;
  readonly bytesMax: number;
  /** 16 hex digits. Nodes with the same fingerprint hold the same entries. */
  readonly fingerprint: string;
  /** Writes from the future (by more than ten minutes) that wait for their time. */
  readonly quarantined: number;
  /** Whether it is kept in this node's store. */
  readonly isKept: boolean;
  readonly reconciliations: {
    readonly complete: number;
    /** Sessions in which the two sides differed. */
    readonly divergent: number;
    readonly brokenOff: number;
    /** Entries that reconciling has brought here. */
    readonly entriesReceived: number;
    readonly lastAtMs: number | undefined;
    readonly lastPeer: string | undefined;
  };
  /** Entries refused from others: malformed, too large, over the budget. */
  readonly refused: number;
  /** Old entries taken in on trust, since it was not known when the two sides had last been equal. */
  readonly unionedOld: number;
}

export interface ReplicatedMap {
  readonly name: string;
  get(key: string): unknown;
  /** Like `get`, with version and expiry. */
  entry(key: string): MapEntry | undefined;
  /**
   * A copy of the stored CBOR of the value; undefined if `get` is. A hostile member may have written something that is
   * not CBOR.
   */
  raw(key: string): Uint8Array | undefined;
  /**
   * Values are those that CBOR gives back as they were: null, booleans, numbers, text, bytes, arrays and plain objects,
   * at most 64 levels deep. Throws "too-large" (key over 1 KiB, value over 64 KiB encoded), "malformed" (half a
   * surrogate pair somewhere, a value that would come back as another one), "full" (byte budget), "clock" (this node's
   * clock can't be brought in line with the others').
   */
  set(key: string, value: unknown, options?: { readonly expiresInMs?: number | undefined }): Version;
  /** The deletion's version, or undefined if there was nothing to delete. Throws "clock". */
  delete(key: string): Version | undefined;
  /**
   * Several writes as one, with one version; of several writes to one key the last counts. On every node, at every
   * moment, a reader or listener sees none of them, or for each key this write or a later one: in whatever way and
   * order they arrive, and after a crash. At most 8 MiB of keys, values, and 20 bytes for each; more than 1 MiB takes
   * longer to reach others. Throws like `set`, and "too-large" beyond that; then nothing is written. `isDistinct`: the
   * caller knows that no key occurs twice, so that nobody has to check.
   */
  batch(writes: readonly MapWrite[], options?: { readonly isDistinct?: boolean }): void;
  /**
   * The entries of the range, or with this prefix, in order of keys. Lazy: changes made meanwhile may or may not be
   * seen, so a batch that arrives during the iteration may be seen in part. Entries that are taken without waiting in
   * between are of one moment.
   */
  entries(range?: string | KeyRange): IterableIterator<MapEntry>;
  /** How many keys there are in the range, or with this prefix. */
  count(range?: string | KeyRange): number;
  /** Called after each change, once for each key, in the order in which they were applied here. */
  watch(prefix: string, listener: (change: MapChange) => void): Unsubscribe;
  /**
   * Like `watch`, but called once for everything that was applied at once: a batch, at least, is reported as a whole.
   */
  watchAll(listener: (changes: readonly MapChange[]) => void): Unsubscribe;
  /**
   * Like `watchAll`, for listeners that read what they need themselves: it is called with the keys that have changed.
   */
  watchKeys(listener: (keys: readonly string[]) => void): Unsubscribe;
  /**
   * Called for each key that is written or deleted, here or by others, with the entry that was there until then, before
   * anybody is told of the change. Not called for expired entries, nor for keys that were not there.
   */
  watchReplaced(listener: (replaced: ReplacedEntry) => void): Unsubscribe;
  /**
   * Resolves when everything written here before the call is acknowledged: more than half of the awake members hold it,
   * and a kept instance has stored it, here and there. Rejects with "timeout" (the writes stay, and go on spreading),
   * "cancelled", or "io" if this node can't store it.
   */
  sync(options?: { readonly signal?: AbortSignal | undefined; readonly timeoutMs?: number | undefined }): Promise<void>;
  /**
   * Resolves once this node may write: a node that has just started is told the others' time within seconds. Rejects
   * with "clock" if it is not told, with "io" if nothing new can be stored (disk full), and with "cancelled".
   */
  ready(options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  /**
   * A stamp of this moment, greater than all stamps that this node has given or seen, and less than those of its later
   * writes: for keys that state when they were made.
   */
  stamp(): number;
  /** The corrected time by which it stamps and expires, ms since 1970. */
  now(): number;
  stat(): MapStat;
}

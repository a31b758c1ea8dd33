/**
 * Where a node keeps the shards that it holds for the swarm. Each is kept whole or not at all. The store does not trust
 * its disk: each shard has a checksum, and a shard that fails it counts as lost, since other nodes can rebuild it.
 * Adapters use files in Node.js, the browser's storage in a tab, or memory.
 */
import type { Bytes } from "../base/bytes.ts";
import type { Unsubscribe } from "../base/events.ts";

export const SHARD_ID_CHARS_MAX = 100;
/** The coder's longest shard (256 KiB), and room for what its owner puts before it. */
export const STORED_SHARD_BYTES_MAX: number = 260 * 1024;
/** What a shard costs beyond its bytes: checksum, name, and on average half a block of 4 KiB. */
export const SHARD_OVERHEAD_BYTES = 2048;
/** Bytes of puts that have not settled. Further puts are refused, so that a slow disk can't fill the memory. */
export const UNSETTLED_BYTES_MAX: number = 64 * 1024 * 1024;

export interface GetOptions {
  /** The SHA-256 that the bytes should have. A shard with another one counts as damaged. */
  readonly sha256?: Bytes | undefined;
}

export interface PutOptions {
  /**
   * The SHA-256 of the bytes, if the caller knows it. It is not checked here; a get that fails it finds the shard
   * damaged.
   */
  readonly sha256?: Bytes | undefined;
}

export interface StoredShard {
  readonly id: string;
  readonly bytes: number;
}

export interface ShardUsage {
  /** The bytes of all shards, and SHARD_OVERHEAD_BYTES for each, including shards that are being put. */
  readonly usedBytes: number;
  readonly quotaBytes: number;
  /** Shards that were dropped since the store was opened because their bytes had changed. */
  readonly damaged: number;
}

/**
 * Ids are 1 to SHARD_ID_CHARS_MAX of a-z, 0-9 and "-"; other ids, and shards that are too long, are bugs of the caller.
 * An index in memory, of at most 300 bytes a shard, knows which shards there are. Calls with one id take effect in the
 * order in which they were made. Bytes that are given must not change until the call settles; the caller owns bytes
 * that it gets. Disposal waits for running calls; after it every call that would reach the disk rejects with "closed".
 */
export interface ShardStore extends AsyncDisposable {
  /**
   * The bytes as they were put, checked against their checksum, or undefined. A shard that is damaged, or that somebody
   * else has removed, is dropped and counted. Rejects with "io" if the disk can't be read at all.
   */
  get(id: string, options?: GetOptions): Promise<Uint8Array | undefined>;
  /**
   * When it resolves, the shard survives the end of the process. It survives a power cut too, once `sync` has resolved
   * or some seconds have passed. A crash before leaves all of it, or what was there before, or a frame whose checksum
   * is wrong. A shard of this id is replaced. Rejects with "full" (the quota or the disk itself), "busy" (retryable:
   * too many bytes wait to be written), or "io"; then what was there before is still there.
   */
  put(id: string, bytes: Uint8Array, options?: PutOptions): Promise<void>;
  /**
   * When it resolves, everything that was put before survives a power cut. Rejects with "io"; shards that were not
   * written count as damaged.
   */
  sync(): Promise<void>;
  /** Deletes the shard, if there is one. A crash soon after may bring it back. */
  delete(id: string): Promise<void>;
  has(id: string): boolean;
  /** All ids, in no particular order. The store may change meanwhile. */
  ids(): IterableIterator<StoredShard>;
  usage(): ShardUsage;
  /** Called with the id of each shard that was found damaged, and was dropped, whoever read it. */
  onDamaged(listener: (id: string) => void): Unsubscribe;
  /** If the quota is less than what is used, nothing is removed; puts are refused until enough has been deleted. */
  setQuota(bytes: number): void;
}

/**
 * Where a node keeps the shards that it holds for the swarm: many pieces of bytes, whole or not at all. It trusts its disk
 * with nothing: each shard lies beside a checksum, and one that fails it is as good as lost, since others can rebuild it.
 * Files in Node, the browser's storage in a tab, or memory.
 */
import type { Bytes } from "../base/bytes.ts";
import type { Unsubscribe } from "../base/events.ts";

export const SHARD_ID_CHARS_MAX = 100;
/** A shard of the coder's longest (256 KiB), and room for what its owner puts before it. */
export const STORED_SHARD_BYTES_MAX: number = 260 * 1024;
/** What a shard counts for beyond its bytes: checksum, name, and half of a block of 4 KiB, as it is on average. */
export const SHARD_OVERHEAD_BYTES = 2048;
/** Puts that have not been settled; more is refused, so that a slow disk can't fill the memory. */
export const UNSETTLED_BYTES_MAX: number = 64 * 1024 * 1024;

export interface GetOptions {
  /** The SHA-256 that the bytes ought to have; a shard with another one is as good as damaged. */
  readonly sha256?: Bytes | undefined;
}

export interface PutOptions {
  /** The SHA-256 of the bytes, where the caller has it already. It is believed: whoever gets the shard finds out. */
  readonly sha256?: Bytes | undefined;
}

export interface StoredShard {
  readonly id: string;
  readonly bytes: number;
}

export interface ShardUsage {
  /** Bytes of all shards and SHARD_OVERHEAD_BYTES for each, those included that are being put. */
  readonly usedBytes: number;
  readonly quotaBytes: number;
  /** Shards that were dropped since the store was opened, because their bytes were not those that had been put. */
  readonly damaged: number;
}

/**
 * Ids are 1 to SHARD_ID_CHARS_MAX of a-z, 0-9 and "-"; others, and shards that are too long, are bugs of the caller. What is
 * there is known from an index in memory, of at most 300 bytes a shard. Calls with one id take effect in the order in which
 * they were made; bytes that are given must not change until the call settles, and those that are got belong to the caller.
 * After disposal, which waits for what is under way, every call that would reach the disk rejects with "closed".
 */
export interface ShardStore extends AsyncDisposable {
  /**
   * The bytes as they were put, checked against their checksum, or undefined. What is damaged is removed and counted, and
   * so is what somebody else took away. Rejects with "io" if the disk can't be read at all.
   */
  get(id: string, options?: GetOptions): Promise<Uint8Array | undefined>;
  /**
   * When it resolves, the shard survives the end of the process, whatever ends it; a power cut too, once `sync` has resolved
   * or some seconds have passed. Either leaves all of it or what was there before, or something whose checksum is wrong. An
   * id that is there is replaced. Rejects with "full" (the quota or the disk itself), "busy" (retryable: too many bytes wait
   * to be written), or "io"; then what was there before is still there.
   */
  put(id: string, bytes: Uint8Array, options?: PutOptions): Promise<void>;
  /** What has been put before survives a power cut when it resolves. Rejects with "io"; what did not get there is damaged. */
  sync(): Promise<void>;
  /** Deleting what is not there is fine. A crash soon after may bring it back. */
  delete(id: string): Promise<void>;
  has(id: string): boolean;
  /** All that are there, in no order. The store may change meanwhile. */
  ids(): IterableIterator<StoredShard>;
  usage(): ShardUsage;
  /** Called with the id of each shard that is found damaged, and is gone then, whoever read it. */
  onDamaged(listener: (id: string) => void): Unsubscribe;
  /** Nothing is removed if less is allowed than there is; puts are refused until enough is gone. */
  setQuota(bytes: number): void;
}

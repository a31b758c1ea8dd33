/**
 * Erasure coding and hashing of stripes, off the caller's thread where the platform has threads. A stripe consists of k
 * data shards and the parity shards that are coded from them, all of one length. Any k of its shards give it back
 * (disk/code/matrix.ts).
 *
 * Ownership: `encode` and `reconstruct` take over the bytes that they are given, and the caller owns what they resolve
 * to. Bytes that fill a buffer of their own are moved to another thread without a copy, which leaves the caller's array
 * empty. A part of a larger buffer is copied, and the buffer stays. Either way, do not touch what you gave, even if the
 * call fails.
 */
import type { Bytes } from "../base/bytes.ts";

/**
 * Shards of a stripe. The layout of the largest swarm has 64, on two devices each. A proof in a tree over 128 has 7
 * hashes.
 */
export const SHARDS_MAX = 128;
/** Data shards of a stripe. Each is fetched from another device, and more of them would cost more than they gain. */
export const DATA_SHARDS_MAX = 64;
/** The longest shard. It is IPFS's chunk, and keeps a stripe of 64 data shards at 16 MiB. */
export const SHARD_BYTES_MAX: number = 256 * 1024;

export interface CodedStripe {
  /** All shards by number: the data shards as given, then the parity shards. */
  readonly shards: readonly Uint8Array[];
  /** SHA-256 of each shard. */
  readonly hashes: readonly Uint8Array[];
  /** Root of the Merkle tree over `hashes` (disk/code/merkle.ts). */
  readonly root: Uint8Array;
}

export interface CoderOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Calls that would make too many bytes wait reject with "busy", and calls after disposal with "closed". If a thread
 * dies during a call, the call rejects with "closed" too, but retryable, and another thread takes its place.
 * "out-of-memory", and the reasons why a thread could not be started ("unsupported", "unreachable"), concern one call
 * only. An aborted signal makes its call reject with "cancelled" at once. Counts and lengths outside of the limits are
 * bugs of the caller.
 */
export interface Coder extends AsyncDisposable {
  /** Number of threads, at least 1. Two calls for each keep all of them busy; further calls only wait. */
  readonly lanes: number;
  /** Computes everything that storing a stripe needs, in one call. Shards may be empty. */
  encode(data: readonly Bytes[], parityCount: number, options?: CoderOptions): Promise<CodedStripe>;
  /**
   * The wanted shards, by number, of a stripe of which at least `k` shards are given. Missing shards are computed;
   * given ones are returned. Nothing is checked: wrong shards, or shards of different stripes, give wrong results.
   */
  reconstruct(
    k: number,
    shards: ReadonlyMap<number, Bytes>,
    want: readonly number[],
    options?: CoderOptions,
  ): Promise<Map<number, Uint8Array>>;
  /** SHA-256 of each piece. Only borrows the bytes, which must not change until it settles. */
  hash(pieces: readonly Bytes[], options?: CoderOptions): Promise<Uint8Array[]>;
}

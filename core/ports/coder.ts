/**
 * Erasure coding and hashing of stripes, away from the caller's thread where the platform has others. A stripe is k data
 * shards and what parity is coded from them, all of one length; any k of its shards give it back (disk/code/matrix.ts).
 *
 * Ownership: `encode` and `reconstruct` take the bytes that they are given, and what they resolve to is the caller's alone.
 * Bytes that fill a buffer of their own are moved to another thread without a copy, which leaves the caller's array empty;
 * a part of a larger buffer is copied, and the buffer stays. Either way, do not touch what you gave, even if the call fails.
 */
import type { Bytes } from "../base/bytes.ts";

/** Shards of a stripe: the largest swarm's layout has 64, on two devices each. A proof in a tree over 128 has 7 hashes. */
export const SHARDS_MAX = 128;
/** Data shards of a stripe. Each is fetched from another device, so that more would cost more than they gain. */
export const DATA_SHARDS_MAX = 64;
/** Longest shard: IPFS's chunk, and a stripe of 64 data shards stays at 16 MiB. */
export const SHARD_BYTES_MAX: number = 256 * 1024;

export interface CodedStripe {
  /** All shards by their number: the data as it was given, then the parity. */
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
 * Calls that would make too many bytes wait reject with "busy", those after disposal with "closed". If a thread dies over
 * a call, the call rejects with "closed" too, but retryable, and another thread takes its place; "out-of-memory" and what
 * a thread could not be started for ("unsupported", "unreachable") concern one call only. A signal makes its call
 * reject with "cancelled" at once. Counts and lengths outside of the limits are bugs of the caller.
 */
export interface Coder extends AsyncDisposable {
  /** Threads, at least 1. Two calls for each keep all of them busy; more only wait. */
  readonly lanes: number;
  /** Everything that storing a stripe needs, in one hop. Shards may be empty. */
  encode(data: readonly Bytes[], parityCount: number, options?: CoderOptions): Promise<CodedStripe>;
  /**
   * The wanted shards of a stripe of which at least `k` are given, by number: what is missing is computed, what was given
   * is given back. Nothing is checked: shards that are wrong, or of different stripes, make wrong ones.
   */
  reconstruct(
    k: number,
    shards: ReadonlyMap<number, Bytes>,
    want: readonly number[],
    options?: CoderOptions,
  ): Promise<Map<number, Uint8Array>>;
  /** SHA-256 of each. Only borrows the bytes, which must not change until it settles. */
  hash(pieces: readonly Bytes[], options?: CoderOptions): Promise<Uint8Array[]>;
}

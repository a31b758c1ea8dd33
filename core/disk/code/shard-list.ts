/**
 * How a content is cut into stripes and shards, and the list of hashes by which each of its bytes is checked.
 *
 * A stripe is k consecutive leaves of the file. Each leaf is a data shard, so its hash is in the file's DAG. Only a
 * shorter last stripe is cut differently: into k shards of the same length, padded with zeros, so that small contents
 * cost no more than large ones. The list holds the digests of all leaves, and then for each stripe the hashes of the
 * shards that are not leaves. Its length follows from size and code. With the list, every shard can be checked alone.
 * So shards need no proofs of their own; a parity shard costs 32 bytes of list instead.
 */
import type { Bytes } from "../../base/bytes.ts";
import { assert } from "../../base/assert.ts";
import { dagShape, leafCount, type Run } from "../content/dag-shape.ts";
import { DIGEST_BYTES, LEAF_BYTES } from "../content/limits.ts";
import type { Layout } from "./layout.ts";

/** A content of one size under one code. */
export interface Cut {
  readonly sizeBytes: number;
  readonly code: Layout;
}

export interface Stripe {
  readonly index: number;
  /** Its bytes in the content. */
  readonly run: Run;
  readonly shardBytes: number;
  /** Whether its data shards are leaves. */
  readonly isLeaves: boolean;
}

export function stripeCount({ sizeBytes, code }: Cut): number {
  return Math.max(1, Math.ceil(sizeBytes / (code.k * LEAF_BYTES)));
}

export function stripeOf(cut: Cut, index: number): Stripe {
  const { k } = cut.code;
  const start = index * k * LEAF_BYTES;
  const end = Math.min(cut.sizeBytes, start + k * LEAF_BYTES);
  const shardBytes = Math.ceil((end - start) / k);
  return { index, run: { start, end }, shardBytes, isLeaves: k === 1 || end - start === k * LEAF_BYTES };
}

/** Bytes of the list of a content. */
export function listBytes(cut: Cut): number {
  const { k, n } = cut.code;
  const stripes = stripeCount(cut);
  const last = stripeOf(cut, stripes - 1);
  const leaves = leafCount(dagShape(cut.sizeBytes));
  return (leaves + stripes * (n - k) + (last.isLeaves ? 0 : k)) * DIGEST_BYTES;
}

/** The leaves of a stripe, as they are in the file. */
export function leavesOfStripe(cut: Cut, index: number): Run {
  const leaves = leafCount(dagShape(cut.sizeBytes));
  return { start: index * cut.code.k, end: Math.min(leaves, (index + 1) * cut.code.k) };
}

export class ShardList {
  readonly cut: Cut;
  readonly bytes: Uint8Array;
  readonly #leaves: number;

  constructor(cut: Cut, bytes: Uint8Array) {
    assert(bytes.length === listBytes(cut), "a list as long as size and code want it");
    this.cut = cut;
    this.bytes = bytes;
    this.#leaves = leafCount(dagShape(cut.sizeBytes));
  }

  /** The digests of all leaves. */
  get leafDigests(): Uint8Array {
    return this.bytes.subarray(0, this.#leaves * DIGEST_BYTES);
  }

  /** The SHA-256 of a shard. */
  hashOf(stripe: number, shard: number): Uint8Array {
    const { k, n } = this.cut.code;
    const isLeaf = shard < k && stripeOf(this.cut, stripe).isLeaves;
    // Stripes whose data shards are no leaves come last, so all before have n - k hashes.
    const isWhole = stripeOf(this.cut, stripe).isLeaves;
    const at = isLeaf ? stripe * k + shard : this.#leaves + stripe * (n - k) + (isWhole ? shard - k : shard);
    return this.bytes.subarray(at * DIGEST_BYTES, (at + 1) * DIGEST_BYTES);
  }
}

/** The data shards of bytes that are no whole leaves. */
export function splitEvenly(bytes: Bytes, k: number): Uint8Array[] {
  const shardBytes = Math.ceil(bytes.length / k);
  return Array.from({ length: k }, (_, i) => {
    const shard = new Uint8Array(shardBytes);
    shard.set(bytes.subarray(i * shardBytes, (i + 1) * shardBytes));
    return shard;
  });
}

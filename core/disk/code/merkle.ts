/**
 * The Merkle tree of RFC 9162, section 2.1, over the SHA-256 of a stripe's shards: its root describes the stripe, and
 * each shard proves by a few hashes that it belongs to it. Hashes of entries and of nodes begin with different bytes,
 * so that none can pass for the other. The root does not prove the count of entries: keep the count beside the root.
 */
import { assert } from "../../base/assert.ts";
import { type Bytes, concat, equal } from "../../base/bytes.ts";

export type Sha256 = (message: Bytes) => Uint8Array;

export interface MerkleClaim {
  readonly root: Bytes;
  /** Entries of the tree. */
  readonly count: number;
  readonly index: number;
  /** The claimed leaf at `index`. */
  readonly entry: Bytes;
  readonly proof: readonly Bytes[];
}

const LEAF: Uint8Array = Uint8Array.of(0);
const NODE: Uint8Array = Uint8Array.of(1);

/** The root over at least one entry. */
export function merkleRoot(entries: readonly Bytes[], sha256: Sha256): Uint8Array {
  assert(entries.length > 0, "a Merkle tree has entries");
  const [only] = entries;
  if (entries.length === 1 && only !== undefined) return sha256(concat([LEAF, only]));
  const left = leftCount(entries.length);
  return nodeOf(merkleRoot(entries.slice(0, left), sha256), merkleRoot(entries.slice(left), sha256), sha256);
}

/** The hashes that lead from the entry at `index` to the root, the lowest first (section 2.1.3.1). */
export function merkleProof(entries: readonly Bytes[], index: number, sha256: Sha256): Uint8Array[] {
  assert(index >= 0 && index < entries.length, "the proof is for an entry of the tree");
  if (entries.length === 1) return [];
  const left = leftCount(entries.length);
  const [low, high] = [entries.slice(0, left), entries.slice(left)];
  return index < left
    ? [...merkleProof(low, index, sha256), merkleRoot(high, sha256)]
    : [...merkleProof(high, index - left, sha256), merkleRoot(low, sha256)];
}

/** Whether the proof leads from the entry to the root (section 2.1.3.2). False for anything malformed; never throws. */
export function merkleVerify(claim: MerkleClaim, sha256: Sha256): boolean {
  const { root, count, index, entry, proof } = claim;
  if (!(Number.isSafeInteger(count) && Number.isSafeInteger(index) && index >= 0 && index < count)) return false;
  let hash = sha256(concat([LEAF, entry]));
  let [place, last] = [index, count - 1];
  for (const other of proof) {
    if (last === 0) return false;
    if (place % 2 === 1 || place === last) {
      hash = nodeOf(other, hash, sha256);
      // A node without a right neighbour goes up unchanged until it is itself a right child.
      while (place % 2 === 0 && place > 0) [place, last] = [place / 2, Math.floor(last / 2)];
    } else {
      hash = nodeOf(hash, other, sha256);
    }
    [place, last] = [Math.floor(place / 2), Math.floor(last / 2)];
  }
  return last === 0 && equal(hash, root);
}

/** Entries in the left half of a tree of `count`: the largest power of two below it. */
function leftCount(count: number): number {
  return 2 ** (31 - Math.clz32(count - 1));
}

function nodeOf(left: Bytes, right: Bytes, sha256: Sha256): Uint8Array {
  return sha256(concat([NODE, left, right]));
}

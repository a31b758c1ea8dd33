/**
 * Files as UnixFS DAGs with the CIDs that `ipfs add --cid-version=1` gives; dag-shape.ts says how they are cut.
 *
 * Writing: `hashLeaves` cuts a stream into leaves and hashes them. The caller stores the bytes as they come, and keeps
 * the digest of each leaf. At the end `FileDag.of` makes the DAG of the digests, and the DAG gives the root CID.
 * Reading: `FileDag.verified` checks the kept digests against the root CID once. Then `FileDag.check` checks each leaf
 * against its digest, alone and in any order, so that reading a range touches only the leaves of that range.
 */
import { encode as encodePb, prepare } from "@ipld/dag-pb";
import { varint } from "multiformats";
import type { CID } from "multiformats/cid";
import { assert } from "../../base/assert.ts";
import { type Bytes, concat, equal } from "../../base/bytes.ts";
import { StarfishError, throwIfAborted } from "../../base/errors.ts";
import { type Block, cidOf, DAG_PB, type Hash, RAW } from "./block.ts";
import {
  bytesOf,
  childrenOf,
  type DagShape,
  dagShape,
  leafCount,
  type DagPosition,
  rootPosition,
} from "./dag-shape.ts";
import { hashAhead } from "./hash-ahead.ts";
import { DAG_BATCH_NODES, DIGEST_BYTES, LEAF_BYTES } from "./limits.ts";

/** A leaf of a file, named by `cidOf(RAW, digest)`. */
export interface Leaf {
  readonly bytes: Uint8Array;
  readonly digest: Uint8Array;
}

/**
 * The leaves of a stream in order; one of no bytes if it is empty. Reads ahead a few MiB, and no more however long the
 * stream is. The chunks of the source must not change afterwards: leaves share their memory where they can. Rejects
 * with what the source or the hash rejects with, and with "cancelled".
 */
export async function* hashLeaves(
  source: AsyncIterable<Uint8Array>,
  hash: Hash,
  { signal }: { signal?: AbortSignal } = {},
): AsyncGenerator<Leaf> {
  yield* hashAhead(leavesOfStream(source, signal), hash);
}

async function* leavesOfStream(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<{ readonly bytes: Uint8Array }> {
  let count = 0;
  for await (const bytes of cut(source)) {
    throwIfAborted(signal);
    count++;
    yield { bytes };
  }
  if (count === 0) yield { bytes: new Uint8Array(0) };
}

/** The stream in pieces of the size of a leaf, the last one shorter but never empty. */
export async function* cut(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let filled = 0;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + LEAF_BYTES - filled);
      parts.push(part);
      at += part.length;
      filled += part.length;
      if (filled < LEAF_BYTES) continue;
      yield join(parts);
      parts = [];
      filled = 0;
    }
  }
  if (filled > 0) yield join(parts);
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : concat(parts);
}

/**
 * The DAG of one file. Holds 32 bytes for each leaf, and a little for each inner node, whose bytes it makes on demand.
 */
export class FileDag {
  readonly shape: DagShape;
  /** The digests of all leaves, one after the other. */
  readonly digests: Uint8Array;
  /** The root, and so the identity of the file. */
  readonly root: CID;
  readonly #nodes: InnerNodes;

  private constructor(shape: DagShape, digests: Uint8Array, nodes: InnerNodes) {
    this.shape = shape;
    this.digests = digests;
    this.#nodes = nodes;
    this.root = nodes.cid(rootPosition(shape));
  }

  /** The DAG of a file of `sizeBytes` with leaves of these digests, 32 bytes each and as many as the size asks for. */
  static async of(sizeBytes: number, digests: Uint8Array, hash: Hash): Promise<FileDag> {
    const shape = dagShape(sizeBytes);
    assert(digests.length === leafCount(shape) * DIGEST_BYTES, "a digest for each leaf");
    const nodes = new InnerNodes(shape, digests);
    await nodes.fill(hash);
    return new FileDag(shape, digests, nodes);
  }

  /** The same for digests and a size from elsewhere. Rejects with "corrupt" if they do not belong to `root`. */
  static async verified(root: CID, sizeBytes: number, digests: Uint8Array, hash: Hash): Promise<FileDag> {
    const isPossible = Number.isSafeInteger(sizeBytes) && sizeBytes >= 0;
    if (isPossible && digests.length === leafCount(dagShape(sizeBytes)) * DIGEST_BYTES) {
      const dag = await FileDag.of(sizeBytes, digests, hash);
      if (dag.root.equals(root)) return dag;
    }
    throw new StarfishError("corrupt", `These are not the leaves of the file ${root.toString()}`);
  }

  /** The CID of a leaf or an inner node. */
  cid(place: DagPosition): CID {
    return this.#nodes.cid(place);
  }

  /** An inner node (level 1 and above). */
  node(place: DagPosition): Block {
    return { cid: this.cid(place), bytes: this.#nodes.encode(place) };
  }

  /** Rejects with "corrupt" unless `leaves` belong to the file, from leaf `first` on. */
  async check(first: number, leaves: readonly Uint8Array[], hash: Hash): Promise<void> {
    assert(first >= 0 && first + leaves.length <= leafCount(this.shape), "leaves within the file");
    const digests = await hash(leaves);
    for (let i = 0; i < leaves.length; i++) {
      const { start, end } = bytesOf(this.shape, { level: 0, index: first + i });
      const digest = digests[i];
      assert(digest !== undefined, "a digest for each leaf");
      // A raw leaf of another length would have another digest, except one whose size was declared wrong.
      if (leaves[i]?.length === end - start && equal(digest, digestAt(this.digests, first + i))) continue;
      throw new StarfishError("corrupt", `Bytes ${start} to ${end} of ${this.root.toString()} do not match their hash`);
    }
  }
}

/** The inner nodes of a DAG: digests and total sizes of all levels above the leaves. */
class InnerNodes {
  readonly #shape: DagShape;
  /** By level, the digests of its nodes one after the other. */
  readonly #digests: Uint8Array[];
  /** By level, for each node the bytes of its block and of all below it. */
  readonly #totals: number[][] = [[]];

  constructor(shape: DagShape, leafDigests: Uint8Array) {
    this.#shape = shape;
    this.#digests = [leafDigests];
  }

  async fill(hash: Hash): Promise<void> {
    for (let level = 1; level < this.#shape.levels.length; level++) {
      const count = this.#shape.levels[level] ?? 0;
      const digests = new Uint8Array(count * DIGEST_BYTES);
      const totals: number[] = [];
      for (let first = 0; first < count; first += DAG_BATCH_NODES) {
        const blocks: Uint8Array[] = [];
        for (let index = first; index < Math.min(first + DAG_BATCH_NODES, count); index++) {
          const bytes = this.encode({ level, index });
          const { start, end } = childrenOf(this.#shape, { level, index });
          let total = bytes.length;
          for (let child = start; child < end; child++) total += this.#total({ level: level - 1, index: child });
          totals.push(total);
          blocks.push(bytes);
        }
        digests.set(concat(await hash(blocks)), first * DIGEST_BYTES);
      }
      this.#digests.push(digests);
      this.#totals.push(totals);
    }
  }

  cid({ level, index }: DagPosition): CID {
    return cidOf(level === 0 ? RAW : DAG_PB, digestAt(this.#digests[level] ?? new Uint8Array(0), index));
  }

  encode(place: DagPosition): Uint8Array {
    const { start, end } = childrenOf(this.#shape, place);
    const sizes: number[] = [];
    const links: { Name: string; Hash: CID; Tsize: number }[] = [];
    for (let index = start; index < end; index++) {
      const child = { level: place.level - 1, index };
      const span = bytesOf(this.#shape, child);
      sizes.push(span.end - span.start);
      links.push({ Name: "", Hash: this.cid(child), Tsize: this.#total(child) });
    }
    return encodePb(prepare({ Data: fileData(sizes), Links: links }));
  }

  #total(place: DagPosition): number {
    const { start, end } = bytesOf(this.#shape, place);
    return place.level === 0 ? end - start : (this.#totals[place.level]?.[place.index] ?? 0);
  }
}

/**
 * The UnixFS part of an inner node: that it is of a file, the bytes below it, and below each child (protobuf; fields 1,
 * 3 and 4 of the specification's `Data`). ipfs-unixfs 13.1 can write this too, but for sizes of 2 to 4 GiB it writes
 * stray bytes of memory.
 */
function fileData(sizes: readonly number[]): Uint8Array {
  const bytes: number[] = [];
  const field = (number: number, value: number): void => {
    bytes.push(number << 3, ...varint.encodeTo(value, new Uint8Array(varint.encodingLength(value))));
  };
  field(1, 2);
  field(
    3,
    sizes.reduce((sum, size) => sum + size, 0),
  );
  for (const size of sizes) field(4, size);
  return Uint8Array.from(bytes);
}

function digestAt(digests: Bytes, index: number): Uint8Array {
  const digest = digests.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES);
  assert(digest.length === DIGEST_BYTES, `no node ${index}`);
  return digest;
}

/** CIDs against those of the reference importer, and what else importing a stream promises. */
import { decode as decodePb } from "@ipld/dag-pb";
import * as fc from "fast-check";
import { UnixFS } from "ipfs-unixfs";
import { importer } from "ipfs-unixfs-importer";
import { fixedSize } from "ipfs-unixfs-importer/chunker";
import { balanced } from "ipfs-unixfs-importer/layout";
import type { CID } from "multiformats/cid";
import { describe, expect, it } from "vitest";
import { chunked, collect, pattern, repeated, streamOf, webHash } from "../../../test/fixtures/content.ts";
import { concat, equal } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import type { Hash } from "./block.ts";
import { dagShape, leafCount, rootPosition } from "./dag-shape.ts";
import { DIGEST_BYTES, HASH_BATCH_BYTES, HASH_BATCHES_IN_FLIGHT, LEAF_BYTES } from "./limits.ts";
import { cut, FileDag, hashLeaves } from "./unixfs.ts";

const KIB = 1_024;
const MIB = 1_048_576;

async function dagOf(source: AsyncIterable<Uint8Array>, hash = webHash): Promise<FileDag> {
  const digests: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const leaf of hashLeaves(source, hash)) {
    digests.push(leaf.digest);
    sizeBytes += leaf.bytes.length;
  }
  return FileDag.of(sizeBytes, concat(digests), hash);
}

/** What the importer of IPFS makes with the settings of `ipfs add --cid-version=1`: the root and all blocks. */
async function reference(content: AsyncIterable<Uint8Array>): Promise<{ root: string; blocks: Map<string, number> }> {
  const blocks = new Map<string, number>();
  const store = {
    put: async (cid: CID, bytes: Uint8Array) => {
      blocks.set(cid.toString(), bytes.length);
      return cid;
    },
  };
  let root = "";
  const options = {
    cidVersion: 1 as const,
    rawLeaves: true,
    reduceSingleLeafToSelf: true,
    chunker: fixedSize({ chunkSize: 262_144 }),
    layout: balanced({ maxChildrenPerNode: 174 }),
  };
  for await (const entry of importer([{ content }], store, options)) root = entry.cid.toString();
  return { root, blocks };
}

describe("the CID of a file", () => {
  const inputs: readonly [string, () => AsyncIterable<Uint8Array>][] = [
    ["an empty file", () => streamOf()],
    ["1 byte", () => repeated(1, 7)],
    ["4 KiB", () => chunked(pattern(4 * KIB))],
    ["256 KiB - 1", () => chunked(pattern(256 * KIB - 1))],
    ["256 KiB", () => chunked(pattern(256 * KIB))],
    ["256 KiB + 1", () => chunked(pattern(256 * KIB + 1))],
    ["1 MiB", () => chunked(pattern(MIB))],
    ["1 MiB of zeros", () => repeated(MIB, 0)],
    ["174 leaves", () => repeated(174 * LEAF_BYTES, 1)],
    ["174 leaves + 1 byte", () => repeated(174 * LEAF_BYTES + 1, 1)],
    ["100 MiB", () => chunked(pattern(100 * MIB), MIB + 1)],
    ["100 MiB of zeros", () => repeated(100 * MIB, 0)],
  ];

  it.each(inputs)("of %s is that of IPFS", async (_, input) => {
    const dag = await dagOf(input());
    const expected = await reference(input());
    expect(dag.root.toString()).toBe(expected.root);
    for (const [level, count] of dag.shape.levels.entries()) {
      for (let index = 0; index < count; index++) {
        const cid = dag.cid({ level, index }).toString();
        expect(expected.blocks.has(cid)).toBe(true);
        if (level > 0) expect(dag.node({ level, index }).bytes.length).toBe(expected.blocks.get(cid));
      }
    }
  });

  it("is what the world knows it as", async () => {
    const known = async (source: AsyncIterable<Uint8Array>): Promise<string> => (await dagOf(source)).root.toString();
    expect(await known(streamOf())).toBe("bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku");
    expect(await known(repeated(MIB, 0))).toBe("bafybeiggzq4ryi7hscq5hzvzcnk4urnxt3asp37dhgvnjilf7exskximla");
  });

  it("of more leaves than two levels hold is that of IPFS", async () => {
    // 174 x 174 leaves and one: 7.4 GiB of zeros are one digest over and over.
    const leaves = 174 * 174 + 1;
    const [digest = new Uint8Array(0)] = await webHash([new Uint8Array(LEAF_BYTES)]);
    const dag = await FileDag.of(leaves * LEAF_BYTES, concat(Array.from({ length: leaves }, () => digest)), webHash);
    expect(dag.shape.levels).toEqual([leaves, 175, 2, 1]);
    expect(dag.root.toString()).toBe("bafybeibqr5nnenx3ea57tdg3kla3rkb7hvbv7meogyxrubwrc5vmicaw5u");
  });
});

describe("the leaves of a stream", () => {
  it("do not depend on how it came in chunks", async () => {
    const bytes = pattern(LEAF_BYTES * 2 + 100);
    const sizes = fc.array(fc.integer({ min: 0, max: LEAF_BYTES + 5 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(sizes, async (sizes) => {
        async function* source(): AsyncGenerator<Uint8Array> {
          let at = 0;
          for (const size of sizes) yield bytes.subarray(at, (at += size));
          if (at < bytes.length) yield bytes.subarray(at);
        }
        const leaves = await Array.fromAsync(cut(source()));
        expect(leaves.map((leaf) => leaf.length)).toEqual([LEAF_BYTES, LEAF_BYTES, 100]);
        expect(equal(concat(leaves), bytes)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it("keep their order, in whichever order the hash answers", async () => {
    const waiting: (() => void)[] = [];
    const late: Hash = async (pieces) => {
      const digests = await webHash(pieces);
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        // The last call of those that may be under way answers first.
        if (waiting.length === HASH_BATCHES_IN_FLIGHT) for (const answer of waiting.splice(0).reverse()) answer();
      });
      return digests;
    };
    const bytes = pattern(HASH_BATCH_BYTES * HASH_BATCHES_IN_FLIGHT);
    const leaves = await Array.fromAsync(hashLeaves(chunked(bytes), late));
    expect(equal(concat(leaves.map((leaf) => leaf.bytes)), bytes)).toBe(true);
    expect(concat(leaves.map((leaf) => leaf.digest))).toEqual(concat(await webHash(leaves.map((leaf) => leaf.bytes))));
  });

  it("are read ahead by no more than a few MiB", async () => {
    let read = 0;
    async function* source(): AsyncGenerator<Uint8Array> {
      for (;;) {
        read += MIB;
        yield new Uint8Array(MIB);
      }
    }
    let taken = 0;
    for await (const leaf of hashLeaves(source(), webHash)) {
      taken += leaf.bytes.length;
      expect(read - taken).toBeLessThanOrEqual(HASH_BATCH_BYTES * (HASH_BATCHES_IN_FLIGHT + 1));
      if (taken > 40 * MIB) break;
    }
    expect(taken).toBeGreaterThan(40 * MIB);
  });

  it("end with the error of their source, and when told to", async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(3 * MIB);
      throw new StarfishError("io", "the cable is out");
    }
    await expect(dagOf(broken())).rejects.toMatchObject({ code: "io" });
    const signal = AbortSignal.abort();
    const leaves = hashLeaves(repeated(MIB, 0), webHash, { signal });
    await expect(leaves.next()).rejects.toMatchObject({ code: "cancelled" });
  });

  it("fail with the hash", async () => {
    let calls = 0;
    const failing: Hash = async (pieces) => {
      if (++calls > 2) throw new StarfishError("busy", "no thread left");
      return webHash(pieces);
    };
    await expect(dagOf(repeated(20 * MIB, 0), failing)).rejects.toMatchObject({ code: "busy" });
  });
});

describe("what somebody kept of a file", () => {
  const bytes = pattern(LEAF_BYTES * 3 + 10);

  it("is checked against its CID", async () => {
    const dag = await dagOf(chunked(bytes));
    const again = await FileDag.verified(dag.root, bytes.length, dag.digests, webHash);
    expect(again.node({ level: 1, index: 0 })).toEqual(dag.node({ level: 1, index: 0 }));
    const wrong: [number, Uint8Array][] = [
      [bytes.length - 1, dag.digests],
      [bytes.length + LEAF_BYTES, dag.digests],
      [-1, dag.digests],
      [Number.NaN, dag.digests],
      [bytes.length, dag.digests.subarray(DIGEST_BYTES)],
      [bytes.length, dag.digests.map((byte, i) => (i === 40 ? byte ^ 1 : byte))],
    ];
    for (const [sizeBytes, digests] of wrong) {
      await expect(FileDag.verified(dag.root, sizeBytes, digests, webHash)).rejects.toMatchObject({ code: "corrupt" });
    }
  });

  it("proves each leaf alone", async () => {
    const dag = await dagOf(chunked(bytes));
    const leaves = await Array.fromAsync(cut(chunked(bytes)));
    expect(leafCount(dag.shape)).toBe(leaves.length);
    await dag.check(1, leaves.slice(1, 3), webHash);
    await dag.check(3, leaves.slice(3), webHash);
    const flipped = leaves.map((leaf) => leaf.map((byte, i) => (i === 9 ? byte ^ 1 : byte)));
    await expect(dag.check(2, flipped.slice(2), webHash)).rejects.toMatchObject({ code: "corrupt" });
    await expect(dag.check(0, leaves.slice(1, 2), webHash)).rejects.toMatchObject({ code: "corrupt" });
  });

  it("does not pass with a wrong size where a single leaf is the whole file", async () => {
    const one = await dagOf(repeated(100, 1));
    const claimed = await FileDag.verified(one.root, 99, one.digests, webHash);
    await expect(claimed.check(0, [await collect(repeated(100, 1))], webHash)).rejects.toMatchObject({
      code: "corrupt",
    });
  });
});

it.each([2 ** 31 - 1, 2 ** 31, 3 * 2 ** 30 + 5, 2 ** 32 - 1, 2 ** 32, 9 * 2 ** 30])(
  "a root says how many bytes are below it: %i",
  async (sizeBytes) => {
    const dag = await FileDag.of(sizeBytes, new Uint8Array(leafCount(dagShape(sizeBytes)) * DIGEST_BYTES), webHash);
    const { Data = new Uint8Array(0), Links } = decodePb(dag.node(rootPosition(dag.shape)).bytes);
    const unixfs = UnixFS.unmarshal(Data);
    expect(unixfs.fileSize()).toBe(BigInt(sizeBytes));
    expect(unixfs.blockSizes).toHaveLength(Links.length);
    expect(unixfs.blockSizes.reduce((sum, bytes) => sum + bytes, 0n)).toBe(BigInt(sizeBytes));
  },
);

/** CARs against @ipld/car and the exporter of IPFS, and CARs that others made. */
import { CarReader } from "@ipld/car/reader";
import { UnixFS } from "ipfs-unixfs";
import { exporter } from "ipfs-unixfs-exporter";
import { type ImporterOptions, importer } from "ipfs-unixfs-importer";
import { fixedSize } from "ipfs-unixfs-importer/chunker";
import { trickle } from "ipfs-unixfs-importer/layout";
import { CID } from "multiformats/cid";
import { create as createDigest } from "multiformats/hashes/digest";
import { describe, expect, it } from "vitest";
import { blockOf, carFile, carOf, dagOf, nodeOf, onlyFile, packed, unpack } from "../../../test/fixtures/car.ts";
import { chunked, collect, pattern, webHash } from "../../../test/fixtures/content.ts";
import { concat, equal, utf8 } from "../../base/bytes.ts";
import { type Block, RAW } from "./block.ts";
import { CarStream, openCar, readCar, writeCar } from "./car.ts";
import { CAR_WINDOW_BYTES, LEAF_BYTES } from "./limits.ts";
import { bytesAccess } from "./random-access.ts";
import { cut } from "./unixfs.ts";

/** Reads the file both ways. */
async function readBack(car: Uint8Array): Promise<Uint8Array[]> {
  await using stream = await CarStream.open(chunked(car), webHash);
  const file = await openCar(bytesAccess(car), webHash);
  const results: Uint8Array[] = [];
  for (const blocks of [stream, file]) {
    const [root] = blocks.roots;
    if (root === undefined) throw new Error("no root");
    const { entry, bytes } = await onlyFile(root, blocks);
    expect(entry.sizeBytes).toBe(bytes.length);
    results.push(bytes);
  }
  return results;
}

describe("a file as a CAR", () => {
  const sizes = [0, 1, LEAF_BYTES, LEAF_BYTES + 1, 175 * LEAF_BYTES];

  it.each(sizes)("of %d bytes is read by IPFS's tools", async (sizeBytes) => {
    const bytes = pattern(sizeBytes);
    const dag = await dagOf(bytes);
    const car = await CarReader.fromBytes(await carOf(bytes));
    expect((await car.getRoots()).map(String)).toEqual([dag.root.toString()]);
    const store = {
      async *get(cid: CID): AsyncGenerator<Uint8Array> {
        const block = await car.get(cid);
        if (block !== undefined) yield block.bytes;
      },
    };
    const entry = await exporter(dag.root, store);
    if (entry.type !== "file" && entry.type !== "raw") throw new Error(`not a file but a ${entry.type}`);
    expect(equal(await collect(entry.content()), bytes)).toBe(true);
  });

  it.each(sizes)("of %d bytes comes back both ways", async (sizeBytes) => {
    const bytes = pattern(sizeBytes);
    const [streamed, indexed] = await readBack(await carOf(bytes));
    expect(streamed && equal(streamed, bytes)).toBe(true);
    expect(indexed && equal(indexed, bytes)).toBe(true);
  });

  it("has its blocks depth first, and each once", async () => {
    const bytes = concat([pattern(LEAF_BYTES), new Uint8Array(LEAF_BYTES * 180), pattern(10)]);
    const dag = await dagOf(bytes);
    const car = await carOf(bytes);
    const { blocks } = await readCar(chunked(car), webHash);
    const order = (await Array.fromAsync(blocks)).map((block) => block.cid.toString());
    const place = (level: number, index: number): string => dag.cid({ level, index }).toString();
    const [root, left, right] = [place(2, 0), place(1, 0), place(1, 1)];
    expect(order).toEqual([root, left, place(0, 0), place(0, 1), right, place(0, 181)]);
    expect((await readBack(car)).map((back) => equal(back, bytes))).toEqual([true, true]);
  });

  it("is refused where the content has another length", async () => {
    const dag = await dagOf(pattern(LEAF_BYTES * 2));
    for (const sizeBytes of [0, LEAF_BYTES, LEAF_BYTES * 2 - 1, LEAF_BYTES * 2 + 1, LEAF_BYTES * 3]) {
      const car = writeCar(dag, chunked(pattern(sizeBytes)));
      await expect(collect(car)).rejects.toMatchObject({ code: "corrupt" });
    }
  });
});

describe("a CAR of others", () => {
  async function imported(
    files: Record<string, Uint8Array>,
    options: ImporterOptions,
  ): Promise<{ root: CID; car: Uint8Array }> {
    const blocks: Block[] = [];
    const store = {
      put: async (cid: CID, bytes: Uint8Array) => {
        blocks.push({ cid, bytes });
        return cid;
      },
    };
    const source = Object.entries(files).map(([path, bytes]) => ({ path, content: chunked(bytes) }));
    let root: CID | undefined;
    for await (const entry of importer(source, store, options)) root = entry.cid;
    if (root === undefined) throw new Error("nothing imported");
    return { root, car: await packed([root], blocks) };
  }

  it("is read whatever its cut, layout, leaves and version", async () => {
    const bytes = pattern(50_000);
    const kinds: ImporterOptions[] = [
      { cidVersion: 0, rawLeaves: false },
      { cidVersion: 1, rawLeaves: false, chunker: fixedSize({ chunkSize: 999 }) },
      {
        cidVersion: 1,
        rawLeaves: true,
        chunker: fixedSize({ chunkSize: 1_000 }),
        layout: trickle({ maxChildrenPerNode: 3 }),
      },
    ];
    for (const options of kinds) {
      const { root, car } = await imported({ "a.bin": bytes }, options);
      const blocks = await openCar(bytesAccess(car), webHash);
      const { bytes: back } = await onlyFile(root, blocks);
      expect(equal(back, bytes)).toBe(true);
    }
  });

  it.each([false, true])("gives its folders (sharded: %s)", async (isSharded) => {
    const files: Record<string, string> = { "top/b/c": "deep", "top/b/e": "" };
    for (let i = 0; i < 300; i++) files[`top/file ${i}.txt`] = `content ${i}`;
    const bytes = Object.fromEntries(Object.entries(files).map(([path, content]) => [path, utf8(content)]));
    const shardSplitThresholdBytes = isSharded ? 10 : 1_000_000;
    const { root, car } = await imported(bytes, { cidVersion: 1, rawLeaves: true, shardSplitThresholdBytes });
    const found = await unpack(root, await openCar(bytesAccess(car), webHash));
    const expected = Object.entries(files).map(([path, content]) => [path.slice("top/".length), content]);
    expect(found).toEqual({ "": "folder", b: "folder", ...Object.fromEntries(expected) });
  });

  it("may be of version 2", async () => {
    const bytes = pattern(LEAF_BYTES * 2);
    const inner = await carOf(bytes);
    const pragma = Uint8Array.of(0x0a, 0xa1, 0x67, ...utf8("version"), 0x02);
    const header = new DataView(new ArrayBuffer(40));
    header.setBigUint64(16, 100n, true);
    header.setBigUint64(24, BigInt(inner.length), true);
    const gap = new Uint8Array(100 - 40 - pragma.length);
    const car = concat([pragma, new Uint8Array(header.buffer), gap, inner, pattern(1_000)]);
    expect((await readBack(car)).map((back) => equal(back, bytes))).toEqual([true, true]);
  });

  it("is read as a stream within a window, and says so where that is not enough", async () => {
    const far = await blockOf(RAW, pattern(1_000));
    const others: Block[] = [];
    for (let i = 0; i <= CAR_WINDOW_BYTES; i += 1 << 20) others.push(await blockOf(RAW, pattern(1 << 20, i + 2)));
    const leaves = [far, ...others, far];
    const blockSizes = leaves.map((leaf) => BigInt(leaf.bytes.length));
    const root = await nodeOf(
      new UnixFS({ type: "file", blockSizes }),
      leaves.map((block) => ({ block })),
    );
    const car = await packed([root.cid], [root, far, ...others]);
    const { bytes } = await onlyFile(root.cid, await openCar(bytesAccess(car), webHash));
    expect(bytes.length).toBe((1 << 20) * others.length + 2_000);
    await using stream = await CarStream.open(chunked(car, 1 << 20), webHash);
    await expect(onlyFile(root.cid, stream)).rejects.toMatchObject({ code: "not-found" });
  });

  it("says what is missing", async () => {
    const bytes = pattern(LEAF_BYTES * 3);
    const dag = await dagOf(bytes);
    const [first = bytes] = await Array.fromAsync(cut(chunked(bytes)));
    const car = await packed([dag.root], [dag.node({ level: 1, index: 0 }), await blockOf(RAW, first)]);
    await expect(readBack(car)).rejects.toMatchObject({ code: "not-found" });
    await expect(onlyFile(dag.root, await openCar(bytesAccess(car), webHash))).rejects.toMatchObject({
      code: "not-found",
    });
  });

  it("with a symbolic link names it", async () => {
    const link = await nodeOf(new UnixFS({ type: "symlink", data: utf8("/etc/passwd") }), []);
    const root = await nodeOf(new UnixFS({ type: "directory" }), [{ name: "link", block: link }]);
    expect(await unpack(root.cid, await carFile(root, link))).toEqual({ "": "folder", link: "symlink" });
  });

  it("with nodes that are no files, that are missing or named by other hashes, gives the rest", async () => {
    const file = await blockOf(RAW, utf8("x"));
    const cbor = await blockOf(0x71, Uint8Array.of(0xa0));
    const gone = await blockOf(RAW, utf8("gone"));
    const sha512 = CID.createV1(RAW, createDigest(0x13, new Uint8Array(64)));
    const other: Block = { cid: sha512, bytes: utf8("y") };
    const below = await nodeOf(new UnixFS({ type: "directory" }), [
      { name: "b", block: cbor },
      { name: "c", block: file },
    ]);
    const links = [
      { name: "a", block: cbor },
      { name: "d", block: below },
      { name: "e", block: gone },
      { name: "f", block: other },
      { name: "z", block: file },
    ];
    const root = await nodeOf(new UnixFS({ type: "directory" }), links);
    const car = await packed([root.cid], [root, cbor, below, file, other]);
    await using stream = await CarStream.open(chunked(car), webHash);
    for (const blocks of [stream, await openCar(bytesAccess(car), webHash)]) {
      expect(await unpack(root.cid, blocks)).toEqual({
        "": "folder",
        a: `The block ${cbor.cid.toString()} is no part of a file (codec 113)`,
        d: "folder",
        "d/b": `The block ${cbor.cid.toString()} is no part of a file (codec 113)`,
        "d/c": "x",
        e: expect.stringMatching(/lacks the block|is missing/),
        f: `The block ${sha512.toString()} is named by a hash other than SHA-256`,
        z: "x",
      });
    }
    await expect(unpack(cbor.cid, await openCar(bytesAccess(car), webHash))).rejects.toMatchObject({
      code: "unsupported",
    });
  });
});

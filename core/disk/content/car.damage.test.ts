/** CARs that are damaged, or made to do harm. */
import * as fc from "fast-check";
import { UnixFS } from "ipfs-unixfs";
import { describe, expect, it } from "vitest";
import { blockOf, carFile, carOf, dagOf, nodeOf, onlyFile, packed, unpack } from "../../../test/fixtures/car.ts";
import { chunked, pattern, repeated, streamOf, webHash } from "../../../test/fixtures/content.ts";
import { concat, equal, utf8 } from "../../base/bytes.ts";
import { RAW } from "./block.ts";
import { CarStream, openCar, readCar } from "./car.ts";
import { LEAF_BYTES } from "./limits.ts";
import { bytesAccess } from "./random-access.ts";

describe("a CAR that is broken", () => {
  const codes = ["malformed", "corrupt", "too-large", "not-found", "unsupported"];

  it("never gives other bytes than those of its root, however it is damaged", async () => {
    const bytes = pattern(LEAF_BYTES + 5_000);
    const car = await carOf(bytes);
    const dag = await dagOf(bytes);
    // Most of a CAR is content; what surrounds it is near the beginning.
    const at = fc.oneof(fc.nat(car.length - 1), fc.nat(300));
    await fc.assert(
      fc.asyncProperty(at, fc.integer({ min: 1, max: 255 }), fc.boolean(), async (at, flip, isCut) => {
        const damaged = isCut ? car.slice(0, at) : car.map((byte, i) => (i === at ? byte ^ flip : byte));
        const outcomes = [
          CarStream.open(chunked(damaged), webHash).then((stream) => onlyFile(dag.root, stream)),
          openCar(bytesAccess(damaged), webHash).then((file) => onlyFile(dag.root, file)),
        ];
        for (const outcome of await Promise.allSettled(outcomes)) {
          if (outcome.status === "fulfilled") expect(equal(outcome.value.bytes, bytes)).toBe(true);
          else expect(codes).toContain((outcome.reason as { code?: string }).code);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("does not make us gather what it claims to have", async () => {
    const header = await packed([(await blockOf(RAW, utf8("x"))).cid], []);
    // A section that claims 2^42 bytes, and a source without end.
    const claim = [new Uint8Array(6).fill(0x80), Uint8Array.of(0x01, 0x01, 0x55, 0x12, 0x20), new Uint8Array(32)];
    let read = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield concat([header, ...claim]);
      for (; ; read++) yield new Uint8Array(1 << 20);
    }
    const { blocks } = await readCar(endless(), webHash);
    await expect(blocks.next()).rejects.toMatchObject({ code: "too-large" });
    expect(read).toBeLessThan(4);
  });

  it("does not keep us busy with what holds nothing", async () => {
    let node = await nodeOf(new UnixFS({ type: "file" }), []);
    const blocks = [node];
    for (let level = 0; level < 40; level++) {
      const links = [{ block: node }, { block: node }];
      node = await nodeOf(new UnixFS({ type: "file", blockSizes: [0n, 0n] }), links);
      blocks.push(node);
    }
    const { bytes } = await onlyFile(node.cid, await openCar(bytesAccess(await packed([node.cid], blocks)), webHash));
    expect(bytes.length).toBe(0);
    let shard = await nodeOf(new UnixFS({ type: "hamt-sharded-directory", fanout: 256n }), []);
    const shards = [shard];
    for (let level = 0; level < 40; level++) {
      const links = [
        { name: "00", block: shard },
        { name: "01", block: shard },
      ];
      shard = await nodeOf(new UnixFS({ type: "hamt-sharded-directory", fanout: 256n }), links);
      shards.push(shard);
    }
    const car = await openCar(bytesAccess(await packed([shard.cid], shards)), webHash);
    await expect(unpack(shard.cid, car)).rejects.toMatchObject({ code: "malformed" });
  });

  it("does not write outside of where it is unpacked", async () => {
    const file = await blockOf(RAW, utf8("x"));
    for (const name of ["", ".", "..", "a/b", "../a", "a\0b"]) {
      const links = [
        { name, block: file },
        { name: "fine", block: file },
      ];
      const root = await nodeOf(new UnixFS({ type: "directory" }), links);
      const car = await carFile(root, file);
      const why = `a name that no file can have: ${JSON.stringify(name)}`;
      // The folder itself is found first, where the name is that of the folder.
      expect(await unpack(root.cid, car)).toEqual({ "": "folder", [name]: why, fine: "x" });
    }
  });

  it("is told from what lies about its sizes", async () => {
    const leaf = await blockOf(RAW, utf8("twelve bytes"));
    for (const blockSizes of [[], [11n], [12n, 1n], [2n ** 63n]]) {
      const root = await nodeOf(new UnixFS({ type: "file", blockSizes }), [{ block: leaf }]);
      const car = await carFile(root, leaf);
      await expect(onlyFile(root.cid, car)).rejects.toMatchObject({ code: "malformed" });
    }
  });

  it("is told from any other bytes", async () => {
    for (const bytes of [new Uint8Array(0), utf8("no CAR at all, but text"), pattern(10_000)]) {
      await expect(readCar(streamOf(bytes), webHash)).rejects.toMatchObject({
        code: expect.stringMatching(/malformed|too-large/),
      });
      await expect(openCar(bytesAccess(bytes), webHash)).rejects.toMatchObject({
        code: expect.stringMatching(/malformed|too-large/),
      });
    }
  });

  it("lets its source go", async () => {
    let isClosed = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield* chunked(await carOf(pattern(LEAF_BYTES * 20)));
        yield* repeated(1 << 30, 0);
      } finally {
        isClosed = true;
      }
    }
    {
      await using stream = await CarStream.open(source(), webHash);
      const [root] = stream.roots;
      if (root !== undefined) await stream.get(root);
      expect(isClosed).toBe(false);
    }
    expect(isClosed).toBe(true);
  });
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { concat } from "../../base/bytes.ts";
import { DIGEST_BYTES, LEAF_BYTES } from "../content/limits.ts";
import { layoutFor } from "./layout.ts";
import { leavesOfStripe, listBytes, ShardList, splitEvenly, stripeCount, stripeOf } from "./shard-list.ts";

const cuts = fc.record({
  sizeBytes: fc.oneof(fc.integer({ min: 0, max: 3 * LEAF_BYTES }), fc.integer({ min: 0, max: 300 * LEAF_BYTES })),
  code: fc.integer({ min: 1, max: 200 }).map(layoutFor),
});

test("stripes follow each other and hold the whole content, in shards of at most a leaf", () => {
  fc.assert(
    fc.property(cuts, (cut) => {
      let at = 0;
      for (let index = 0; index < stripeCount(cut); index++) {
        const stripe = stripeOf(cut, index);
        expect(stripe.run.start).toBe(at);
        at = stripe.run.end;
        expect(stripe.shardBytes).toBeLessThanOrEqual(LEAF_BYTES);
        expect(stripe.shardBytes * cut.code.k).toBeGreaterThanOrEqual(stripe.run.end - stripe.run.start);
        if (index < stripeCount(cut) - 1) expect(stripe.isLeaves).toBe(true);
      }
      expect(at).toBe(cut.sizeBytes);
    }),
  );
});

test("each hash of a list is that of one shard, and none is left over", () => {
  fc.assert(
    fc.property(cuts, (cut) => {
      // Each hash says where it stands.
      const count = listBytes(cut) / DIGEST_BYTES;
      const bytes = concat(
        Array.from({ length: count }, (_, i) => {
          const hash = new Uint8Array(DIGEST_BYTES);
          new DataView(hash.buffer).setUint32(0, i);
          return hash;
        }),
      );
      const list = new ShardList(cut, bytes);
      const seen = new Set<number>();
      for (let index = 0; index < stripeCount(cut); index++) {
        const { isLeaves } = stripeOf(cut, index);
        const { start } = leavesOfStripe(cut, index);
        for (let shard = 0; shard < cut.code.n; shard++) {
          const hash = list.hashOf(index, shard);
          const place = new DataView(hash.buffer, hash.byteOffset).getUint32(0);
          if (isLeaves && shard < cut.code.k) expect(place).toBe(start + shard);
          else expect(place).toBeGreaterThanOrEqual(list.leafDigests.length / DIGEST_BYTES);
          seen.add(place);
        }
        // Leaves of a stripe that is cut otherwise have digests too.
        if (!isLeaves) for (let leaf = start; leaf < leavesOfStripe(cut, index).end; leaf++) seen.add(leaf);
      }
      expect(seen.size).toBe(count);
    }),
  );
});

test("what is split evenly is whole again when put together", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), fc.integer({ min: 1, max: 64 }), (bytes, k) => {
      const shards = splitEvenly(bytes, k);
      expect(shards).toHaveLength(k);
      expect(new Set(shards.map(({ length }) => length)).size).toBe(1);
      expect(concat(shards).subarray(0, bytes.length)).toEqual(bytes);
    }),
  );
});

/** The laws of shapes: levels, spans and orders that fit together for every size. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  bytesOf,
  childrenOf,
  type DagShape,
  dagShape,
  depthFirst,
  leafCount,
  leavesOf,
  rootPosition,
} from "./dag-shape.ts";
import { LEAF_BYTES, LINKS_PER_NODE } from "./limits.ts";

/** Sizes of all magnitudes, and those around the edges of leaves and of full levels. */
const edges = fc
  .tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 1, max: 3 }), fc.integer({ min: -1, max: 1 }))
  .map(([level, times, off]) => LEAF_BYTES * LINKS_PER_NODE ** level * times + off);
const magnitudes = fc.integer({ min: 0, max: 50 }).chain((bits) => fc.integer({ min: 0, max: 2 ** bits }));
const sizes = fc.oneof(edges, magnitudes);
const smallSizes = fc.integer({ min: 0, max: LEAF_BYTES * LINKS_PER_NODE * 4 });

function placeIn(shape: DagShape, pick: number, level: number): { level: number; index: number } {
  return { level, index: Math.floor(pick * (shape.levels[level] ?? 0)) };
}

test("sizes around the first edges have the shapes that they should", () => {
  const levels = (sizeBytes: number): readonly number[] => dagShape(sizeBytes).levels;
  expect(levels(0)).toEqual([1]);
  expect(levels(1)).toEqual([1]);
  expect(levels(LEAF_BYTES)).toEqual([1]);
  expect(levels(LEAF_BYTES + 1)).toEqual([2, 1]);
  expect(levels(LEAF_BYTES * 174)).toEqual([174, 1]);
  expect(levels(LEAF_BYTES * 174 + 1)).toEqual([175, 2, 1]);
  expect(levels(LEAF_BYTES * 174 ** 2 + 1)).toEqual([174 ** 2 + 1, 175, 2, 1]);
  expect(levels(10 * 2 ** 30)).toEqual([40_960, 236, 2, 1]);
});

test("the children of a node hold exactly its bytes, and each child has one parent", () => {
  fc.assert(
    fc.property(sizes, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (sizeBytes, pick) => {
      const shape = dagShape(sizeBytes);
      expect(bytesOf(shape, rootPosition(shape))).toEqual({ start: 0, end: sizeBytes });
      for (let level = 1; level < shape.levels.length; level++) {
        const place = placeIn(shape, pick, level);
        const { start, end } = childrenOf(shape, place);
        expect(end - start).toBeGreaterThan(0);
        expect(end - start).toBeLessThanOrEqual(LINKS_PER_NODE);
        const bytes = bytesOf(shape, place);
        expect(bytesOf(shape, { level: level - 1, index: start }).start).toBe(bytes.start);
        expect(bytesOf(shape, { level: level - 1, index: end - 1 }).end).toBe(bytes.end);
        const isLast = place.index === (shape.levels[level] ?? 0) - 1;
        expect(end).toBe(isLast ? shape.levels[level - 1] : (place.index + 1) * LINKS_PER_NODE);
      }
    }),
  );
});

test("the leaves of a range are the fewest that hold it", () => {
  const unit = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(sizes, unit, unit, (sizeBytes, a, b) => {
      const shape = dagShape(sizeBytes);
      const start = Math.floor(Math.min(a, b) * sizeBytes);
      const end = Math.floor(Math.max(a, b) * sizeBytes);
      const leaves = leavesOf(shape, { start, end });
      if (start === end) {
        expect(leaves.end).toBe(leaves.start);
        return;
      }
      expect(leaves.end).toBeLessThanOrEqual(leafCount(shape));
      const first = bytesOf(shape, { level: 0, index: leaves.start });
      const last = bytesOf(shape, { level: 0, index: leaves.end - 1 });
      expect(first.start <= start && start < first.end).toBe(true);
      expect(last.start < end && end <= last.end).toBe(true);
    }),
  );
});

test("depth first, every place comes once, parents before children and leaves in order", () => {
  fc.assert(
    fc.property(smallSizes, (sizeBytes) => {
      const shape = dagShape(sizeBytes);
      const next = shape.levels.map(() => 0);
      const parents = new Set<string>();
      for (const { level, index } of depthFirst(shape)) {
        expect(index).toBe(next[level]);
        next[level] = index + 1;
        const parent = `${level + 1} ${Math.floor(index / LINKS_PER_NODE)}`;
        expect(level === shape.levels.length - 1 || parents.has(parent)).toBe(true);
        parents.add(`${level} ${index}`);
      }
      expect(next).toEqual(shape.levels);
    }),
    { numRuns: 20 },
  );
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { add, type Intervals, pieces } from "./intervals.ts";
import { operandsOf, readyOf } from "./tree.ts";

function reductions(count: number): number[] {
  return Array.from({ length: count - 1 }, (_, i) => count + i);
}

test("reductions take each result once, in order, and the last one has all", () => {
  for (let count = 1; count < 70; count++) {
    const texts = Array.from({ length: count }, (_, i) => `${i},`);
    const depth = texts.map(() => 0);
    for (const task of reductions(count)) {
      const [a, b] = operandsOf(task, count);
      texts[task] = `${texts[a]}${texts[b]}`;
      depth[task] = 1 + Math.max(depth[a] ?? 0, depth[b] ?? 0);
    }
    const last = 2 * count - 2;
    expect(texts[last]).toBe(Array.from({ length: count }, (_, i) => `${i},`).join(""));
    expect(depth[last]).toBe(Math.ceil(Math.log2(count)));
  }
});

test("a reduction can begin when both of its operands are done, and not before", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.infiniteStream(fc.boolean()), (count, coins) => {
      let done: Intervals = [];
      for (let task = 0; task < 2 * count - 1; task++) if (coins.next().value === true) done = add(done, task);
      const isDone = new Set([...pieces(done)].flatMap(([a, b]) => Array.from({ length: b - a }, (_, i) => a + i)));
      const ready = new Set(
        [...pieces(readyOf(count, done))].flatMap(([a, b]) => Array.from({ length: b - a }, (_, i) => a + i)),
      );
      for (let task = 0; task < count; task++) expect(ready.has(task)).toBe(true);
      for (const task of reductions(count)) {
        expect(ready.has(task)).toBe(operandsOf(task, count).every((operand) => isDone.has(operand)));
      }
    }),
  );
});

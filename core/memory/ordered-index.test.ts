/** The ordered index against a sorted list. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OrderedIndex, type Sum } from "./ordered-index.ts";

type Step = readonly [kind: "set" | "delete", key: string, a: number, b: number];
const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const key = fc.oneof(fc.string({ maxLength: 3 }), fc.integer({ min: 0, max: 2_000 }).map(String));
const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom("set" as const, "set" as const, "delete" as const),
  key,
  word,
  word,
);
const bound = fc.option(key, { nil: undefined });

function build(steps: readonly Step[]): { index: OrderedIndex; model: Map<string, readonly [number, number]> } {
  const index = new OrderedIndex();
  const model = new Map<string, readonly [number, number]>();
  for (const [kind, at, a, b] of steps) {
    if (kind === "set") {
      index.set(at, a, b);
      model.set(at, [a, b]);
    } else {
      expect(index.delete(at)).toBe(model.delete(at));
    }
  }
  return { index, model };
}

function between(model: ReadonlyMap<string, unknown>, from?: string, to?: string): string[] {
  const keys = [...model.keys()].sort((x, y) => (x < y ? -1 : 1));
  return keys.filter((at) => (from === undefined || at >= from) && (to === undefined || at < to));
}

/** Enough keys for many leaves, in random order, some of them deleted again. */
const large: fc.Arbitrary<Step[]> = fc
  .tuple(fc.integer({ min: 0, max: 3_000 }), fc.integer(), fc.array(step, { maxLength: 50 }))
  .map(([count, salt, steps]) => {
    const sets: Step[] = Array.from({ length: count }, (_, i) => [
      "set",
      String(Math.imul(i + 1, salt | 1) >>> 0),
      i,
      Math.imul(i, salt),
    ]);
    const deletes: Step[] = sets.filter((_, i) => ((i * salt) & 7) > 2).map(([, at]) => ["delete", at, 0, 0]);
    return [...sets, ...deletes, ...steps];
  });

describe("the ordered index", () => {
  test("counts and sums any range", () => {
    fc.assert(
      fc.property(fc.oneof(fc.array(step, { maxLength: 200 }), large), bound, bound, (steps, from, to) => {
        const { index, model } = build(steps);
        const expected: Sum = { count: 0, a: 0, b: 0 };
        for (const at of between(model, from, to)) {
          const [a, b] = model.get(at) ?? [0, 0];
          expected.count++;
          expected.a = (expected.a + a) | 0;
          expected.b = (expected.b + b) | 0;
        }
        expect(index.sum(from, to)).toEqual(expected);
        expect(index.size).toBe(model.size);
      }),
      { numRuns: 300 },
    );
  });

  test("lists keys in order, from any key on", () => {
    fc.assert(
      fc.property(fc.oneof(fc.array(step), large), key, bound, (steps, from, to) => {
        const { index, model } = build(steps);
        expect([...index.keys(from)]).toEqual(between(model, from));
        expect(index.range(from, to).map(({ key }) => key)).toEqual(between(model, from, to));
      }),
      { numRuns: 200 },
    );
  });

  test("cuts a range into parts of nearly equal number", () => {
    fc.assert(
      fc.property(large, fc.integer({ min: 2, max: 20 }), bound, (steps, parts, from) => {
        const { index, model } = build(steps);
        const keys = between(model, from);
        if (keys.length < parts) return;
        const cuts = index.cuts(from, undefined, keys.length, parts);
        const places = cuts.map(([before, at]) => {
          const place = keys.indexOf(at);
          expect(before).toBe(keys[place - 1]);
          return place;
        });
        const bounds = [0, ...places, keys.length];
        const sizes = bounds.slice(1).map((place, i) => place - (bounds[i] ?? 0));
        expect(sizes.length).toBe(parts);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 100 },
    );
  });

  test("goes on listing where keys come and go meanwhile", () => {
    const index = new OrderedIndex();
    for (let i = 0; i < 2_000; i++) index.set(String(i).padStart(4, "0"), i, i);
    const seen: string[] = [];
    for (const at of index.keys("")) {
      seen.push(at);
      index.delete(at);
      index.set(`!${at}`, 1, 1);
    }
    expect(seen.length).toBe(2_000);
    expect(new Set(seen).size).toBe(2_000);
    expect(index.size).toBe(2_000);
  });
});

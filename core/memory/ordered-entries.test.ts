/** The ordered entries against a sorted list. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toByteText } from "./byte-text.ts";
import { DELETED, type Entry, EXPIRED, LIVE } from "./entry.ts";
import type { Sum } from "./leaf.ts";
import { INLINE_VALUE_BYTES_MAX } from "./limits.ts";
import { OrderedEntries } from "./ordered-entries.ts";

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

/** An entry of each kind and size, as chance has it. */
function entryOf(a: number, b: number): Entry {
  const state = ([LIVE, LIVE, LIVE, DELETED, EXPIRED] as const)[(b & 0xffff) % 5] ?? LIVE;
  const long = [127, 128, INLINE_VALUE_BYTES_MAX, INLINE_VALUE_BYTES_MAX + 1, 20_000][(a & 0xfff) % 60] ?? 20;
  const length = state === LIVE ? long - (a & 7) : state === DELETED ? 0 : 8;
  const value = String.fromCharCode(b & 255).repeat(length);
  const expiresAtMs = state === EXPIRED || (state === LIVE && (b & 8) !== 0) ? (b >>> 0) * 65_536 + 1 : undefined;
  return { stamp: (a >>> 0) * 2_097_152 + 7, writer: (b >>> 0) * 65_536 + 9, state, value, expiresAtMs };
}

function build(steps: readonly Step[]): { index: OrderedEntries; model: Map<string, readonly [number, number]> } {
  const index = new OrderedEntries();
  const model = new Map<string, readonly [number, number]>();
  for (const [kind, at, a, b] of steps) {
    if (kind === "set") {
      index.set(at, entryOf(a, b), a, b);
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

describe("the ordered entries", () => {
  test("give back each entry as it was set last", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), key, (steps, other) => {
        const { index, model } = build(steps);
        for (const at of new Set([other, ...steps.map(([, at]) => at)])) {
          const digest = model.get(at);
          const expected = digest && entryOf(...digest);
          expect(index.has(at)).toBe(expected !== undefined);
          expect(index.get(at)).toEqual(expected);
          const { value, ...head } = expected ?? {};
          expect(index.head(at)).toEqual(expected && { ...head, valueBytes: value?.length });
          const bytes = index.value(at);
          expect(bytes && toByteText(bytes)).toBe(value);
        }
      }),
      { numRuns: 50 },
    );
  });

  test("are told apart from each other's values when those grow, shrink and go", () => {
    const index = new OrderedEntries();
    const lengths = new Map<string, number>();
    for (let i = 0; i < 20_000; i++) {
      const at = `key-${Math.imul(i, 0x9e3779b1) >>> 22}`;
      const length = [0, 1, 40, 300, INLINE_VALUE_BYTES_MAX + 1][i % 5] ?? 0;
      if (i % 7 === 0) {
        expect(index.delete(at)).toBe(lengths.delete(at));
        continue;
      }
      const value = at.padEnd(length, "x").slice(0, length);
      index.set(at, { stamp: i, writer: 1, state: LIVE, value, expiresAtMs: undefined }, i, -i);
      lengths.set(at, length);
    }
    expect(index.size).toBe(lengths.size);
    for (const [at, length] of lengths) expect(index.get(at)?.value).toBe(at.padEnd(length, "x").slice(0, length));
  });

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
        expect([...index.keysDown(to)]).toEqual(between(model, undefined, to).reverse());
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
    const index = new OrderedEntries();
    for (let i = 0; i < 2_000; i++) index.set(String(i).padStart(4, "0"), entryOf(i, i), i, i);
    const seen: string[] = [];
    for (const at of index.keys("")) {
      seen.push(at);
      index.delete(at);
      index.set(`!${at}`, entryOf(1, 1), 1, 1);
    }
    expect(seen.length).toBe(2_000);
    expect(new Set(seen).size).toBe(2_000);
    expect(index.size).toBe(2_000);
    const down: string[] = [];
    for (const at of index.keysDown(undefined)) {
      down.push(at);
      index.delete(at);
      index.set(`~${at}`, entryOf(1, 1), 1, 1);
    }
    expect(down).toEqual(seen.map((at) => `!${at}`).reverse());
  });
});

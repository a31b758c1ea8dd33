import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isStarfishError } from "../base/errors.ts";
import {
  add,
  has,
  type Intervals,
  intersect,
  interval,
  pack,
  pieces,
  sizeOf,
  subtract,
  take,
  union,
  unionAll,
  unpack,
  within,
} from "./intervals.ts";

const END = 60;
const numbers = fc.uniqueArray(fc.nat(END - 1));

function from(list: Iterable<number>): Intervals {
  let set: Intervals = [];
  for (const task of list) set = add(set, task);
  return set;
}

function listed(set: Intervals): number[] {
  return [...pieces(set)].flatMap(([a, b]) => Array.from({ length: b - a }, (_, i) => a + i));
}

function sorted(list: Iterable<number>): number[] {
  return [...new Set(list)].toSorted((a, b) => a - b);
}

describe("sets of task numbers", () => {
  test("do what sets do, and keep gaps between their intervals", () => {
    fc.assert(
      fc.property(
        numbers,
        numbers,
        fc.nat(END / 2).map((half) => 2 * half),
        (a, b, count) => {
          const [x, y] = [from(a), from(b)];
          for (const [set, want] of [
            [x, sorted(a)],
            [union(x, y), sorted([...a, ...b])],
            [unionAll([x, y, x]), sorted([...a, ...b])],
            [unionAll([x, y], 2), sorted(a.filter((task) => b.includes(task)))],
            [unionAll([]), []],
            [intersect(x, y), sorted(a.filter((task) => b.includes(task)))],
            [subtract(x, y), sorted(a.filter((task) => !b.includes(task)))],
            [within(x, count / 2, count), sorted(a).filter((task) => task >= count / 2 && task < count)],
            [take(x, count), sorted(a).slice(0, count)],
            [take(x, count, "back"), count === 0 ? [] : sorted(a).slice(-count)],
          ] as const) {
            expect(listed(set)).toEqual(want);
            expect(sizeOf(set)).toBe(want.length);
            expect(set.every((edge, i) => i === 0 || edge > (set[i - 1] ?? -1))).toBe(true);
          }
          for (let task = 0; task < END; task++) expect(has(x, task)).toBe(a.includes(task));
        },
      ),
    );
  });

  test("travel as bytes", () => {
    fc.assert(
      fc.property(numbers, (list) => {
        const set = from(list);
        expect(unpack(pack(set, 1_000), END)).toEqual(set);
      }),
    );
    const far = [2 ** 24 - 1, 2 ** 24];
    expect(unpack(pack(far, 100), 2 ** 24)).toEqual(far);
    expect(pack(interval(0, 1_000_000), 100).length).toBe(4);
  });

  test("leave their shortest intervals out where there is no room", () => {
    const set = Array.from({ length: 200 }, (_, i) => [i * 10, i * 10 + 1 + (i % 2) * 5]).flat();
    const bytes = pack(set, 200);
    expect(bytes.length).toBeLessThanOrEqual(200);
    const kept = unpack(bytes, 10_000);
    expect(subtract(kept, set)).toEqual([]);
    expect([...pieces(kept)].every(([a, b]) => b - a === 6)).toBe(true);
    expect(sizeOf(kept)).toBeGreaterThan(500);
  });

  test("are refused where they are none, or of another job", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
        try {
          const set = unpack(bytes, END);
          expect(set.every((edge, i) => edge <= END && (i === 0 || edge > (set[i - 1] ?? -1)))).toBe(true);
          expect(pack(set, 100)).toEqual(bytes);
        } catch (error) {
          if (!isStarfishError(error, "malformed")) throw error;
        }
      }),
      { numRuns: 2_000 },
    );
    for (const bad of [[5], [0x80], [1, 0], [0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1], [0, 61]]) {
      expect(() => unpack(Uint8Array.from(bad), END)).toThrow("No intervals");
    }
  });
});

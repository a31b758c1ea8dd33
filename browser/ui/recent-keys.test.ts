import * as fc from "fast-check";
import { expect, test } from "vitest";
import { RecentKeys } from "./recent-keys.ts";

function touched(shownMax: number, still: number, keys: Iterable<string>): RecentKeys {
  const recent = new RecentKeys(shownMax, still);
  for (const key of keys) recent.touch(key);
  return recent;
}

test("the newest is on top, and the oldest goes when there are too many", () => {
  expect(touched(3, 0, "abcd").order).toEqual(["d", "c", "b"]);
  expect(touched(3, 0, "abca").order).toEqual(["a", "c", "b"]);
});

test("what is in sight stays where it is, what is below comes up", () => {
  expect(touched(5, 2, "abcdd").order).toEqual(["d", "c", "b", "a"]);
  expect(touched(5, 2, "abcdc").order).toEqual(["d", "c", "b", "a"]);
  expect(touched(5, 2, "abcdb").order).toEqual(["b", "d", "c", "a"]);
});

test("removed keys leave room, which others take from behind", () => {
  const recent = touched(3, 1, "abc");
  recent.remove("b");
  recent.remove("x");
  recent.append(["c", "y", "z"]);
  expect(recent.order).toEqual(["c", "a", "y"]);
});

test("whatever happens, no key is there twice, there are never too many, and the last one touched is shown", () => {
  const step = fc.tuple(fc.constantFrom("touch", "remove"), fc.constantFrom(..."abcdefgh".split("")));
  fc.assert(
    fc.property(fc.array(step), fc.integer({ min: 1, max: 6 }), fc.nat(6), (steps, shownMax, still) => {
      const recent = new RecentKeys(shownMax, still);
      for (const [what, key] of steps) {
        if (what === "touch") recent.touch(key);
        else recent.remove(key);
        expect(recent.order.includes(key)).toBe(what === "touch");
        expect(new Set(recent.order).size).toBe(recent.order.length);
        expect(recent.order.length).toBeLessThanOrEqual(shownMax);
      }
    }),
  );
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { ranked, rendezvous, whoseTurn } from "./rendezvous.ts";

const keys = fc.integer();

test("one of several is chosen, in whatever order they are named, and stays when another goes", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 12 }), keys, (ids, key) => {
      const chosen = rendezvous(ids, key);
      expect(ids).toContain(chosen);
      expect(rendezvous([...ids].reverse(), key)).toBe(chosen);
      for (const id of ids) {
        if (id !== chosen) {
          expect(
            rendezvous(
              ids.filter((other) => other !== id),
              key,
            ),
          ).toBe(chosen);
        }
      }
    }),
  );
  expect(rendezvous([], 0)).toBeUndefined();
});

test("the order is the same everywhere, and who goes leaves the others in theirs", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 12 }), keys, (ids, key) => {
      const order = ranked(ids, key);
      expect(order.toSorted()).toEqual(ids.toSorted());
      expect(ranked(ids.toReversed(), key)).toEqual(order);
      const [gone, ...left] = ids;
      expect(ranked(left, key)).toEqual(order.filter((id) => id !== gone));
    }),
  );
});

test("each has a turn, one after the other, and then again", () => {
  const order = ["a", "b", "c"];
  const turns = [0, 4_999, 5_000, 14_999, 15_000].map((idleMs) => whoseTurn(order, idleMs, 5_000));
  expect(turns).toEqual(["a", "a", "b", "c", "a"]);
  expect(whoseTurn([], 0, 5_000)).toBeUndefined();
});

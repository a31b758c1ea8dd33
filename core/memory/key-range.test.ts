/** Ranges of a map's keys against a filter of all of them. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ReplicaMap, TestTime } from "../../test/fixtures/replica-map.ts";
import type { KeyRange } from "./types.ts";

const letter = fc.constantFrom("a", "b", "\ud7ff", "\u{1f980}", "\uffff");
const key = fc.array(letter, { maxLength: 3 }).map((letters) => letters.join(""));
const bound = fc.option(key, { nil: undefined });
const range: fc.Arbitrary<KeyRange> = fc.record({ prefix: bound, from: bound, to: bound, reverse: fc.boolean() });

test("a range has the keys to which all that it says applies, from either end", () => {
  fc.assert(
    fc.property(fc.uniqueArray(key), fc.array(key, { maxLength: 4 }), range, (keys, gone, some) => {
      const map = new ReplicaMap(1, new TestTime());
      for (const one of keys) map.set(one, one);
      for (const one of gone) map.delete(one);
      const { prefix = "", from = "", to, reverse } = some;
      const expected = keys
        .filter((one) => !gone.includes(one) && one.startsWith(prefix) && one >= from && (to === undefined || one < to))
        .sort((x, y) => (x < y === (reverse === true) ? 1 : -1));
      expect([...map.entries(some)].map(({ value }) => value)).toEqual(expected);
      expect(map.count(some)).toBe(expected.length);
    }),
    { numRuns: 1_000 },
  );
});

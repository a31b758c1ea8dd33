import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SqlValue } from "../types.ts";
import { keyOf, valuesOfKey } from "./keys.ts";

const integer = fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(exact));
const uuid = fc.uuid();
const value: fc.Arbitrary<SqlValue> = fc.oneof(
  integer,
  fc.double({ noNaN: true }),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constantFrom("", " ", "!", '"', '!"', "a b", "\0", "\u{1f980}", "ä"),
  uuid,
  fc.uint8Array({ maxLength: 20 }),
);

function exact(big: bigint): SqlValue {
  return Number.isSafeInteger(Number(big)) ? Number(big) : big;
}

/** The value as a primary key has it: -0 and whole reals become the integers that they are equal to. */
function canonical(one: SqlValue): SqlValue {
  if (typeof one !== "number" || !Number.isInteger(one)) return one;
  if (one === 0) return 0;
  return Number.isSafeInteger(one) || Math.abs(one) >= 2 ** 63 ? one : BigInt(one);
}

describe("keys", () => {
  test("give back the values that they were made of", () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 4 }), (values) => {
        const key = keyOf(values);
        expect(valuesOfKey(key, values.length)).toEqual(values.map(canonical));
        // A space separates a row from its column.
        expect(key).not.toContain(" ");
      }),
    );
  });

  test("sort as integers and as text do", () => {
    fc.assert(
      fc.property(integer, integer, (a, b) => {
        expect(Math.sign(compare(keyOf([a]), keyOf([b])))).toBe(Math.sign(compare(a, b)));
      }),
    );
    const plain = fc.string({ unit: "binary", maxLength: 8 });
    fc.assert(
      fc.property(plain, plain, (a, b) => {
        const [x, y] = [keyOf([a]), keyOf([b])];
        if (x[0] === "x" && y[0] === "x") expect(Math.sign(compare(x, y))).toBe(Math.sign(compare(a, b)));
      }),
    );
  });

  test("are short: an id of a row costs some bytes", () => {
    expect(keyOf([7])).toBe("M6");
    expect(keyOf([1_000_000]).length).toBe(5);
    expect(keyOf(["0190163d-8694-739b-aea5-966c26f8ad91"]).length).toBe(23);
  });

  test("that nobody makes are none", () => {
    for (const key of [
      "",
      "M",
      "M66",
      "Z",
      "u",
      "x!",
      "y0",
      "yZZ",
      "r0",
      "uAAAAAAAAAAAAAAAAAAAAAz",
      "N-6",
      "__proto__",
    ]) {
      expect([key, valuesOfKey(key, 1)]).toEqual([key, undefined]);
    }
    expect(valuesOfKey("M6", 2)).toBe(undefined);
  });

  test("have a bound", () => {
    expect(() => keyOf(["x".repeat(1_000)])).toThrow("at most 960 bytes");
    expect(() => keyOf([null])).toThrow("can't be NULL");
  });
});

function compare(a: unknown, b: unknown): number {
  return (a as string) < (b as string) ? -1 : (a as string) > (b as string) ? 1 : 0;
}

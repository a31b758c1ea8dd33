/**
 * How typed text becomes a value, and how values are shown: every value that is shown whole stays the same when it is
 * saved again.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { toHex } from "../../../core/base/bytes.ts";
import { parsed, shown } from "./values.ts";

test("integers, numbers and bytes come back as they were shown; text is what was typed", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      const exact = Number.isSafeInteger(Number(value)) ? Number(value) : value;
      expect(parsed(shown(exact), "INTEGER")).toEqual({ isRight: true, value: exact });
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array(), (value) => {
      expect(parsed(`x'${toHex(value)}'`, "BLOB")).toEqual({ isRight: true, value });
      expect(shown(value)).toBe(`x'${toHex(value)}'`);
    }),
  );
  fc.assert(
    fc.property(fc.string(), (value) => {
      expect(parsed(shown(value), "TEXT")).toEqual({ isRight: true, value });
    }),
  );
  expect(parsed("2.5", "REAL")).toEqual({ isRight: true, value: 2.5 });
});

test("what can be no value of its column is refused in words, and nothing is NULL where it can be no value", () => {
  expect(parsed("about 5", "INTEGER")).toEqual({ isRight: false, why: "A whole number belongs here." });
  expect(parsed("5.5", "INT")).toMatchObject({ isRight: false });
  expect(parsed("9223372036854775808", "INTEGER")).toMatchObject({ isRight: false });
  expect(parsed("five", "DOUBLE")).toMatchObject({ isRight: false });
  expect(parsed("zz", "BLOB")).toMatchObject({ isRight: false });
  expect(parsed(" ", "INTEGER")).toEqual({ isRight: true, value: null });
  expect(parsed("", "TEXT")).toEqual({ isRight: true, value: "" });
  expect(parsed("soon", "DATE")).toEqual({ isRight: true, value: "soon" });
});

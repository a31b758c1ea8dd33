import fc from "fast-check";
import { expect, test } from "vitest";
import { isStarfishError } from "../../base/errors.ts";
import type { SqlValue } from "../types.ts";
import { CellReader, CellWriter } from "./pack.ts";

const value: fc.Arbitrary<SqlValue> = fc.oneof(
  fc.constant(null),
  fc.integer({ min: -200, max: 200 }),
  fc.maxSafeInteger(),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
  fc.double({ noNaN: true }).map((real) => (Object.is(real, -0) ? 0 : real)),
  fc.string({ unit: "binary" }),
  fc.integer({ min: 0, max: 20_000 }).map((length) => "ä".repeat(length / 2)),
  fc.uint8Array(),
);

test("values come back as they were, one after the other", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(2 ** 32 - 1), value)), (cells) => {
      const writer = new CellWriter();
      for (const [column, one] of cells) {
        writer.uint32(column);
        writer.value(one);
        writer.text("tä");
      }
      const reader = new CellReader(writer.slice());
      for (const [column, one] of cells) {
        expect(reader.uint32()).toBe(column);
        expect(reader.value()).toEqual(exact(one));
        expect(reader.text()).toBe("tä");
      }
      expect(reader.done).toBe(true);
    }),
  );
});

test("a real that is a whole number stays a real", () => {
  const writer = new CellWriter();
  writer.real(1);
  writer.value(1);
  const reader = new CellReader(writer.slice());
  expect([reader.value(), reader.isReal, reader.value(), reader.isReal]).toEqual([1, true, 1, false]);
});

test("whatever bytes come, a reader gives values or says that they are none", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
      const reader = new CellReader(bytes);
      try {
        while (!reader.done) reader.value();
      } catch (error) {
        expect(isStarfishError(error)).toBe(true);
      }
    }),
  );
});

/** A whole number beyond 2^53 is read as the integer that it is. */
function exact(one: SqlValue): SqlValue {
  if (typeof one !== "number" || !Number.isInteger(one) || Number.isSafeInteger(one)) return one;
  return Math.abs(one) < 2 ** 63 ? BigInt(one) : one;
}

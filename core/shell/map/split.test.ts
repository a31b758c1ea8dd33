import * as fc from "fast-check";
import { expect, test } from "vitest";
import { concat, equal, text, utf8 } from "../../base/bytes.ts";
import { isLetter, parseRange, splitLines, splitRange } from "./split.ts";

test("ranges follow each other and cover the whole, nearly equally", () => {
  const whole = fc.tuple(fc.nat(2 ** 40), fc.integer({ min: 1, max: 2 ** 40 }), fc.integer({ min: 1, max: 300 }));
  fc.assert(
    fc.property(whole, ([lo, length, chunks]) => {
      const ranges = splitRange({ lo, hi: lo + length }, chunks);
      expect(ranges).toHaveLength(Math.min(chunks, length));
      let next = lo;
      for (const range of ranges) {
        expect(range.lo).toBe(next);
        next = range.hi;
        const ideal = length / ranges.length;
        expect(Math.abs(range.hi - range.lo - ideal)).toBeLessThanOrEqual(1);
      }
      expect(next).toBe(lo + length);
    }),
  );
});

test("a range is two whole numbers in order", () => {
  expect(parseRange("0..20000000")).toEqual({ lo: 0, hi: 20_000_000 });
  for (const wrong of ["", "5", "5..5", "9..2", "-1..5", "a..b", "1...2", "0..99999999999999999999"]) {
    expect(() => parseRange(wrong)).toThrow("--range");
  }
});

test("pieces of lines are the whole, within both bounds, and cut no word", () => {
  const textOf = fc.string({ unit: fc.constantFrom("a", "b", "Z", " ", "\n", "."), maxLength: 200 });
  fc.assert(
    fc.property(
      textOf,
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 4, max: 40 }),
      (whole, linesMax, bytesMax) => {
        const bytes = utf8(whole);
        const pieces = splitLines(bytes, linesMax, bytesMax, (byte) => !isLetter(byte));
        expect(equal(concat(pieces), bytes)).toBe(true);
        for (const [i, piece] of pieces.entries()) {
          expect(piece.length).toBeGreaterThan(0);
          expect(piece.length <= bytesMax || piece.every(isLetter)).toBe(true);
          expect(text(piece).split("\n").length - 1).toBeLessThanOrEqual(linesMax);
          const next = pieces[i + 1];
          const last = piece.at(-1) ?? 0;
          expect(next !== undefined && isLetter(last) && isLetter(next[0] ?? 0)).toBe(false);
        }
      },
    ),
  );
});

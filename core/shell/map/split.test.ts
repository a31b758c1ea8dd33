import * as fc from "fast-check";
import { expect, test } from "vitest";
import { concat, equal, text, utf8 } from "../../base/bytes.ts";
import { chunksOf, isLetter, parseRange, splitRange } from "./split.ts";

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

/** The bytes in parts of this size, and the number of bytes that have been asked for. */
function source(bytes: Uint8Array, size: number): { parts: AsyncGenerator<Uint8Array>; taken: () => number } {
  let taken = 0;
  async function* parts(): AsyncGenerator<Uint8Array> {
    while (taken < bytes.length) {
      const from = taken;
      taken = Math.min(bytes.length, from + size);
      yield bytes.subarray(from, taken);
    }
  }
  return { parts: parts(), taken: () => taken };
}

test("pieces of lines are the whole, within all bounds, and cut no word, however the bytes come", async () => {
  const textOf = fc.string({ unit: fc.constantFrom("a", "b", "Z", " ", "\n", "."), maxLength: 200 });
  const bound = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
  await fc.assert(
    fc.asyncProperty(
      textOf,
      bound(5),
      fc.nat(8),
      fc.integer({ min: 8, max: 40 }),
      bound(50),
      async (whole, linesMax, bytesMin, bytesMax, size) => {
        const bytes = utf8(whole);
        const cutting = { linesMax, bytesMin, bytesMax, isBreak: (byte: number) => !isLetter(byte) };
        const pieces: Uint8Array[] = [];
        for await (const piece of chunksOf(source(bytes, size).parts, cutting)) pieces.push(piece);
        expect(equal(concat(pieces), bytes)).toBe(true);
        for (const [i, piece] of pieces.entries()) {
          expect(piece.length).toBeGreaterThan(0);
          expect(piece.length <= bytesMax || piece.every(isLetter)).toBe(true);
          const lines = text(piece).split("\n").length - 1;
          // Without its last line the piece would be smaller than the minimum.
          expect(lines <= linesMax || piece.lastIndexOf(0x0a, -2) + 1 < bytesMin).toBe(true);
          const next = pieces[i + 1];
          const last = piece.at(-1) ?? 0;
          expect(next !== undefined && isLetter(last) && isLetter(next[0] ?? 0)).toBe(false);
        }
      },
    ),
  );
});

test("no more is read than the next piece needs", async () => {
  const { parts, taken } = source(utf8("a\n".repeat(50_000)), 100);
  const cutting = { linesMax: 500, bytesMin: 0, bytesMax: 10_000, isBreak: () => true };
  const pieces = chunksOf(parts, cutting);
  for (const read of [1_000, 2_000]) {
    expect((await pieces.next()).value).toHaveLength(1_000);
    expect(taken()).toBe(read);
  }
});

test("a word that no task could take is an error, not the whole input in memory", async () => {
  const { parts, taken } = source(new Uint8Array(40 * 2 ** 20).fill(0x61), 2 ** 20);
  const cutting = { linesMax: 500, bytesMin: 0, bytesMax: 10_000, isBreak: (byte: number) => !isLetter(byte) };
  await expect(chunksOf(parts, cutting).next()).rejects.toMatchObject({ code: "too-large" });
  expect(taken()).toBe(17 * 2 ** 20);
});

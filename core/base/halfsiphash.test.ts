/** HalfSipHash-2-4, 64 bits: against vectors of the reference implementation (key 00 01 … 07, input 00 01 02 …). */
import { expect, test } from "vitest";
import { HalfSipHash } from "./halfsiphash.ts";

const VECTORS: readonly (readonly [bytes: number, hash: string])[] = [
  [0, "218d1f59b9b83cc8"],
  [4, "d5e78a175be52ea1"],
  [8, "edfee820bce4858c"],
  [12, "7bc71f9faef5c799"],
];

function hex(words: readonly number[]): string {
  const bytes = new Uint8Array(Int32Array.from(words).buffer);
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

test.each(VECTORS)("of %i bytes is that of the reference", (length, expected) => {
  const hash = new HalfSipHash(0x03020100, 0x07060504);
  hash.begin();
  for (let i = 0; i < length; i += 4) hash.word(i | ((i + 1) << 8) | ((i + 2) << 16) | ((i + 3) << 24));
  hash.end();
  expect(hex([hash.a, hash.b])).toBe(expected);
});

test("tells apart texts that differ in a character, in length, or in where one ends", () => {
  const hash = new HalfSipHash(1, 2);
  const of = (...texts: string[]): string => {
    hash.begin();
    for (const text of texts) hash.text(text);
    for (const text of texts) hash.byteText(text);
    hash.end();
    return hex([hash.a, hash.b]);
  };
  const different = [of(""), of("a"), of("b"), of("ab"), of("a", "b"), of("ab", ""), of("abc\u{1f980}"), of("abcde")];
  expect(new Set(different).size).toBe(different.length);
});

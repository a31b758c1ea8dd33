import * as fc from "fast-check";
import { expect, test } from "vitest";
import { concat, equal } from "./bytes.ts";
import { check, encode, encodeBytes, encodePieces, lineOf } from "./codec.ts";
import { isStarfishError } from "./errors.ts";

test.each([
  ["a plain line, in any script: ü 漢字 👩‍🚀", "a plain line, in any script: ü 漢字 👩‍🚀"],
  ["clear\x1b[2J\x07 the screen", "clear\ufffd[2J\ufffd the screen"],
  ["two\r\nlines\u2028three", "two\ufffd\ufffdlines\ufffdthree"],
  ["c1 \x9b31m", "c1 \ufffd31m"],
  ["gpj\u202eexe", "gpj\ufffdexe"],
])("what a peer writes for people is one harmless line: %j", (written, read) => {
  expect(check(lineOf(100), written)).toBe(read);
});

test("a line that is too long is malformed", () => {
  const refused = (): string => check(lineOf(3), "four");
  expect(refused).toThrow(expect.toSatisfy((error) => isStarfishError(error) && error.code === "malformed"));
});

const LARGE = 64 * 1024;

test("pieces are what the message is, with what is large by reference", () => {
  const anyBytes = fc
    .tuple(fc.constantFrom(0, 20, LARGE - 1, LARGE, LARGE + 1, 70_000), fc.nat(255))
    .map(([length, fill]) => new Uint8Array(length).fill(fill));
  const anyEntry = fc.record({ id: fc.string(), bytes: anyBytes, sha256: fc.uint8Array({ maxLength: 32 }) });
  fc.assert(
    fc.property(fc.array(anyEntry, { maxLength: 4 }), anyBytes, (shards, last) => {
      const value = { shards, last, list: [last, null, shards.length] };
      const pieces = encodePieces(value);
      // Comparing large arrays one by one takes longer than all else.
      expect(equal(concat(pieces), encode(value))).toBe(true);
      const large = [...shards.map(({ bytes }) => bytes), last].filter(({ length }) => length >= LARGE);
      expect(large.every((bytes) => pieces.includes(bytes))).toBe(true);
    }),
    { numRuns: 30 },
  );
});

test("a message that has in it what stands for large bytes is what it is, too", () => {
  const bytes = new Uint8Array(LARGE).fill(7);
  for (const text of ["\u0000starfish place\u0000", "\u0000", "\u0000starfish"]) {
    const value = { text, bytes, beside: new TextEncoder().encode(text) };
    expect(equal(concat(encodePieces(value)), encode(value))).toBe(true);
  }
});

test("a byte string is encoded as among other values, whatever its length", () => {
  for (const length of [0, 1, 23, 24, 255, 256, 65_535, 65_536, 70_000]) {
    const bytes = new Uint8Array(length).fill(length % 251);
    expect(equal(encodeBytes(bytes), encode(bytes))).toBe(true);
  }
});

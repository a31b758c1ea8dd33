import { expect, test } from "vitest";
import { check, lineOf } from "./codec.ts";
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

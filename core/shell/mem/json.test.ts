/** JSON is kept as it was written, or refused with what is wrong. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { isStarfishError } from "../../base/errors.ts";
import { parseJson } from "./json.ts";

test("whatever JSON.stringify writes is taken, and is what it was", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), fc.nat(4), (value, blanks) => {
      const text = JSON.stringify(value, undefined, blanks);
      fc.pre(!/\\ud[89a-f]/i.test(text) && !text.includes("-0,"));
      expect(parseJson(text)).toEqual(JSON.parse(text));
    }),
  );
  for (const text of [
    "1.0",
    "1e2",
    "0.10",
    "1E+2",
    "100",
    "0",
    "0.0",
    "0e9",
    "9007199254740992",
    "1e21",
    "5e-324",
    "-12.50e-3",
  ]) {
    expect(parseJson(text)).toBe(Number(text));
  }
  expect(Object.hasOwn(parseJson('{"__proto__": 1}') as object, "__proto__")).toBe(true);
  expect(parseJson('[{"a":1},{"a":1},{"b":{"a":1},"a":["a","a"]}]')).toEqual([
    { a: 1 },
    { a: 1 },
    { b: { a: 1 }, a: ["a", "a"] },
  ]);
});

test.each<[string, RegExp]>([
  ["9007199254740993", /more digits/],
  ["-9007199254740993", /more digits/],
  ["12345678901234567890", /more digits/],
  ["[1, 0.1234567890123456789]", /0\.1234567890123456789 has more digits/],
  ["1e400", /too large/],
  ["-1e400", /too large/],
  ["1e-400", /more digits/],
  ["-0", /write 0/],
  ["[-0.0]", /write 0/],
  ['"\\ud800"', /surrogate/],
  ['{"\\udc00 \\ud800": 1}', /surrogate/],
  ['{"a": 1, "b": 2, "a": 3}', /"a" is there twice/],
  ['{"a": 1, "\\u0061": 3}', /twice/],
  [`${"[".repeat(65)}${"]".repeat(65)}`, /64 levels/],
  ["{", /not JSON/],
  ["\u{feff}1", /not JSON/],
])("refused: %s", (text, why) => {
  let refused: unknown;
  try {
    parseJson(text);
  } catch (error) {
    refused = error;
  }
  expect(isStarfishError(refused, "usage") && refused.message).toMatch(why);
});

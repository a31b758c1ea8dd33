import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { csvLine, CsvReader, type CsvRecord, guessType, parameterOf } from "./csv.ts";

function read(text: string, cuts: readonly number[] = [], delimiter = ","): CsvRecord[] {
  const reader = new CsvReader(delimiter);
  const records: CsvRecord[] = [];
  let at = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    records.push(...reader.feed(text.slice(at, Math.max(at, cut))).map(({ record }) => record));
    at = Math.max(at, cut);
  }
  records.push(...reader.feed(text.slice(at)).map(({ record }) => record));
  return [...records, ...reader.end().map(({ record }) => record)];
}

describe("reading", () => {
  test.each([
    [
      "a,b\nc,d\n",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    [
      "a,b\r\nc,d",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    ['a,"",,d', [["a", "", null, "d"]]],
    [
      '"a ""b"", c","x\r\ny"\r\n1,2',
      [
        ['a "b", c', "x\r\ny"],
        ["1", "2"],
      ],
    ],
    [
      "a,\n,b\n",
      [
        ["a", null],
        [null, "b"],
      ],
    ],
    ["x\n\ny", [["x"], [null], ["y"]]],
    ['he said "no",b', [['he said "no"', "b"]]],
    ["", []],
    ['"a"', [["a"]]],
    ["a\r", [["a"]]],
  ])("%j", (text, expected) => {
    expect(read(text)).toEqual(expected);
    // One character at a time.
    expect(
      read(
        text,
        Array.from(text, (_, i) => i),
      ),
    ).toEqual(expected);
  });

  test("tells lines, also behind fields of several", () => {
    const reader = new CsvReader(",");
    const lines = [...reader.feed('a\n"b\nc\nd"\ne\n'), ...reader.end()].map(({ line }) => line);
    expect(lines).toEqual([1, 2, 5]);
  });

  test.each([
    ['"a', /line 1: a quote is not closed/],
    ['x\n"a"b,c', /line 2: text follows a closing quote/],
  ])("%j is refused", (text, why) => {
    expect(() => read(text)).toThrow(why);
  });

  test("a quote that is not closed takes no memory without bound", () => {
    const reader = new CsvReader(",");
    expect(() => {
      for (let i = 0; i < 100; i++) reader.feed(`${i === 0 ? '"' : ""}${"x".repeat(100_000)}`);
    }).toThrow(/is a quote not closed/);
  });

  test("gives back what was written, however it is cut and whatever stands between", () => {
    const value = fc.option(fc.string({ unit: fc.constantFrom("a", '"', ",", ";", "\n", "\r", " ", "ü") }), {
      nil: null,
    });
    const records = fc.array(fc.array(value, { minLength: 2, maxLength: 4 }), { maxLength: 5 });
    fc.assert(
      fc.property(
        records,
        fc.array(fc.nat(60), { maxLength: 4 }),
        fc.constantFrom(",", ";", "\t"),
        fc.constantFrom("\n", "\r\n"),
        (written, cuts, delimiter, newline) => {
          const text = written.map((record) => csvLine(record, delimiter, newline)).join("");
          expect(read(text, cuts, delimiter)).toEqual(written);
        },
      ),
    );
  });
});

test.each([
  [["1", "-20", null], "INTEGER"],
  [["1", "2.5"], "REAL"],
  [["1e3", ".5"], "REAL"],
  [["007"], "TEXT"],
  [["1", "x"], "TEXT"],
  [["9223372036854775807"], "INTEGER"],
  [["9223372036854775808"], "TEXT"],
  [["-0"], "TEXT"],
  [["+49"], "TEXT"],
  [[null], "TEXT"],
  [[""], "TEXT"],
] as const)("%j is %s", (values, type) => {
  expect(guessType(values)).toBe(type);
});

test("a word of a command line is a number only where it is written in no other way", () => {
  const words = ["5", "-5", "9007199254740993", "1.5", "1.50", "007", "1e3", "", "otter"];
  expect(words.map(parameterOf)).toEqual([5, -5, 9_007_199_254_740_993n, 1.5, "1.50", "007", "1e3", "", "otter"]);
});

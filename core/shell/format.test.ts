import { expect, test } from "vitest";
import { bytesWords, duration, fitted, roughly, table, told, wrapped } from "./format.ts";
import { byteSize, parseArguments, timeSpan, wholeNumber } from "./options.ts";
import { compose, plain, sequence, shown } from "./styled.ts";
import { suggest } from "./suggest.ts";
import { cut, widthOf } from "./width.ts";

test("durations carry the unit that fits", () => {
  const shown = [0.5, 3.21, 12.3, 4200, 190_000, 3_600_000 * 2.5].map(duration);
  expect(shown).toEqual(["0.50 ms", "3.2 ms", "12 ms", "4.2 s", "3 min 10 s", "2 h 30 min"]);
});

test("ages have one unit, bytes three digits", () => {
  const ages = [-5, 0, 999, 59_999, 60_000, 3_599_999, 3_600_000, 86_399_999, 86_400_000 * 12.9].map(roughly);
  expect(ages).toEqual(["0 s", "0 s", "0 s", "59 s", "1 min", "59 min", "1 h", "23 h", "12 d"]);
  expect([0, 999, 1234, 999_499, 999_500, 64 * 2 ** 20].map(bytesWords)).toEqual([
    "0 B",
    "999 B",
    "1.23 kB",
    "999 kB",
    "1.00 MB",
    "67.1 MB",
  ]);
});

test("columns line up whatever the colours and widths, and what others wrote is harmless there", () => {
  const bold = sequence("\x1b[1m");
  const rows = [
    ["name", "n"],
    [compose`${bold}漢字${sequence("\x1b[0m")}`, "1"],
    ["abcdef", ""],
    ["a\x1b[2J", "2"],
  ];
  expect(shown(table(rows))).toBe("name    n\n\x1b[1m漢字\x1b[0m    1\nabcdef\na␛[2J   2\n");
  expect(plain(table(rows))).toContain("\na\x1b[2J   2\n");
});

test("columns that do not fit continue the row, and lines break between words", () => {
  const rows = [
    ["name", "kind", "trip", "link"],
    ["otter", "tab", "9 ms", "relayed by heron: the browser has no WebRTC"],
    ["heron", "node", "", "direct"],
  ];
  expect(plain(table(rows, 30))).toBe(
    "name   kind  trip  link\notter  tab   9 ms\n    relayed by heron: the\n    browser has no WebRTC\nheron  node        direct\n",
  );
  expect(plain(table(rows, 15))).toContain("\nheron  node\n    direct\n");
  expect(plain(table(rows, 100))).toBe(plain(table(rows)));
  const bold = compose`${sequence("\x1b[1m")}one${sequence("\x1b[0m")} two three`;
  expect(shown(wrapped(bold, 8))).toBe("\x1b[1mone\x1b[0m two\nthree");
});

test("paragraphs are filled, indented lines stand for themselves", () => {
  const text = "usage: x\n\nWhat it does\nin two lines.\n\n  x a b c d e f g h\n";
  const narrow = { columns: 15, rows: 10, colours: false, pictures: "blocks" } as const;
  expect(plain(fitted(text, narrow))).toBe("usage: x\n\nWhat it does\nin two lines.\n\n  x a b c d e\n  f g h\n");
  expect(fitted(text, undefined)).toBe(text);
});

test("widths", () => {
  expect(["abc", "漢字", "e\u0301", "👩‍🚀", "☆", "\u200b"].map(widthOf)).toEqual([3, 4, 1, 2, 1, 0]);
});

test("text is cut between what people see as characters", () => {
  expect(cut("abcdef", 6)).toBe("abcdef");
  expect(cut("abcdef", 5)).toBe("abcd…");
  expect(cut("漢字かな", 8)).toBe("漢字かな");
  expect(cut("漢字かな", 7)).toBe("漢字か…");
  expect(cut("漢字かな", 6)).toBe("漢字…");
  expect(cut("👩‍🚀👩‍🚀👩‍🚀", 5)).toBe("👩‍🚀👩‍🚀…");
  expect(cut("e\u0301e\u0301e\u0301", 2)).toBe("e\u0301…");
  expect(cut("abc", 1)).toBe("…");
  expect(cut("x".repeat(1_000_000), 3)).toBe("xx…");
});

test("options may stand anywhere before --", () => {
  const kinds = { json: "flag", count: "value" } as const;
  expect(parseArguments(["a", "--count=3", "--json", "b", "--", "--json"], kinds)).toEqual({
    options: { json: true, count: "3" },
    operands: ["a", "b", "--json"],
  });
  expect(parseArguments(["--count", "-0.5,0,1"], kinds).options.count).toBe("-0.5,0,1");
  expect(() => parseArguments(["--cuont", "3"], kinds)).toThrow("did you mean --count?");
  expect(() => parseArguments(["--count"], kinds)).toThrow("needs a value");
  expect(() => parseArguments(["--json=1"], kinds)).toThrow("takes no value");
  expect(() => parseArguments(["--toString", "x"], kinds)).toThrow("no option");
});

test("whole numbers", () => {
  expect(wholeNumber("64", "--chunks", 1, 100)).toBe(64);
  for (const wrong of ["0", "101", "-1", "1.5", "", "1e1", "x"]) {
    expect(() => wholeNumber(wrong, "--chunks", 1, 100)).toThrow("--chunks must be");
  }
});

test("spans of time", () => {
  expect(["90s", "10m", "1.5h", "1d", "0.5s"].map((span) => timeSpan(span, "--for"))).toEqual([
    90_000, 600_000, 5_400_000, 86_400_000, 500,
  ]);
  for (const wrong of [
    "",
    "10",
    "m",
    "0s",
    "-1m",
    "10 m",
    "1e3s",
    "10ms",
    "1w",
    "0.0001s",
    "4000d",
    "1".repeat(400) + "d",
  ]) {
    expect(() => timeSpan(wrong, "--for")).toThrow("--for must be a time like");
  }
});

test("what is told breaks between words, line by line, and only on a terminal", () => {
  const words = "put: the file is too large\nTry 'put --help'.";
  expect(told(words, { columns: 16, rows: 9, colours: true, pictures: "blocks" })).toBe(
    "put: the file\nis too large\nTry 'put\n--help'.",
  );
  expect(told(words, undefined)).toBe(words);
});

test("suggestions are near or none", () => {
  const commands = ["peers", "ping", "map", "whoami"];
  expect([
    suggest("peesr", commands),
    suggest("pign", commands),
    suggest("mpa", commands),
    suggest("frobnicate", commands),
  ]).toEqual(["peers", "ping", "map", undefined]);
});

test("sizes are in powers of 1000, or of 1024 where they say so", () => {
  const sizes = ["0", "512", "7b", "500M", "10G", "10g", "1.5TB", "2kB", "1KiB", "10GiB", "0.5k"];
  expect(sizes.map((size) => byteSize(size, "--storage"))).toEqual([
    0,
    512,
    7,
    500e6,
    10e9,
    10e9,
    1.5e12,
    2000,
    1024,
    10 * 2 ** 30,
    500,
  ]);
  for (const wrong of ["", "G", "-1G", "10 G", "10X", "1e3", "10i", "10iB", "1.G", "10GG", "2000T"]) {
    expect(() => byteSize(wrong, "--storage"), wrong).toThrow("--storage must be a size like 500M, 10G or 1.5T");
  }
});

import { expect, test } from "vitest";
import { placeOf, pointed } from "./place.ts";

test.each([
  ["SELECT * FORM t", 'near "FORM": syntax error', "FORM"],
  ["SELECT a,, b FROM t", 'near ",": syntax error', undefined],
  ["SELECT nmae, 'nmae' FROM t", "no such column: nmae", "nmae"],
  ['SELECT "nmae" FROM t', "no such column: nmae - should this be a 'string'?", '"nmae"'],
  ["SELECT u.name, t.nmae FROM t, u", "no such column: t.nmae", "nmae"],
  ["SELECT * FROM missing", "no such table: missing", "missing"],
  ["SELECT * FROM main.missing", "no such table: main.missing", "missing"],
  ["SELECT lenght(a) FROM t", "no such function: lenght", "lenght"],
  ["SELECT abs(1, 2)", "wrong number of arguments to function abs()", "abs"],
  ["INSERT INTO t (a, z) VALUES (1, 2)", "table t has no column named z", "z"],
  ["CREATE TABLE t (a)", "table t already exists", "t"],
  ["SELECT 1 FROM", "incomplete input", ""],
  ["SELECT #1", 'unrecognized token: "#1"', "#1"],
  ["SELECT 1", "out of memory", undefined],
])("%s: %s", (sql, message, expected) => {
  const at = placeOf(sql, message);
  expect(at && sql.slice(at.from, at.to)).toBe(expected);
});

test("SQLite's own word counts more than its message", () => {
  expect(placeOf("SELECT a, , b", 'near ",": syntax error', 10)).toMatchObject({ from: 10, to: 11 });
  expect(placeOf("SELECT name FROM t", "no such column: name", 7)).toMatchObject({ from: 7, to: 11 });
});

test("the mark stands below the place, in its line, also behind wide characters and far to the right", () => {
  expect(pointed("SELECT * FORM t", { from: 9, to: 13 }, 80)).toBe("  SELECT * FORM t\n           ^^^^");
  expect(pointed("SELECT '漢字',\n  '漢字', x\nFROM t", { from: 21, to: 22 }, 80)).toBe("    '漢字', x\n            ^");
  const long = `SELECT ${"a, ".repeat(100)}nmae FROM t`;
  const [line = "", mark = ""] = pointed(long, { from: 307, to: 311 }, 60).split("\n");
  expect(line.length).toBeLessThanOrEqual(60);
  expect(line.slice(mark.indexOf("^"), mark.length)).toBe("nmae");
});

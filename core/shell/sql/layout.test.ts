import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { plain } from "../styled.ts";
import { widthOf } from "../width.ts";
import { fitted, laidOut, layoutOf, MODES } from "./layout.ts";
import { literalOf, quotedName } from "./values.ts";

const screen = { columns: 40, rows: 10, colours: false, pictures: "blocks" } as const;
const columns = ["name", "n"];
const rows = [
  ["otter", 1],
  ["漢字", 1234],
  [null, 2.5],
];

describe("a table", () => {
  test("is aligned by cells, numbers to the right; nothing stands behind the last value", () => {
    expect(plain(laidOut("table", columns, rows))).toBe(
      ["name   n", "-----  ----", "otter     1", "漢字   1234", "NULL    2.5", ""].join("\n"),
    );
  });

  test("of nothing is its head", () => {
    expect(plain(laidOut("table", columns, []))).toBe("name  n\n----  -\n");
  });

  test("keeps its widths from page to page, and grows where it has to", () => {
    const layout = layoutOf("table", columns);
    layout.page(rows);
    expect(plain(layout.page([["a", 7]]))).toBe("a         7\n");
    expect(plain(layout.page([["a longer one", 7]]))).toBe("a longer one     7\n");
    expect(plain(layout.page([["b", 7]]))).toBe("b                7\n");
  });

  test("is cut to the terminal, the widest column first; controls and newlines do nothing", () => {
    const text = plain(
      laidOut(
        "table",
        ["id", "text"],
        [
          [1, "漢".repeat(60)],
          [22, "a\nb\x1b[2J"],
        ],
        screen,
      ),
    );
    for (const line of text.split("\n")) expect(widthOf(line)).toBeLessThanOrEqual(screen.columns);
    expect(text.split("\n").slice(2)).toEqual([` 1  ${"漢".repeat(17)}…`, "22  a⏎b␛[2J", ""]);
  });

  test("of more columns than fit beside each other is written in lines", () => {
    const names = Array.from({ length: 20 }, (_, i) => `c${i}`);
    expect(plain(laidOut("table", names, [names.map((_, i) => i)], screen))).toMatch(/^ c0 = 0\n c1 = 1\n/);
  });
});

test("the widest columns give way until all fit, and none becomes wider", () => {
  expect(fitted([10, 50, 30], 60)).toEqual([10, 25, 25]);
  expect(fitted([1, 2], 60)).toEqual([1, 2]);
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 12 }),
      fc.nat(200),
      (widths, room) => {
        const result = fitted(widths, room);
        const sum = result.reduce((a, b) => a + b, 0);
        expect(result.every((width, i) => width <= (widths[i] ?? 0))).toBe(true);
        if (room >= 6 * widths.length) expect(sum).toBeLessThanOrEqual(Math.max(room, 0));
      },
    ),
  );
});

test("other modes", () => {
  const all = [...rows, [new Uint8Array([0xca, 0xfe]), 9_007_199_254_740_993n], ['say "a, b"', null], ["", 0]];
  const shown = Object.fromEntries(MODES.map((mode) => [mode, plain(laidOut(mode, columns, all))]));
  expect(shown["csv"]).toBe('name,n\notter,1\n漢字,1234\n,2.5\nx\'cafe\',9007199254740993\n"say ""a, b""",\n"",0\n');
  expect(JSON.parse(shown["json"] ?? "")).toEqual([
    { name: "otter", n: 1 },
    { name: "漢字", n: 1234 },
    { name: null, n: 2.5 },
    { name: { base64: "yv4=" }, n: "9007199254740993" },
    { name: 'say "a, b"', n: null },
    { name: "", n: 0 },
  ]);
  expect(shown["line"]?.split("\n").slice(0, 6)).toEqual([
    "name = otter",
    "   n = 1",
    "",
    "name = 漢字",
    "   n = 1234",
    "",
  ]);
  expect(shown["list"]).toBe("otter\t1\n漢字\t1234\n\t2.5\nx'cafe'\t9007199254740993\nsay \"a, b\"\t\n\t0\n");
  expect(plain(laidOut("json", columns, []))).toBe("[]\n");
  expect(plain(laidOut("csv", columns, []))).toBe("name,n\n");
});

test("literals and names as SQLite reads them back", () => {
  expect([null, 1, -2.5, Number.POSITIVE_INFINITY, 5n, "it's", "a\0b", new Uint8Array([1])].map(literalOf)).toEqual([
    "NULL",
    "1",
    "-2.5",
    "9e999",
    "5",
    "'it''s'",
    "('a' || char(0) || 'b')",
    "x'01'",
  ]);
  expect(["people", "order", "two words", 'a"b', "1st", "größe"].map(quotedName)).toEqual([
    "people",
    '"order"',
    '"two words"',
    '"a""b"',
    '"1st"',
    '"größe"',
  ]);
});

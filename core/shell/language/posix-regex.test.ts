/** POSIX expressions against what GNU grep 3.8 finds with them, line by line. */
import { expect, test } from "vitest";
import { posixSource } from "./posix-regex.ts";

const LINES: readonly string[] = [
  "a&b",
  "aa",
  "ab",
  "a+b",
  "*x",
  "(x)",
  "x{2",
  "xx",
  "a.b",
  "[z]",
  "a\\b",
  "foo bar",
  "n",
  "~",
  "A1_",
  "-",
  "^a",
  "a|b",
  "",
  "éa",
];

/** Kind, expression, and the lines that `printf '%s\\n' LINES… | grep -KIND -e EXPRESSION` prints. */
const FOUND: readonly (readonly ["G" | "E", string, readonly string[]])[] = [
  ["G", "[&]", ["a&b"]],
  ["G", "[~a]", ["a&b", "aa", "ab", "a+b", "a.b", "a\\b", "foo bar", "~", "^a", "a|b", "éa"]],
  ["G", "\\(a\\)\\1", ["aa"]],
  ["G", "a\\+", ["a&b", "aa", "ab", "a+b", "a.b", "a\\b", "foo bar", "^a", "a|b", "éa"]],
  ["G", "a+b", ["a+b"]],
  ["G", "*x", ["*x"]],
  ["G", "\\(*x\\)", ["*x"]],
  ["G", "x\\{2\\}", ["xx"]],
  ["G", "x{2", ["x{2"]],
  ["G", "(x)", ["(x)"]],
  ["G", "\\<bar\\>", ["foo bar"]],
  ["G", "\\`a", ["a&b", "aa", "ab", "a+b", "a.b", "a\\b", "a|b"]],
  ["G", "b\\'", ["a&b", "ab", "a+b", "a.b", "a\\b", "a|b"]],
  [
    "G",
    "[[:alnum:]]",
    [
      "a&b",
      "aa",
      "ab",
      "a+b",
      "*x",
      "(x)",
      "x{2",
      "xx",
      "a.b",
      "[z]",
      "a\\b",
      "foo bar",
      "n",
      "A1_",
      "^a",
      "a|b",
      "éa",
    ],
  ],
  [
    "G",
    "[^[:alpha:]]",
    ["a&b", "a+b", "*x", "(x)", "x{2", "a.b", "[z]", "a\\b", "foo bar", "~", "A1_", "-", "^a", "a|b"],
  ],
  ["G", "[]z]", ["[z]"]],
  [
    "G",
    "[^]a]",
    [
      "a&b",
      "ab",
      "a+b",
      "*x",
      "(x)",
      "x{2",
      "xx",
      "a.b",
      "[z]",
      "a\\b",
      "foo bar",
      "n",
      "~",
      "A1_",
      "-",
      "^a",
      "a|b",
      "éa",
    ],
  ],
  ["G", "[a\\]", ["a&b", "aa", "ab", "a+b", "a.b", "a\\b", "foo bar", "^a", "a|b", "éa"]],
  ["G", "[-a]", ["a&b", "aa", "ab", "a+b", "a.b", "a\\b", "foo bar", "-", "^a", "a|b", "éa"]],
  ["G", "a\\|b", ["a&b", "aa", "ab", "a+b", "a.b", "a\\b", "foo bar", "^a", "a|b", "éa"]],
  ["G", "^*x", ["*x"]],
  ["G", "\\^a", ["^a"]],
  ["G", "a\\.b", ["a.b"]],
  ["G", "a$b", []],
  ["G", "\\w\\W", ["a&b", "a+b", "(x)", "x{2", "a.b", "[z]", "a\\b", "foo bar", "a|b"]],
  ["G", "[[=a=]]", ["a&b", "aa", "ab", "a+b", "a.b", "a\\b", "foo bar", "^a", "a|b", "éa"]],
  ["E", "(a)\\1", ["aa"]],
  ["E", "a|b", ["a&b", "aa", "ab", "a+b", "a.b", "a\\b", "foo bar", "^a", "a|b", "éa"]],
  ["E", "x{2}", ["xx"]],
  [
    "E",
    "x{,1}$",
    [
      "a&b",
      "aa",
      "ab",
      "a+b",
      "*x",
      "(x)",
      "x{2",
      "xx",
      "a.b",
      "[z]",
      "a\\b",
      "foo bar",
      "n",
      "~",
      "A1_",
      "-",
      "^a",
      "a|b",
      "",
      "éa",
    ],
  ],
  ["E", "x{2", ["x{2"]],
  ["E", "a+b", ["ab"]],
  ["E", "a\\+b", ["a+b"]],
  ["E", "(x)", ["*x", "(x)", "x{2", "xx"]],
  ["E", "\\(x\\)", ["(x)"]],
  ["E", "[&|]", ["a&b", "a|b"]],
  ["E", "()a", ["a&b", "aa", "ab", "a+b", "a.b", "a\\b", "foo bar", "^a", "a|b", "éa"]],
  [
    "E",
    "a||b",
    [
      "a&b",
      "aa",
      "ab",
      "a+b",
      "*x",
      "(x)",
      "x{2",
      "xx",
      "a.b",
      "[z]",
      "a\\b",
      "foo bar",
      "n",
      "~",
      "A1_",
      "-",
      "^a",
      "a|b",
      "",
      "éa",
    ],
  ],
  ["E", "\\bbar\\b", ["foo bar"]],
  ["E", "[[:punct:]]", ["a&b", "a+b", "*x", "(x)", "x{2", "a.b", "[z]", "a\\b", "~", "A1_", "-", "^a", "a|b"]],
  ["E", "^(foo|bar) bar$", ["foo bar"]],
];

test.each(FOUND)("grep -%s -e '%s'", (kind, expression, lines) => {
  const found = new RegExp(posixSource(expression, { isExtended: kind === "E" }), "u");
  expect(LINES.filter((line) => found.test(line))).toEqual(lines);
});

test.each(["*x", "^*x", "(*x)", "a|+x"])(
  "nothing is there to be repeated in '%s': an error, as bash has it",
  (source) => {
    expect(() => new RegExp(posixSource(source, { isExtended: true }), "u")).toThrow(SyntaxError);
  },
);

test("a bracket that nothing closes is said to be one", () => {
  expect(() => posixSource("a[b", { isExtended: true })).toThrow(expect.objectContaining({ code: "usage" }));
});

test("sed alone knows line breaks and tabs by their letters, and the ends of a text of several lines", () => {
  const sed = (source: string, text: string): boolean =>
    new RegExp(posixSource(source, { isExtended: true, isSed: true }), "mu").test(text);
  expect(sed("a\\nb", "a\nb")).toBe(true);
  expect(sed("[\\t]", "\t")).toBe(true);
  expect(sed("^b", "a\nb")).toBe(true);
  expect(sed("\\`b", "a\nb")).toBe(false);
  expect(new RegExp(posixSource("a\\nb", { isExtended: true }), "u").test("anb")).toBe(true);
});

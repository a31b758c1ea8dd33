import { expect, test } from "vitest";
import { jqWords } from "./jq-words.ts";

test("files are no words of the filter", () => {
  expect(jqWords([".a", "f.json", "g.json"])).toEqual({
    args: [".a"],
    files: ["f.json", "g.json"],
    filterFile: undefined,
  });
  expect(jqWords(["-rc", "--slurp", ".", "--", "-f"]).files).toEqual(["-f"]);
  expect(jqWords(["-rc", "--slurp", "."]).args).toEqual(["-rcs", "."]);
});

test("named values stand before the filter", () => {
  expect(jqWords(["-n", "--arg", "x", 'a"b', "--argjson", "y", "[1]", "{x: $x, y: $y}"]).args).toEqual([
    "-n",
    '"a\\"b" as $x | ([1]) as $y | {x: $x, y: $y}',
  ]);
});

test.each([[[]], [["--arg", "x"]], [["--tab", "."]], [["--arg", "1x", "v", "."]], [["-Z", "."]]])(
  "%j is refused",
  (words) => {
    expect(() => jqWords(words)).toThrow(/missing|takes a name|is no name|no option/);
  },
);

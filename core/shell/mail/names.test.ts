/** The names that a mail's files get when they are saved. */
import { expect, test } from "vitest";
import { fileNames } from "./names.ts";

test("each once, none hidden, none that leads elsewhere", () => {
  const names = [
    "a.txt",
    "a.txt",
    "a.txt",
    "../../etc/passwd",
    "..",
    "",
    ".starfishrc",
    "a/b",
    "a_b",
    "\u001b[2J",
    "x".repeat(300),
  ];
  expect(fileNames(names.map((name) => ({ name, sizeBytes: 1 })))).toEqual([
    "a.txt",
    "a (2).txt",
    "a (3).txt",
    "__.._etc_passwd",
    "file",
    "file (2)",
    "_starfishrc",
    "a_b",
    "a_b (2)",
    "_[2J",
    "x".repeat(64),
  ]);
});

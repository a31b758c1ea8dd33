import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isIncomplete, type Piece, piecesOf, Splitter } from "./split.ts";

const texts = (sql: string): string[] => piecesOf(sql).map(({ text }) => text);

describe("statements", () => {
  test.each([
    ["SELECT 1; SELECT 2", ["SELECT 1;", "SELECT 2"]],
    ["SELECT ';'; SELECT \"a;b\", [c;d], `e;f`;", ["SELECT ';';", 'SELECT "a;b", [c;d], `e;f`;']],
    ["SELECT 'it''s; fine'; x", ["SELECT 'it''s; fine';", "x"]],
    ["-- a; b\nSELECT 1 /* ; */ + 2; ;; /* end; */", ["SELECT 1 /* ; */ + 2;"]],
    ["SELECT 1 - -2; SELECT 4 / 2", ["SELECT 1 - -2;", "SELECT 4 / 2"]],
    ["", []],
    [" ; ;\n", []],
    [
      "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET n = CASE n WHEN 1 THEN 2 END; DELETE FROM c; END; SELECT 1",
      [
        "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET n = CASE n WHEN 1 THEN 2 END; DELETE FROM c; END;",
        "SELECT 1",
      ],
    ],
    [
      "explain create temp trigger x begin select 1; end; select 2",
      ["explain create temp trigger x begin select 1; end;", "select 2"],
    ],
    ["CREATE TABLE trigger_log (a); SELECT 1", ["CREATE TABLE trigger_log (a);", "SELECT 1"]],
    ["BEGIN; COMMIT; END;", ["BEGIN;", "COMMIT;", "END;"]],
  ])("%j", (sql, expected) => {
    expect(texts(sql)).toEqual(expected);
  });

  test("lines with a dot, and where each piece begins", () => {
    expect(piecesOf(".tables\n\nSELECT 1,\n 2;\n.mode csv\nSELECT\n.5; .stat")).toEqual([
      { kind: "dot", text: ".tables", line: 1 },
      { kind: "sql", text: "SELECT 1,\n 2;", line: 3 },
      { kind: "dot", text: ".mode csv", line: 5 },
      { kind: "sql", text: "SELECT\n.5;", line: 6 },
      { kind: "dot", text: ".stat", line: 7 },
    ]);
  });

  test("come out alike however the text is cut", () => {
    const word = fc.constantFrom(
      "SELECT",
      "'",
      '"',
      ";",
      "\n",
      "--",
      "/*",
      "*/",
      "CREATE",
      "TRIGGER",
      "END",
      " ",
      ".t",
      "ü",
      "[",
      "]",
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), fc.array(fc.nat(40), { maxLength: 5 }), (words, cuts) => {
        const text = words.join("");
        const splitter = new Splitter();
        const pieces: Piece[] = [];
        let at = 0;
        for (const cut of [...cuts, text.length].sort((a, b) => a - b)) {
          pieces.push(...splitter.feed(text.slice(at, Math.max(at, cut))));
          at = Math.max(at, cut);
        }
        pieces.push(...splitter.end());
        expect(pieces).toEqual(piecesOf(text));
      }),
    );
  });

  test("one that never ends is refused, and not kept", () => {
    const splitter = new Splitter();
    splitter.feed("SELECT 'a");
    expect(() => {
      for (let i = 0; i < 100; i++) splitter.feed("x".repeat(20_000));
    }).toThrow(/line 1: the statement has more than/);
  });
});

test.each([
  ["SELECT 1", true],
  ["SELECT 1;", false],
  ["SELECT ';", true],
  ["SELECT 1; -- done", false],
  ["SELECT 1; SELECT", true],
  ["/* only this", false],
  ["", false],
  [".tables", false],
  [".schema x", false],
  ["CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1;", true],
  ["CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; END;", false],
])("%j needs more: %j", (text, expected) => {
  expect(isIncomplete(text)).toBe(expected);
});

import { expect, test } from "vitest";
import { parseCreateTable, typeOf } from "./create-table.ts";
import { firstWord, nameOf, tokensOf } from "./tokens.ts";

test("columns, constraints and options are taken apart as they are written", () => {
  const sql = `CREATE TABLE "my ""t""" ( -- a comment, with a comma
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    [the name] VARCHAR(10, 2) NOT NULL DEFAULT 'a,b)' COLLATE NOCASE, /* ( */
    n DECIMAL DEFAULT (1 + (2)), \`bare\`,
    g AS (n * 2) STORED,
    CONSTRAINT c UNIQUE (id, n), CHECK (n IN (1, 2)), FOREIGN KEY (n) REFERENCES o (id) ON DELETE CASCADE
  ) STRICT, WITHOUT ROWID;`;
  expect(parseCreateTable(sql)).toEqual({
    columns: [
      { name: "id", definition: "INTEGER PRIMARY KEY AUTOINCREMENT" },
      { name: "the name", definition: "VARCHAR(10, 2) NOT NULL DEFAULT 'a,b)' COLLATE NOCASE" },
      { name: "n", definition: "DECIMAL DEFAULT (1 + (2))" },
      { name: "bare", definition: "" },
      { name: "g", definition: "AS (n * 2) STORED" },
    ],
    constraints: [
      "CONSTRAINT c UNIQUE (id, n)",
      "CHECK (n IN (1, 2))",
      "FOREIGN KEY (n) REFERENCES o (id) ON DELETE CASCADE",
    ],
    options: "STRICT, WITHOUT ROWID",
  });
});

test("a type is the words up to the first constraint", () => {
  const types = ["", "UUID PRIMARY KEY", "VARCHAR(10) UNIQUE", "unsigned big int not null", "COUNTER", "DEFAULT 3"];
  expect(types.map(typeOf)).toEqual(["", "UUID", "VARCHAR", "unsigned big int", "COUNTER", ""]);
});

test("tokens", () => {
  const text = `SELECT 'it''s', "a""b", [c d], x'00', 1.5e-3, 0xFF, a<>b -- end`;
  expect([...tokensOf(text)].map((token) => nameOf(token))).toEqual([
    "SELECT",
    "it's",
    ",",
    'a"b',
    ",",
    "c d",
    ",",
    "x",
    "00",
    ",",
    "1.5e-3",
    ",",
    "0xFF",
    ",",
    "a",
    "<",
    ">",
    "b",
  ]);
  expect(["  /* x */ -- y\n with a", "", "(select 1)", "'unended"].map(firstWord)).toEqual(["WITH", "", "", ""]);
});

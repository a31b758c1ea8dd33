import { expect, test } from "vitest";
import type { SchemaObject } from "../../db/types.ts";
import { completeSql } from "./complete.ts";

function table(name: string, columns: readonly string[]): SchemaObject {
  return {
    kind: "table",
    name,
    table: undefined,
    sql: "",
    isOfComputer: false,
    columns: columns.map((column) => ({
      name: column,
      type: "TEXT",
      isNotNull: false,
      primaryKeyAt: 0,
      default: undefined,
      merges: "last-writer",
    })),
  };
}

const schema = [table("people", ["name", "age"]), table("places", ["name", "Zip code"]), table("Order", ["nr"])];

/** The line with each candidate at the place of `|`. */
function candidates(line: string): string[] {
  const cursor = line.indexOf("|");
  return completeSql(line.replace("|", ""), cursor, schema).candidates.map(({ text }) => text);
}

test.each([
  ["SELECT * FROM pe|", ["people"]],
  ["SELECT * FROM |", ['"Order"', "people", "places"]],
  ["SELECT * FROM or|", ['"Order"']],
  ["INSERT INTO pl|", ["places"]],
  ["DROP TABLE IF EXISTS pe|", ["people"]],
  ["SELECT * FROM people, pl|", ["places"]],
  ["SELECT p.| FROM people AS p", ["age", "name"]],
  ["SELECT p.a| FROM people p", ["age"]],
  ["SELECT places.z| FROM places", ['"Zip code"']],
  ['SELECT "zi| FROM places', ['"Zip code"']],
  ["SELECT na| FROM people", ["name", "natural"]],
  ["SELECT ag|", ["age"]],
  ["SEL|", ["SELECT"]],
  ["sel|", ["select"]],
  ["SELECT 'pe|", []],
  ["SELECT 1 -- pe|", []],
  ["SELECT 1; DELETE FROM pe|", ["people"]],
  [".sc|", [".schema"]],
  [".schema pe|", ["people"]],
  [".mode c|", ["csv"]],
])("%s", (line, expected) => {
  expect(candidates(line)).toEqual(expected);
});

test("takes the place of what is typed, and says where that begins", () => {
  expect(completeSql("SELECT * FROM pe WHERE", 16, schema).from).toBe(14);
});

/** The statements of the view of tables: names are quoted and typed values are bound, whatever they contain. */
import { expect, test } from "vitest";
import type { ColumnDetail, SchemaObject } from "../../../core/db/types.ts";
import { countOf, insertOf, pageOf, shapeOf, updateOf } from "./statements.ts";

const HOSTILE = `x"; DROP TABLE users; --`;

function column(name: string, type: string, primaryKeyAt: number = 0): ColumnDetail {
  return { name, type, isNotNull: false, primaryKeyAt, default: undefined, merges: "last-writer" };
}

function table(columns: readonly ColumnDetail[], more: Partial<SchemaObject> = {}): SchemaObject {
  return { kind: "table", name: HOSTILE, table: undefined, sql: "", columns, isOfComputer: false, ...more };
}

test("names with quotes in them stay names, and a filter stays a value", () => {
  const shape = shapeOf(table([column("id", "UUID", 1), column(HOSTILE, "INTEGER")]));
  const view = { filter: `50%_' OR 1=1`, sort: { column: HOSTILE, isDescending: true }, offset: 100 };
  const { text, parameters } = pageOf(shape, view);
  expect(text).toContain(`FROM "x""; DROP TABLE users; --" WHERE`);
  expect(text).toContain(`ORDER BY "x""; DROP TABLE users; --" DESC, "id" LIMIT ? OFFSET ?`);
  expect(parameters).toEqual([`%50\\%\\_' OR 1=1%`, `%50\\%\\_' OR 1=1%`, 50, 100]);
  expect(updateOf(shape, ["k"], HOSTILE, 5)).toEqual({
    text: `UPDATE "x""; DROP TABLE users; --" SET "x""; DROP TABLE users; --" = ? WHERE "id" IS ?`,
    parameters: [5, "k"],
  });
});

test("a comparison is one where there is such a column; values are of the column's type", () => {
  const shape = shapeOf(table([column("Age", "INTEGER"), column("name", "TEXT")], { name: "people" }));
  const where = (filter: string): unknown => {
    const { text, parameters } = countOf(shape, { filter, sort: undefined, offset: 0 });
    return [text.slice(text.indexOf("WHERE")), ...parameters];
  };
  expect(where("age >= 30")).toEqual([`WHERE "Age" >= ?`, 30]);
  expect(where("name = '30'")).toEqual([`WHERE "name" = ?`, "30"]);
  expect(where("age != null")).toEqual([`WHERE "Age" IS NOT NULL`]);
  expect(where("size > 30")).toHaveLength(3);
});

test("rows are named by their primary key in its order, by their number without one, and those of the computer not at all", () => {
  expect(shapeOf(table([column("b", "TEXT", 2), column("a", "TEXT", 1)])).key).toEqual(["a", "b"]);
  expect(shapeOf(table([column("rowid", "TEXT"), column("b", "TEXT")])).key).toEqual(["_rowid_"]);
  expect(shapeOf(table([column("a", "TEXT", 1)], { isOfComputer: true })).key).toEqual([]);
  expect(insertOf("t", {}).text).toBe(`INSERT INTO "t" DEFAULT VALUES`);
});

/**
 * The statements behind the view of a table: a page of its rows, filtered and sorted by SQLite, and changes of single
 * rows. Pure.
 */
import { quoted } from "../../../core/db/schema/tokens.ts";
import type { ColumnDetail, SchemaObject, SqlParameter, SqlValue } from "../../../core/db/types.ts";
import { parsed } from "./values.ts";

export interface Statement {
  readonly text: string;
  readonly parameters: readonly SqlParameter[];
}

/** A table as it is shown. */
export interface Shape {
  readonly table: string;
  readonly columns: readonly ColumnDetail[];
  /**
   * The columns that identify a row: the primary key, or the number that every row has. Empty if rows can't be changed.
   */
  readonly key: readonly string[];
}

export interface View {
  readonly filter: string;
  readonly sort: { readonly column: string; readonly isDescending: boolean } | undefined;
  readonly offset: number;
}

/** Rows that are shown at once. */
export const PAGE_ROWS = 50;
/** Columns that are shown; a query can show others. */
export const COLUMNS_SHOWN = 30;
/** Letters and bytes of a value that are shown; one more tells that there are more. */
export const TEXT_SHOWN = 200;
export const BLOB_SHOWN = 32;

export function shapeOf({ kind, name, columns, isOfComputer }: SchemaObject): Shape {
  const key = columns
    .filter(({ primaryKeyAt }) => primaryKeyAt > 0)
    .toSorted((a, b) => a.primaryKeyAt - b.primaryKeyAt)
    .map((column) => column.name);
  const taken = new Set(columns.map((column) => column.name.toLowerCase()));
  const rowid = ["rowid", "_rowid_", "oid"].find((one) => !taken.has(one));
  const isFixed = kind !== "table" || isOfComputer;
  return {
    table: name,
    columns: columns.slice(0, COLUMNS_SHOWN),
    key: isFixed ? [] : key.length > 0 || rowid === undefined ? key : [rowid],
  };
}

/** Keys come as k0, k1, …, columns as c0, c1, … */
export function pageOf(shape: Shape, { filter, sort, offset }: View): Statement {
  const keys = shape.key.map((name, i) => `${quoted(name)} AS k${i}`);
  const columns = shape.columns.map(({ name }, i) => `${shownPart(quoted(name))} AS c${i}`);
  const where = whereOf(shape, filter);
  const order = [
    ...(sort === undefined ? [] : [`${quoted(sort.column)}${sort.isDescending ? " DESC" : ""}`]),
    ...shape.key.map(quoted),
  ];
  const by = order.length === 0 ? "" : ` ORDER BY ${order.join(", ")}`;
  return {
    text: `SELECT ${[...keys, ...columns].join(", ")} FROM ${quoted(shape.table)}${where.text}${by} LIMIT ? OFFSET ?`,
    parameters: [...where.parameters, PAGE_ROWS, offset],
  };
}

export function countOf(shape: Shape, { filter }: View): Statement {
  const where = whereOf(shape, filter);
  return { text: `SELECT count(*) AS n FROM ${quoted(shape.table)}${where.text}`, parameters: where.parameters };
}

/** The whole of one value, or a whole row. */
export function rowOf(shape: Shape, key: readonly SqlValue[], column?: string): Statement {
  const what = column === undefined ? "*" : `${quoted(column)} AS value`;
  return { text: `SELECT ${what} FROM ${quoted(shape.table)} WHERE ${isKey(shape)}`, parameters: key };
}

export function updateOf(shape: Shape, key: readonly SqlValue[], column: string, value: SqlValue): Statement {
  return {
    text: `UPDATE ${quoted(shape.table)} SET ${quoted(column)} = ? WHERE ${isKey(shape)}`,
    parameters: [value, ...key],
  };
}

export function deleteOf(shape: Shape, key: readonly SqlValue[]): Statement {
  return { text: `DELETE FROM ${quoted(shape.table)} WHERE ${isKey(shape)}`, parameters: key };
}

export function insertOf(table: string, values: Readonly<Record<string, SqlValue>>): Statement {
  const names = Object.keys(values);
  if (names.length === 0) return { text: `INSERT INTO ${quoted(table)} DEFAULT VALUES`, parameters: [] };
  const columns = names.map(quoted).join(", ");
  const places = names.map(() => "?").join(", ");
  return { text: `INSERT INTO ${quoted(table)} (${columns}) VALUES (${places})`, parameters: Object.values(values) };
}

function isKey({ key }: Shape): string {
  return key.map((name) => `${quoted(name)} IS ?`).join(" AND ");
}

function shownPart(column: string): string {
  const text = `WHEN 'text' THEN substr(${column}, 1, ${TEXT_SHOWN + 1})`;
  return `CASE typeof(${column}) ${text} WHEN 'blob' THEN substr(${column}, 1, ${BLOB_SHOWN + 1}) ELSE ${column} END`;
}

/** "age > 30" compares, if there is such a column; any other text is searched for in all columns. */
function whereOf({ columns }: Shape, filter: string): Statement {
  const wanted = filter.trim();
  if (wanted === "") return { text: "", parameters: [] };
  const [, name = "", sign = "", operand = ""] = /^([^\s<>=!]+)\s*(<=|>=|!=|<>|=|<|>)\s*(.*)$/s.exec(wanted) ?? [];
  const column = columns.find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (column !== undefined) {
    const isNull = /^null$/i.test(operand);
    const value = isNull ? undefined : parsed(operand.replace(/^(["'])(.*)\1$/s, "$2"), column.type ?? "");
    if (isNull) return { text: ` WHERE ${quoted(column.name)} IS${sign === "=" ? "" : " NOT"} NULL`, parameters: [] };
    if (value?.isRight === true) return { text: ` WHERE ${quoted(column.name)} ${sign} ?`, parameters: [value.value] };
  }
  const pattern = `%${wanted.replaceAll(/[\\%_]/g, "\\$&")}%`;
  const tests = columns.map((one) => `${quoted(one.name)} LIKE ? ESCAPE '\\'`);
  return { text: ` WHERE (${tests.join(" OR ")})`, parameters: columns.map(() => pattern) };
}

/** The table that is measured with: five columns, of which the key is one. */
import type { PlainValue } from "./plain.ts";

export const CREATE = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, g INTEGER, n INTEGER, r REAL)";
export const COLUMNS: readonly string[] = ["id", "name", "g", "n", "r"];
/** Inserts the rows that a parameter holds as JSON. */
export const INSERT_JSON =
  "INSERT INTO t SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?)";
export const INSERT = "INSERT INTO t VALUES (?, ?, ?, ?, ?)";

function rowOf(i: number): PlainValue[] {
  const mixed = Math.imul(i + 1, 0x9e3779b1) >>> 0;
  return [i, `name of ${mixed.toString(36).padStart(7, "0")}`, mixed % 100, mixed % 1_000_003, mixed / 7];
}

export function rowsOf(from: number, to: number): PlainValue[][] {
  return Array.from({ length: to - from }, (_, i) => rowOf(from + i));
}

/** Bytes of the values themselves: text as it is, numbers as SQLite keeps them. */
export function valueBytes(rows: readonly PlainValue[][]): number {
  let bytes = 0;
  for (const row of rows)
    for (const value of row) bytes += typeof value === "string" ? value.length : bytesOf(Number(value));
  return bytes;
}

function bytesOf(value: number): number {
  if (!Number.isInteger(value)) return 8;
  const size = Math.abs(value);
  return size < 128 ? 1 : size < 32_768 ? 2 : size < 2 ** 31 ? 4 : 8;
}

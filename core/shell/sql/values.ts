/** A value of the database as people and programs read it. Pure. */
import { toHex } from "../../base/bytes.ts";
import type { SqlValue } from "../../db/types.ts";
import { oneLine } from "../harmless.ts";
import { UNITS_A_CELL_MAX } from "../width.ts";
import { CELL_CHARS_MAX } from "./limits.ts";

/** On one line, cut if it is long. */
export function cellText(value: SqlValue, cells: number = CELL_CHARS_MAX): string {
  if (value instanceof Uint8Array) return hex(value.subarray(0, cells));
  return oneLine(textOf(value).slice(0, Math.min(CELL_CHARS_MAX, cells) * UNITS_A_CELL_MAX));
}

/** The whole value; bytes as SQLite writes them. NULL is "NULL". */
export function textOf(value: SqlValue): string {
  if (value === null) return "NULL";
  if (value instanceof Uint8Array) return hex(value);
  return typeof value === "number" ? numberText(value) : String(value);
}

function numberText(value: number): string {
  return Number.isFinite(value) ? String(value) : value > 0 ? "Inf" : "-Inf";
}

function hex(bytes: Uint8Array): string {
  return `x'${toHex(bytes)}'`;
}

/** In a form that SQLite reads back, for dumps. */
export function literalOf(value: SqlValue): string {
  if (value === null) return "NULL";
  if (value instanceof Uint8Array) return hex(value);
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : value > 0 ? "9e999" : "-9e999";
  const text = `'${value.replaceAll("'", "''")}'`;
  // The text of a statement can't contain NUL.
  return value.includes("\0") ? `(${text.split("\0").join("' || char(0) || '")})` : text;
}

/** A name as SQL requires it: in quotes if it is not a plain word, or is a keyword. */
export function quotedName(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !RESERVED.has(name.toUpperCase())
    ? name
    : `"${name.replaceAll('"', '""')}"`;
}

/** https://sqlite.org/lang_keywords.html: keywords that can't be names without quotes. */
const RESERVED: ReadonlySet<string> = new Set(
  (
    "ADD ALL ALTER AND AS AUTOINCREMENT BETWEEN CASE CHECK COLLATE COMMIT CONSTRAINT CREATE DEFAULT DEFERRABLE DELETE " +
    "DISTINCT DROP ELSE ESCAPE EXCEPT EXISTS FOREIGN FROM GROUP HAVING IF IN INDEX INSERT INTERSECT INTO IS ISNULL JOIN " +
    "LIMIT NOT NOTHING NOTNULL NULL ON OR ORDER PRIMARY REFERENCES RETURNING SELECT SET TABLE THEN TO TRANSACTION UNION " +
    "UNIQUE UPDATE USING VALUES WHEN WHERE"
  ).split(" "),
);

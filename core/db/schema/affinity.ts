/**
 * How SQLite converts values by the declared types of columns (https://sqlite.org/datatype3.html#type_affinity). Pure.
 */
import type { SqlValue } from "../types.ts";

export type Affinity = "integer" | "text" | "none" | "real" | "numeric";

const NUMBER: RegExp = /^[ \t\n\v\f\r]*[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?[ \t\n\v\f\r]*$/i;

export function affinityOf(type: string): Affinity {
  const name = type.toUpperCase();
  if (name.includes("INT")) return "integer";
  if (/CHAR|CLOB|TEXT/.test(name)) return "text";
  if (name === "" || name.includes("BLOB") || name === "ANY") return "none";
  return /REAL|FLOA|DOUB/.test(name) ? "real" : "numeric";
}

/** Whether a column keeps the value as it is, except for how a number is stored. */
export function isKept(value: SqlValue, affinity: Affinity): boolean {
  if (affinity === "none" || value === null || value instanceof Uint8Array) return true;
  if (affinity === "text") return typeof value === "string";
  return typeof value !== "string" || !NUMBER.test(value);
}

/**
 * An answer as sqllogictest has SQLite print it (src/sqllogictest.c and slt_sqlite.c), and whether it is the expected
 * one.
 */
import { createHash } from "node:crypto";
import type { SqlValue } from "../../core/db/types.ts";
import type { QueryRecord, SortMode } from "./records.ts";

/** Characters that are not printed as they are. */
const UNPRINTED: RegExp = /[^ -~]/g;

/** The values as text, row by row. A missing or superfluous column becomes a value that is never expected. */
function printed(rows: readonly (readonly SqlValue[])[], types: string): string[][] {
  return rows.map((row) => row.map((value, i) => print(value, types[i] ?? "?")));
}

function print(value: SqlValue, type: string): string {
  if (value === null) return "NULL";
  if (type === "I") return String(Number(BigInt.asIntN(32, integerOf(value))));
  if (type === "R") return fixed(numberOf(value));
  const text = typeof value === "object" ? new TextDecoder("latin1").decode(value) : String(value);
  return text === "" ? "(empty)" : text.replace(UNPRINTED, "@");
}

/** SQLite prints no more than 16 significant digits. */
function fixed(value: number): string {
  if (Math.abs(value) < 1e15) return value.toFixed(3);
  const [digits = "", exponent = "0"] = value.toExponential(15).replace(".", "").split("e+");
  return `${digits.padEnd(Number(exponent) + (value < 0 ? 2 : 1), "0")}.000`;
}

/** Casts a value to a number as SQLite does. */
function numberOf(value: Exclude<SqlValue, null>): number {
  if (typeof value === "object") return 0;
  if (typeof value !== "string") return Number(value);
  return Number(/^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?/i.exec(value)?.[0] ?? "0");
}

function integerOf(value: Exclude<SqlValue, null>): bigint {
  return typeof value === "bigint" ? value : BigInt(Math.trunc(numberOf(value)));
}

function sorted(rows: readonly (readonly string[])[], sort: SortMode): string[] {
  if (sort === "valuesort") return rows.flat().sort(byBytes);
  if (sort === "nosort") return rows.flat();
  return rows.toSorted((x, y) => byBytes(x.join("\u0001"), y.join("\u0001"))).flat();
}

function byBytes(x: string, y: string): number {
  return x < y ? -1 : x > y ? 1 : 0;
}

/** Undefined if the answer is the expected one; otherwise a text that says what is wrong. */
export function difference(rows: readonly (readonly SqlValue[])[], record: QueryRecord): string | undefined {
  const { types, sort, expected } = record;
  const values = sorted(printed(rows, types), sort);
  const [, count, hash] = /^(\d+) values hashing to ([0-9a-f]{32})$/.exec(expected[0] ?? "") ?? [];
  if (rows.some((row) => row.length !== types.length)) return `${rows[0]?.length} columns instead of ${types.length}`;
  if (hash === undefined) {
    const at = Array.from({ length: Math.max(values.length, expected.length) }).findIndex(
      (_, i) => values[i] !== expected[i],
    );
    return at < 0 ? undefined : `value ${at + 1} of ${values.length} is ${values[at]} instead of ${expected[at]}`;
  }
  if (values.length !== Number(count)) return `${values.length} values instead of ${count}`;
  const ours = createHash("md5");
  for (const value of values) ours.update(`${value}\n`);
  return ours.digest("hex") === hash ? undefined : "values that have another hash";
}

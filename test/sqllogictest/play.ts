/** Runs the records of a file on one node, and asks the same queries of a second node that has received the data. */
import { isStarfishError, messageOf } from "../../core/base/errors.ts";
import type { SqlDatabase, SqlValue } from "../../core/db/types.ts";
import { difference } from "./answers.ts";
import type { SqlRecord } from "./records.ts";

export interface Pair {
  /** All statements are run here. */
  readonly first: SqlDatabase;
  /** Has at any moment what the first one has. */
  readonly second: SqlDatabase;
}

export interface Failure {
  readonly line: number;
  readonly sql: string;
  /** A text that is equal for failures of one kind. */
  readonly kind: string;
  readonly message: string;
}

export interface Played {
  readonly records: number;
  readonly failures: readonly Failure[];
}

type Rows = readonly (readonly SqlValue[])[];

export async function play(records: readonly SqlRecord[], pair: Pair): Promise<Played> {
  const failures: Failure[] = [];
  for (const record of records) {
    const { line, sql } = record;
    const failure = record.kind === "statement" ? await state(sql, record.succeeds, pair) : await ask(record, pair);
    if (failure !== undefined) failures.push({ line, sql, ...failure });
  }
  return { records: records.length, failures };
}

type Fault = Pick<Failure, "kind" | "message">;

async function state(sql: string, succeeds: boolean, { first }: Pair): Promise<Fault | undefined> {
  try {
    await first.query(sql).run();
  } catch (error) {
    return succeeds ? faultOf(error) : undefined;
  }
  return succeeds ? undefined : { kind: "succeeded", message: "It succeeded, and was to fail" };
}

async function ask(record: Extract<SqlRecord, { kind: "query" }>, { first, second }: Pair): Promise<Fault | undefined> {
  try {
    const rows = await rowsOf(first, record.sql);
    const wrong = difference(rows, record);
    if (wrong !== undefined) return { kind: "another answer", message: wrong };
    const others = await rowsOf(second, record.sql);
    return isSame(rows, others)
      ? undefined
      : { kind: "the second node answers otherwise", message: firstOf(rows, others) };
  } catch (error) {
    return faultOf(error);
  }
}

async function rowsOf(database: SqlDatabase, sql: string): Promise<Rows> {
  const rows: (readonly SqlValue[])[] = [];
  await using cursor = await database.query(sql).open();
  for await (const page of cursor) for (const row of page) rows.push(row);
  return rows;
}

function faultOf(error: unknown): Fault {
  const message = messageOf(error);
  const code = isStarfishError(error) ? error.code : "no typed error";
  // Failures that differ only in names and numbers are of one kind.
  return { kind: `${code}: ${message.replaceAll(/"[^"]*"|'[^']*'|\d+/g, "…").slice(0, 100)}`, message };
}

/** Rows are in the same order on both, whatever the query says about it. */
function isSame(x: Rows, y: Rows): boolean {
  return x.length === y.length && x.every((row, i) => row.every((value, j) => isSameValue(value, y[i]?.[j])));
}

function isSameValue(x: SqlValue, y: SqlValue | undefined): boolean {
  if (x instanceof Uint8Array && y instanceof Uint8Array)
    return x.length === y.length && x.every((byte, i) => byte === y[i]);
  return Object.is(x, y);
}

function firstOf(x: Rows, y: Rows): string {
  const at = x.findIndex((row, i) => !isSame([row], [y[i] ?? []]));
  return `${x.length} and ${y.length} rows; row ${at + 1}: ${String(x[at])} and ${String(y[at])}`;
}

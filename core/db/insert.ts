/** Inserts many rows into a table, in transactions as large as possible. */
import { isStarfishError, StarfishError, throwIfAborted } from "../base/errors.ts";
import { INSERT_BYTES } from "./limits.ts";
import { quoted } from "./schema/tokens.ts";
import type { Database } from "./database.ts";
import type { QueryOptions, SqlParameter } from "./types.ts";

type Values = readonly SqlParameter[];

/** Rows of one transaction whose sizes are not known to be small. */
const ROWS_MAX = 2_000;
const ROW_BYTES = 60;

/** As SqlDatabase.insert. */
export async function insertAll(
  database: Database,
  table: string,
  columns: readonly string[],
  rows: Iterable<Values> | AsyncIterable<Values>,
  options: QueryOptions = {},
): Promise<number> {
  const places = columns.map(() => "?").join(", ");
  const text = `INSERT INTO ${quoted(table)} (${columns.map(quoted).join(", ")}) VALUES (${places})`;
  let done = 0;
  let waiting: Values[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    const batch = waiting;
    waiting = [];
    bytes = 0;
    if (batch.length === 0) return;
    await insertBatch(database, text, batch, options);
    done += batch.length;
  };
  try {
    for await (const row of rows) {
      throwIfAborted(options.signal);
      waiting.push(row);
      bytes += ROW_BYTES + sizeOf(row);
      if (bytes >= INSERT_BYTES || waiting.length >= ROWS_MAX) await flush();
    }
    await flush();
    return done;
  } catch (error) {
    if (!isStarfishError(error)) throw error;
    const { code, message, retryable } = error;
    throw new StarfishError(code, `${message} (${done} rows before it stay)`, { cause: error, retryable });
  }
}

/** In one transaction, or in two halves if that is too large. */
async function insertBatch(
  database: Database,
  text: string,
  rows: readonly Values[],
  options: QueryOptions,
): Promise<void> {
  try {
    await database.executeMany(text, rows, options);
  } catch (error) {
    if (!isStarfishError(error, "too-large") || rows.length === 1) throw error;
    const half = Math.ceil(rows.length / 2);
    await insertBatch(database, text, rows.slice(0, half), options);
    await insertBatch(database, text, rows.slice(half), options);
  }
}

function sizeOf(row: Values): number {
  let bytes = 0;
  for (const value of row) bytes += typeof value === "string" || value instanceof Uint8Array ? value.length + 2 : 9;
  return bytes;
}

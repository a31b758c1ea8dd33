/**
 * Statements as programs write them, and their answers. This file is small; the database is loaded when a statement is
 * first run.
 */
import { StarfishError } from "../base/errors.ts";
import { LiveAnswer, type ReadResult, type Watched } from "./live.ts";
import { RESULT_BYTES_MAX } from "./limits.ts";
import { firstWord, quoted } from "./schema/tokens.ts";
import type {
  Cursor,
  LiveQuery,
  Queries,
  Query,
  QueryOptions,
  SqlName,
  SqlParameter,
  SqlParameters,
  SqlResult,
  SqlRow,
  SqlValue,
} from "./types.ts";

/** Runs statements: the database, one of its transactions, a file. */
export interface Runner {
  open(sql: string, parameters: SqlParameters, options: QueryOptions): Promise<Cursor>;
  /** Undefined: it can't be watched. */
  readonly watched: Watched | undefined;
}

class SqlNamed implements SqlName {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

export function sqlName(name: string): SqlName {
  return new SqlNamed(name);
}

/** The functions that make statements for `runner`. */
export function queriesOf(runner: Runner): Queries {
  const template = <Row = SqlRow>(
    text: TemplateStringsArray,
    ...values: readonly (SqlParameter | SqlName)[]
  ): Query<Row> => {
    const parameters: SqlParameter[] = [];
    let sql = text[0] ?? "";
    for (const [i, value] of values.entries()) {
      if (value instanceof SqlNamed) sql += quoted(value.name);
      else {
        sql += "?";
        parameters.push(toParameter(value));
      }
      sql += text[i + 1] ?? "";
    }
    return new RunnableQuery<Row>(runner, sql, parameters);
  };
  const query = <Row = SqlRow>(text: string, parameters: SqlParameters = []): Query<Row> =>
    new RunnableQuery<Row>(runner, text, parameters);
  return Object.assign(template, { query });
}

function toParameter(value: SqlParameter | SqlName): SqlParameter {
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return value;
  throw new StarfishError("usage", "A parameter is NULL, a number, text or bytes; JSON.stringify what is more");
}

class RunnableQuery<Row> implements Query<Row> {
  readonly text: string;
  readonly parameters: SqlParameters;
  readonly #runner: Runner;

  constructor(runner: Runner, text: string, parameters: SqlParameters) {
    this.#runner = runner;
    this.text = text;
    this.parameters = parameters;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- a statement can be awaited
  then<Fulfilled = readonly Row[], Rejected = never>(
    fulfilled?: ((rows: readonly Row[]) => Fulfilled | PromiseLike<Fulfilled>) | null,
    rejected?: ((reason: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Fulfilled | Rejected> {
    return this.run()
      .then(({ rows }) => rows)
      .then(fulfilled, rejected);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Row, void, undefined> {
    await using cursor = await this.open();
    const names = cursor.columns.map(({ name }) => name);
    for await (const page of cursor) for (const row of page) yield rowOf(names, row) as Row;
  }

  async run(options: QueryOptions = {}): Promise<SqlResult<Row>> {
    const { rows, columns, changes } = await this.#readAll(options);
    return { rows, columns, changes };
  }

  async #readAll(options: QueryOptions): Promise<ReadResult<Row>> {
    await using cursor = await this.open(options);
    const columns = cursor.columns.map(({ name }) => name);
    const rows: Row[] = [];
    let bytes = 0;
    for await (const page of cursor) {
      for (const row of page) {
        bytes += sizeOf(row);
        rows.push(rowOf(columns, row) as Row);
      }
      if (bytes > RESULT_BYTES_MAX) {
        throw new StarfishError(
          "too-large",
          `The answer has more than ${RESULT_BYTES_MAX} bytes: iterate over it, or use LIMIT`,
        );
      }
    }
    return { rows, columns, changes: cursor.changes, reads: cursor.reads };
  }

  async first(options: QueryOptions = {}): Promise<Row | undefined> {
    await using cursor = await this.open(options);
    const row = (await cursor.next())?.[0];
    const names = cursor.columns.map(({ name }) => name);
    return row && (rowOf(names, row) as Row);
  }

  open(options: QueryOptions = {}): Promise<Cursor> {
    return this.#runner.open(this.text, this.parameters, options);
  }

  live(): LiveQuery<Row> {
    const { watched } = this.#runner;
    if (watched === undefined) throw new StarfishError("usage", "Only the database itself can be watched");
    if (!READING.has(firstWord(this.text)))
      throw new StarfishError("usage", "Only a statement that reads can be watched");
    return new LiveAnswer<Row>(watched, this.text, (options) => this.#readAll(options));
  }

  async plan(): Promise<readonly string[]> {
    await using cursor = await this.#runner.open(`EXPLAIN QUERY PLAN ${this.text}`, this.parameters, {});
    const lines: string[] = [];
    for await (const page of cursor) for (const row of page) lines.push(String(row[3]));
    return lines;
  }
}

/** The first words of statements that possibly only read. */
export const READING: ReadonlySet<string> = new Set(["SELECT", "VALUES", "WITH", "EXPLAIN", "PRAGMA"]);

function rowOf(names: readonly string[], values: readonly SqlValue[]): SqlRow {
  const row: Record<string, SqlValue> = {};
  for (let i = 0; i < names.length; i++) {
    const name = names[i] ?? "";
    // A plain assignment to a column of that name would set the object's prototype.
    if (name === "__proto__") Object.defineProperty(row, name, { value: values[i], enumerable: true });
    else row[name] = values[i] ?? null;
  }
  return row;
}

function sizeOf(row: readonly SqlValue[]): number {
  let bytes = 16 * row.length;
  for (const value of row) if (typeof value === "string" || value instanceof Uint8Array) bytes += value.length;
  return bytes;
}

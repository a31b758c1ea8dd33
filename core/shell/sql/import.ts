/** `sql --import`: reads a CSV file into a table, which is made if there is none, or runs the statements of a dump. */
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import type { SchemaObject, Transaction } from "../../db/types.ts";
import { firstWord, isWord, tokensOf } from "../../db/schema/tokens.ts";
import { TransferLine } from "../files/progress.ts";
import { count } from "../format.ts";
import { oneLine } from "../harmless.ts";
import type { CommandContext } from "../types.ts";
import { CsvReader, type CsvRecord, guessType } from "./csv.ts";
import { GUESSED_RECORDS, IMPORT_CHARS } from "./limits.ts";
import { LocatedError } from "./statements.ts";
import { type Piece, Splitter } from "./split.ts";
import { controlOf } from "./target.ts";
import { textOf } from "./text.ts";
import { quotedName } from "./values.ts";

export interface CsvOptions {
  readonly delimiter: string | undefined;
  readonly hasHeader: boolean;
}

export async function importFile(
  file: string,
  table: string | undefined,
  options: CsvOptions,
  context: CommandContext,
): Promise<void> {
  const line = new TransferLine(`import ${oneLine(file)}`, context);
  const path = context.path(file);
  const entry = file === "-" ? undefined : await context.names.stat(path, { signal: context.signal });
  if (entry?.kind === "directory") throw new StarfishError("is-a-directory", `${file} is a directory`);
  if (entry?.sizeBytes !== undefined) line.expect(entry.sizeBytes);
  const text = textOf(line.through(context.input(file)), file);
  try {
    const told = isSql(file, table)
      ? await importSql(file, text, context)
      : await importCsv(file, text, table, options, context);
    line.hide();
    await context.stdout.print(`${told}\n`);
  } finally {
    line.hide();
  }
}

function isSql(file: string, table: string | undefined): boolean {
  return table === undefined && /\.(sql|dump)$/i.test(file);
}

async function importCsv(
  file: string,
  text: AsyncIterable<string>,
  table: string | undefined,
  options: CsvOptions,
  context: CommandContext,
): Promise<string> {
  if (table === undefined) throw new StarfishError("usage", "TABLE is missing: sql --import FILE.csv TABLE");
  const { sql } = context.computer;
  const records = recordsOf(file, text, options.delimiter)[Symbol.asyncIterator]();
  const first = await records.next();
  if (first.done === true) throw new StarfishError("malformed", `${file} is empty`);
  const sample = options.hasHeader ? [] : [first.value];
  while (sample.length < GUESSED_RECORDS) {
    const next = await records.next();
    if (next.done === true) break;
    sample.push(next.value);
  }
  const known = (await sql.schema()).find(({ name }) => name.toLowerCase() === table.toLowerCase());
  if (known !== undefined && known.kind !== "table") throw new StarfishError("usage", `${table} is no table`);
  const names = options.hasHeader ? headerOf(first.value.record) : undefined;
  const columns = columnsFor(first.value.record.length, names, known);
  if (known === undefined) {
    const types = columns.map((_, i) => guessType(sample.map(({ record }) => record[i] ?? null)));
    const list = columns.map((name, i) => `${quotedName(name)} ${types[i] ?? "TEXT"}`).join(", ");
    await sql.query(`CREATE TABLE ${quotedName(table)} (${list})`).run({ signal: context.signal });
  }
  const rows = rowsOf(file, sample, records, columns.length);
  const inserted = await sql.insert(table, columns, rows, { signal: context.signal });
  return `${count(inserted, "row")} into ${oneLine(table)}${known === undefined ? ", which is new" : ""}.`;
}

interface Numbered {
  readonly record: CsvRecord;
  readonly line: number;
}

async function* recordsOf(
  file: string,
  text: AsyncIterable<string>,
  given: string | undefined,
): AsyncGenerator<Numbered, void, undefined> {
  let reader: CsvReader | undefined;
  const named = (read: () => Numbered[]): Numbered[] => {
    try {
      return read();
    } catch (error) {
      if (!isStarfishError(error)) throw error;
      throw new StarfishError(error.code, `${file}: ${error.message}`, { cause: error });
    }
  };
  for await (const piece of text) {
    if (piece === "") continue;
    const open = (reader ??= new CsvReader(given ?? delimiterOf(file, piece)));
    yield* named(() => open.feed(piece));
  }
  if (reader !== undefined) yield* named(() => reader?.end() ?? []);
}

/**
 * The delimiter by the file's name; else the one that occurs most in the first line, since spreadsheets of some
 * countries write semicolons.
 */
function delimiterOf(file: string, text: string): string {
  if (/\.tsv$/i.test(file)) return "\t";
  const line = text.slice(0, text.search(/\n|$/)).replaceAll(/"[^"]*"/g, "");
  const often = (delimiter: string): number => line.split(delimiter).length;
  return [",", ";", "\t"].reduce((best, delimiter) => (often(delimiter) > often(best) ? delimiter : best));
}

/** The names of the columns, which must all differ. */
function headerOf(record: CsvRecord): string[] {
  const names: string[] = [];
  for (const [i, field] of record.entries()) {
    const name = (field ?? "").trim() || `c${i + 1}`;
    const isTaken = (wanted: string): boolean => names.some((other) => other.toLowerCase() === wanted.toLowerCase());
    let free = name;
    for (let n = 2; isTaken(free); n++) free = `${name}_${n}`;
    names.push(free);
  }
  return names;
}

/** The columns of an existing table: by their names, or in order if the file has no names. Throws "usage". */
function columnsFor(
  width: number,
  names: readonly string[] | undefined,
  known: SchemaObject | undefined,
): readonly string[] {
  if (known === undefined) return names ?? Array.from({ length: width }, (_, i) => `c${i + 1}`);
  const own = known.columns.map(({ name }) => name);
  if (names === undefined) {
    if (width <= own.length) return own.slice(0, width);
    throw new StarfishError("usage", `the file has ${width} fields a row, and ${known.name} ${own.length} columns`);
  }
  const missing = names.filter((name) => !own.some((other) => other.toLowerCase() === name.toLowerCase()));
  if (missing.length === 0) return names;
  throw new StarfishError(
    "usage",
    `${known.name} has no column ${missing.map(oneLine).join(", ")}; --no-header takes the first line for a row`,
  );
}

async function* rowsOf(
  file: string,
  sample: readonly Numbered[],
  rest: AsyncIterator<Numbered, void>,
  width: number,
): AsyncGenerator<CsvRecord, void, undefined> {
  for (const numbered of sample) yield* rowOf(file, numbered, width);
  for (let next = await rest.next(); next.done !== true; next = await rest.next())
    yield* rowOf(file, next.value, width);
}

/** Undefined for an empty line. Throws "malformed". */
function rowOf(file: string, { record, line }: Numbered, width: number): CsvRecord[] {
  if (record.length === width) return [record];
  if (record.length === 1 && record[0] === null) return [];
  throw new StarfishError(
    "malformed",
    `${file}: line ${line} has ${count(record.length, "field")}, and the first ${width}`,
  );
}

/** In transactions of the greatest size, whichever transactions the file has itself. */
async function importSql(file: string, text: AsyncIterable<string>, context: CommandContext): Promise<string> {
  const splitter = new Splitter();
  const run = new SqlImport(context);
  try {
    for await (const piece of text) for (const statement of splitter.feed(piece)) await run.take(statement);
    for (const statement of splitter.end()) await run.take(statement);
    await run.commit();
  } catch (error) {
    if (!isStarfishError(error)) throw error;
    const code = error.code === "usage" ? "malformed" : error.code;
    const before = run.committed === 0 ? "nothing of it was taken" : `${count(run.committed, "statement")} before stay`;
    throw new LocatedError(code, `${file}: line ${run.line}: ${error.message} (${before})`, { cause: error });
  } finally {
    await run[Symbol.asyncDispose]();
  }
  const passedOver = run.passedOver === 0 ? "" : `; ${run.passedOver} about SQLite itself skipped`;
  return `${count(run.committed, "statement")}${passedOver}.`;
}

class SqlImport implements AsyncDisposable {
  readonly #context: CommandContext;
  #transaction: Transaction | undefined;
  #chars = 0;
  #open = 0;
  committed = 0;
  passedOver = 0;
  line = 1;

  constructor(context: CommandContext) {
    this.#context = context;
  }

  async take({ kind, text, line }: Piece): Promise<void> {
    if (kind === "dot" || controlOf(text) !== undefined) return;
    this.line = line;
    if (isAboutSqlite(text)) {
      this.passedOver++;
      return;
    }
    const { computer, signal } = this.#context;
    this.#transaction ??= await computer.sql.begin({ signal });
    await this.#transaction.query(text).run({ signal });
    this.#open++;
    this.#chars += text.length;
    if (this.#chars >= IMPORT_CHARS) await this.commit();
  }

  async commit(): Promise<void> {
    const transaction = this.#transaction;
    this.#transaction = undefined;
    await transaction?.commit();
    this.committed += this.#open;
    this.#open = 0;
    this.#chars = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transaction?.[Symbol.asyncDispose]();
  }
}

/** Lines of a SQLite dump that are about its own file: settings, counters, statistics. */
function isAboutSqlite(sql: string): boolean {
  if (["PRAGMA", "ANALYZE", "VACUUM", "REINDEX"].includes(firstWord(sql))) return true;
  for (const token of tokensOf(sql)) {
    if (token.kind === "symbol") return false;
    if (isWord(token, "INSERT", "DELETE", "FROM", "INTO", "OR", "REPLACE", "UPDATE")) continue;
    return /^["'`[]?sqlite_/i.test(token.text);
  }
  return false;
}

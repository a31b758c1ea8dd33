/**
 * `sql --export`: writes an answer or a table to a file, in the format of its ending, or the whole database as a SQLite
 * file.
 */
import { utf8 } from "../../base/bytes.ts";
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import type { Cursor } from "../../db/types.ts";
import { TransferLine } from "../files/progress.ts";
import { bytesWords, count } from "../format.ts";
import { oneLine } from "../harmless.ts";
import { plain } from "../styled.ts";
import type { CommandContext } from "../types.ts";
import { csvLine } from "./csv.ts";
import { noSuchTable } from "./dots.ts";
import { dumpOf } from "./dump.ts";
import { csvRow, layoutOf } from "./layout.ts";
import type { Parameters } from "./statements.ts";
import type { Target } from "./target.ts";
import { quotedName } from "./values.ts";

interface What {
  readonly file: string;
  /** A query, or the name of a table. */
  readonly what: string | undefined;
  readonly parameters: Parameters;
}

export async function exportTo(
  { file, what, parameters }: What,
  target: Target,
  context: CommandContext,
): Promise<void> {
  const { names, signal, stdout } = context;
  const ending = (/\.([a-z0-9]+)$/i.exec(file)?.[1] ?? "").toLowerCase();
  const line = new TransferLine(`export ${oneLine(file)}`, context);
  const written = new Counted();
  const source = await sourceFor(ending, { file, what, parameters }, target, { signal, written });
  try {
    await names.write(context.path(file), line.through(written.through(source)), { signal });
  } finally {
    line.hide();
  }
  const rows = written.rows === undefined ? "" : `${count(written.rows, "row")}, `;
  await stdout.print(`${oneLine(file)}: ${rows}${bytesWords(written.bytes)}.\n`);
}

class Counted {
  bytes = 0;
  rows: number | undefined;

  async *through(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
    for await (const bytes of source) {
      this.bytes += bytes.length;
      yield Uint8Array.from(bytes);
    }
  }
}

interface Making {
  readonly signal: AbortSignal;
  readonly written: Counted;
}

async function sourceFor(
  ending: string,
  { file, what, parameters }: What,
  target: Target,
  making: Making,
): Promise<AsyncIterable<Uint8Array>> {
  const { signal } = making;
  if (["sqlite", "sqlite3", "db", "db3"].includes(ending)) {
    if (what !== undefined)
      throw new StarfishError(
        "usage",
        `${file} takes the whole database: leave '${what}' away, or export to a .csv file`,
      );
    return target.shared.export({ signal });
  }
  if (ending === "sql") return encoded(dumpOf(target, what, signal));
  if (ending !== "csv" && ending !== "tsv" && ending !== "json")
    throw new StarfishError(
      "usage",
      `FILE ends with .csv, .tsv, .json, .sql or .sqlite, which says what it becomes; not '${file}'`,
    );
  if (what === undefined) throw new StarfishError("usage", "a query or the name of a table is missing");
  const cursor = await opened(what, parameters, target, signal);
  if (cursor === undefined || cursor.columns.length === 0)
    throw new StarfishError("usage", "that gives no rows to export: say a SELECT, or the name of a table");
  return encoded(
    ending === "json" ? jsonOf(cursor, making.written) : csvOf(cursor, ending === "tsv" ? "\t" : ",", making.written),
  );
}

/** Rejects with "not-found" for an unknown table, and "malformed" for invalid SQL. */
async function opened(
  what: string,
  { byPlace, byName }: Parameters,
  target: Target,
  signal: AbortSignal,
): Promise<Cursor | undefined> {
  const isName = await isTable(what, target);
  if (!isName && /^\w+$/.test(what)) throw await noSuchTable(what, target);
  const query = isName ? `SELECT * FROM ${quotedName(what)}` : what;
  try {
    return await target.open(query, byPlace.length > 0 ? byPlace : byName, signal);
  } catch (error) {
    if (!isStarfishError(error, "usage")) throw error;
    throw new StarfishError("malformed", error.message, { cause: error });
  }
}

async function isTable(what: string, target: Target): Promise<boolean> {
  const wanted = what.trim().toLowerCase();
  return (await target.schema()).some(
    ({ kind, name }) => (kind === "table" || kind === "view") && name.toLowerCase() === wanted,
  );
}

async function* encoded(texts: AsyncIterable<string>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const text of texts) if (text !== "") yield utf8(text);
}

/** As in RFC 4180, each line ends with CR and LF. */
async function* csvOf(cursor: Cursor, delimiter: string, written: Counted): AsyncGenerator<string, void, undefined> {
  await using open = cursor;
  written.rows = 0;
  yield csvLine(
    open.columns.map(({ name }) => name),
    delimiter,
    "\r\n",
  );
  for await (const page of open) {
    written.rows += page.length;
    yield page.map((row) => csvRow(row, "\r\n", delimiter)).join("");
  }
}

async function* jsonOf(cursor: Cursor, written: Counted): AsyncGenerator<string, void, undefined> {
  await using open = cursor;
  const layout = layoutOf(
    "json",
    open.columns.map(({ name }) => name),
  );
  written.rows = 0;
  for await (const page of open) {
    written.rows += page.length;
    yield plain(layout.page(page));
  }
  yield plain(layout.end());
}

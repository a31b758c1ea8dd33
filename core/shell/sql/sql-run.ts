/** What `sql STATEMENT` does: rows as they come, as a table, CSV or JSON. */
import { toBase64Url, toHex, utf8 } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import type { ColumnInfo, Cursor, SqlValue } from "../../db/types.ts";
import { count, dim, table } from "../format.ts";
import { parseArguments } from "../options.ts";
import type { Text } from "../styled.ts";
import type { CommandContext, TerminalInfo } from "../types.ts";

export async function runSql(context: CommandContext): Promise<number> {
  const { options, operands } = parseArguments(context.args, { json: "flag", csv: "flag" });
  const [statement, ...values] = operands;
  if (statement === undefined) throw new StarfishError("usage", 'missing statement: sql "SELECT …"');
  if (options.json === true && options.csv === true) throw new StarfishError("usage", "--json or --csv, not both");
  const { computer, signal, stdout } = context;
  await using cursor = await computer.sql.query(statement, values).open({ signal });
  const { columns } = cursor;
  if (columns.length === 0) {
    if (cursor.changes > 0 && context.terminal.stdout !== undefined) {
      await stdout.print(`${count(cursor.changes, "row")} changed\n`);
    }
    return 0;
  }
  if (options.json === true)
    await eachPage(cursor, (page) => stdout.write(utf8(page.map((row) => json(columns, row)).join(""))));
  else if (options.csv === true) {
    await stdout.write(utf8(csv(columns.map(({ name }) => name))));
    await eachPage(cursor, (page) => stdout.write(utf8(page.map(csv).join(""))));
  } else await asTable(cursor, context);
  return 0;
}

async function eachPage(
  cursor: Cursor,
  show: (page: readonly (readonly SqlValue[])[]) => Promise<void>,
): Promise<void> {
  for await (const page of cursor) await show(page);
}

/** Columns are as wide as the widest value of their page. */
async function asTable(cursor: Cursor, { stdout, terminal }: CommandContext): Promise<void> {
  const screen = terminal.stdout;
  const head = cursor.columns.map(({ name }) => dim(name, screen));
  let isFirst = true;
  await eachPage(cursor, async (page) => {
    const rows: (readonly Text[])[] = page.map((row) => row.map((value) => shown(value, screen)));
    await stdout.print(table(isFirst ? [head, ...rows] : rows, screen?.columns));
    isFirst = false;
  });
  if (isFirst) await stdout.print(table([head], screen?.columns));
}

function shown(value: SqlValue, screen: TerminalInfo | undefined): Text {
  if (value === null) return dim("NULL", screen);
  return value instanceof Uint8Array ? `x'${toHex(value)}'` : String(value).replaceAll("\n", " ");
}

function json(columns: readonly ColumnInfo[], row: readonly SqlValue[]): string {
  const entries = columns.map(({ name }, i): [string, unknown] => {
    const value = row[i] ?? null;
    if (typeof value === "bigint") return [name, String(value)];
    return [name, value instanceof Uint8Array ? { base64: toBase64Url(value) } : value];
  });
  return `${JSON.stringify(Object.fromEntries(entries))}\n`;
}

/** RFC 4180; NULL is an empty field. */
function csv(row: readonly SqlValue[]): string {
  const fields = row.map((value) => {
    if (value === null) return "";
    const text = value instanceof Uint8Array ? toHex(value) : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${fields.join(",")}\r\n`;
}

/** Commands that begin with a dot, as in SQLite's own shell, and two for rows that merging has set aside. */
import { StarfishError } from "../../base/errors.ts";
import type { SchemaObject, SqlRow } from "../../db/types.ts";
import { bytesWords, count, dim, table as columnsOf } from "../format.ts";
import { oneLine } from "../harmless.ts";
import { wholeNumber } from "../options.ts";
import { suggest } from "../suggest.ts";
import { compose, joined, type Text } from "../styled.ts";
import { cut, widthOf } from "../width.ts";
import { parameterOf } from "./csv.ts";
import { dumpOf, selected } from "./dump.ts";
import { MODES, type Mode } from "./layout.ts";
import type { Session } from "./statements.ts";
import { cellText } from "./values.ts";

interface Dot {
  readonly words: string;
  readonly about: string;
  run(words: readonly string[], session: Session, signal: AbortSignal): Promise<void>;
}

export const DOTS: Readonly<Record<string, Dot>> = {
  ".tables": {
    words: "[BEGINNING]",
    about: "names of tables and views, and of the computer's own tables",
    run: tables,
  },
  ".schema": { words: "[TABLE]", about: "the statements that make tables, views, indexes and triggers", run: schema },
  ".dump": { words: "[TABLE]", about: "SQL that makes it all again, with its rows", run: dump },
  ".mode": { words: MODES.join("|"), about: "how answers are shown", run: mode },
  ".stat": { words: "", about: "rows, bytes, and whether the index is behind", run: stat },
  ".conflicts": { words: "", about: "rows that merging has set aside, each with a number", run: conflicts },
  ".history": { words: "TABLE KEY…", about: "versions of the row with that primary key", run: history },
  ".discard": { words: "NUMBER", about: "removes the row of that conflict for good", run: discard },
  ".help": { words: "", about: "this", run: help },
  ".quit": { words: "", about: "leaves; so does Ctrl-D", run: quit },
};
const ALSO: Readonly<Record<string, string>> = { ".exit": ".quit", ".q": ".quit" };

export async function runDot(line: string, session: Session, signal: AbortSignal): Promise<void> {
  const [name = "", ...words] = line.replace(/;\s*$/, "").match(/"[^"]*"|'[^']*'|`[^`]*`|\S+/g) ?? [];
  const known = ALSO[name] ?? name;
  const dot = Object.hasOwn(DOTS, known) ? DOTS[known] : undefined;
  if (dot === undefined) {
    const near = suggest(name, Object.keys(DOTS));
    throw new StarfishError(
      "malformed",
      `there is no '${name}'; ${near === undefined ? "'.help' lists the commands" : `did you mean '${near}'?`}`,
    );
  }
  await dot.run(words.map(unquoted), session, signal);
}

function unquoted(word: string): string {
  return /^(["'`]).*\1$/.test(word) ? word.slice(1, -1) : word;
}

async function tables([beginning = ""]: readonly string[], { target, place }: Session): Promise<void> {
  const wanted = beginning.toLowerCase().replace(/%$/, "");
  const objects = (await target.schema()).filter(
    ({ kind, name }) => (kind === "table" || kind === "view") && name.toLowerCase().startsWith(wanted),
  );
  const names = (isOfComputer: boolean): string[] =>
    objects.filter((object) => object.isOfComputer === isOfComputer).map(({ name }) => oneLine(name));
  const [own, ofComputer] = [names(false), names(true)];
  const { screen } = place;
  if (own.length > 0) await place.print(inColumns(own, screen?.columns ?? 80));
  else if (screen !== undefined && wanted === "")
    await place.tell("There are no tables yet: CREATE TABLE notes (text); makes one.\n");
  if (ofComputer.length > 0) await place.print(compose`${dim(`of the computer: ${ofComputer.join("  ")}`, screen)}\n`);
}

function inColumns(names: readonly string[], columns: number): string {
  const cell = Math.max(...names.map(widthOf)) + 2;
  const perRow = Math.max(1, Math.floor(columns / cell));
  let text = "";
  for (const [i, name] of names.entries()) {
    const isLast = i % perRow === perRow - 1 || i === names.length - 1;
    text += isLast ? `${name}\n` : name + " ".repeat(cell - widthOf(name));
  }
  return text;
}

async function schema([table]: readonly string[], { target, place }: Session): Promise<void> {
  const objects = selected(await target.schema(), table);
  if (objects.length === 0 && table !== undefined) throw await noSuchTable(table, target);
  const kinds = ["table", "view", "index", "trigger"];
  const sorted = [...objects].sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind));
  await place.print(sorted.map((object) => `${definition(object)};\n`).join(""));
}

function definition({ sql, isOfComputer, name, columns }: SchemaObject): string {
  if (!isOfComputer) return sql;
  const list = columns.map((column) => [column.name, column.type].filter(Boolean).join(" ")).join(", ");
  return `/* of the computer, read-only */ CREATE TABLE ${name} (${list})`;
}

export async function noSuchTable(name: string, target: Session["target"]): Promise<StarfishError> {
  const near = suggest(
    name,
    (await target.schema()).filter(({ kind }) => kind !== "index").map((object) => object.name),
  );
  return new StarfishError(
    "not-found",
    `there is no table ${oneLine(name)}${near === undefined ? "; '.tables' lists the tables" : `; did you mean ${near}?`}`,
  );
}

async function dump([table]: readonly string[], { target, place }: Session, signal: AbortSignal): Promise<void> {
  if (table !== undefined && selected(await target.schema(), table).length === 0)
    throw await noSuchTable(table, target);
  for await (const text of dumpOf(target, table, signal)) await place.print(text);
}

async function mode([wanted = ""]: readonly string[], session: Session): Promise<void> {
  const found = MODES.find((name) => name === (wanted === "column" ? "table" : wanted));
  if (found === undefined)
    throw new StarfishError("malformed", `.mode is one of ${MODES.join(", ")}; it is ${session.mode} now`);
  session.mode = found satisfies Mode;
}

async function stat(_words: readonly string[], { target, place }: Session): Promise<void> {
  const { index, entries, bytes, bytesMax, tables, behind, indexBytes, rebuilt, setAside, missing, tooLarge } = (
    target.database ?? target.shared
  ).stat();
  const rows: (readonly [string, Text])[] = [
    ["tables", String(tables)],
    ["entries", `${entries} rows and single cells`],
    ["size", `${bytesWords(bytes)} of ${bytesWords(bytesMax)}`],
    [
      "index",
      `${index}${behind > 0 ? `, ${count(behind, "change")} behind` : ""}${rebuilt > 0 ? `, made anew ${rebuilt} times` : ""}`,
    ],
    ["its memory", bytesWords(indexBytes)],
    ["set aside", String(setAside)],
    ["large values that are not here", String(missing)],
  ];
  if (tooLarge > 0) rows.push(["tables that take too much memory", String(tooLarge)]);
  await place.print(columnsOf(rows, place.screen?.columns));
}

async function conflicts(_words: readonly string[], { target, place }: Session): Promise<void> {
  const found = await target.shared.conflicts();
  if (found.length === 0) return await place.print("No conflicts.\n");
  const { screen } = place;
  const columns = screen?.columns ?? Number.POSITIVE_INFINITY;
  const lines = found.flatMap((conflict, i) => [
    `${i + 1}. ${conflict.kind} in ${oneLine(conflict.table)}: ${oneLine(conflict.reason)}`,
    `   ${rowWords(conflict.row)}`,
  ]);
  await place.print(joined(lines.flatMap((line) => [cut(line, columns), "\n"])));
  if (screen !== undefined) {
    const told = "Change or delete the row that stands in the way, or '.discard NUMBER' the one that is set aside.";
    await place.tell(compose`${dim(told, screen)}\n`);
  }
}

function rowWords(row: SqlRow): string {
  return Object.entries(row)
    .map(([name, value]) => `${oneLine(name)} = ${cellText(value)}`)
    .join(", ");
}

async function history([table, ...key]: readonly string[], { target, place }: Session): Promise<void> {
  if (table === undefined) throw new StarfishError("malformed", ".history needs a TABLE and the KEY of a row");
  if (selected(await target.schema(), table).length === 0) throw await noSuchTable(table, target);
  const found = await target.shared.history(table, key.map(parameterOf));
  if (found.length === 0) return await place.print("Nothing is known of such a row.\n");
  const columns = place.screen?.columns ?? Number.POSITIVE_INFINITY;
  const lines = found.map(({ sinceMs, row }) => {
    const since = new Date(sinceMs).toISOString().slice(0, 19).replace("T", " ");
    return cut(`since ${since}: ${row === undefined ? "deleted" : rowWords(row)}`, columns);
  });
  await place.print(joined(lines.flatMap((line) => [line, "\n"])));
}

async function discard([number = ""]: readonly string[], { target, place }: Session): Promise<void> {
  const found = await target.shared.conflicts();
  if (found.length === 0) throw new StarfishError("not-found", "there are no conflicts");
  const conflict = found[wholeNumber(number, "NUMBER", 1, found.length) - 1];
  if (conflict === undefined) return;
  await target.shared.discard(conflict);
  await place.tell(`Discarded: ${conflict.kind} in ${oneLine(conflict.table)}: ${rowWords(conflict.row)}\n`);
}

async function help(_words: readonly string[], { place }: Session): Promise<void> {
  const rows = Object.entries(DOTS).map(([name, { words, about }]) => [`${name} ${words}`.trim(), about]);
  await place.print(columnsOf(rows, place.screen?.columns));
  await place.print(
    "Everything else is SQL and ends with ';'. Statements between BEGIN and COMMIT are one transaction.\n",
  );
}

async function quit(_words: readonly string[], session: Session): Promise<void> {
  session.isOver = true;
}

/** Completion of SQL: tables where a table is expected, columns of the tables that are named, and keywords. */
import type { SchemaObject } from "../../db/types.ts";
import { isWord, nameOf, type Token, tokensOf } from "../../db/schema/tokens.ts";
import type { Completion } from "../completion/typing.ts";
import { DOTS } from "./dots.ts";
import { MODES } from "./layout.ts";
import { NAMES_MAX } from "./limits.ts";
import { quotedName } from "./values.ts";

export function completeSql(line: string, cursor: number, schema: readonly SchemaObject[]): Completion {
  const before = line.slice(0, cursor);
  const dot = /^\s*(\.\S*)(?:\s+(\S*))?$/.exec(before);
  if (dot !== null) return completeDot(before, dot[1] ?? "", dot[2], schema);
  const { typed, from, isQuoted, tokens } = typedAt(before);
  if (typed === undefined) return completion(before.length, []);
  const all = [...tokens, ...tokensOf(line.slice(cursor))];
  const tables = schema.filter(({ kind }) => kind === "table" || kind === "view");
  const owner = ownerOf(tokens);
  const names = (texts: Iterable<string>): string[] => Array.from(texts, isQuoted ? inQuotes : quotedName);
  const columnsOf = (objects: readonly SchemaObject[]): string[] =>
    objects.flatMap(({ columns }) => columns.map(({ name }) => name));
  if (owner !== undefined) return fitting(typed, from, names(columnsOf(tablesNamed(owner, all, tables))));
  if (isTablePlace(tokens)) return fitting(typed, from, names(tables.map(({ name }) => name)));
  const mentioned = tables.filter(({ name }) => all.some((token) => isName(token) && same(nameOf(token), name)));
  // In `SELECT na` the table is not known yet.
  const near = mentioned.length > 0 || typed === "" ? mentioned : tables.filter(({ isOfComputer }) => !isOfComputer);
  const words = typed === "" || isQuoted ? [] : KEYWORDS;
  const isLower = typed !== "" && typed === typed.toLowerCase();
  return fitting(typed, from, [
    ...names(columnsOf(near)),
    ...names(tables.map(({ name }) => name)),
    ...words.map((word) => (isLower ? word.toLowerCase() : word)),
  ]);
}

function completeDot(
  before: string,
  command: string,
  word: string | undefined,
  schema: readonly SchemaObject[],
): Completion {
  if (word === undefined) return fitting(command, before.length - command.length, Object.keys(DOTS));
  const tables = schema.filter(({ kind }) => kind === "table" || kind === "view").map(({ name }) => name);
  const words = command === ".mode" ? MODES : [".schema", ".dump", ".tables"].includes(command) ? tables : [];
  return fitting(word, before.length - word.length, words);
}

interface Typed {
  /** What is typed of a name; undefined within a text or a number, which is not completed. */
  readonly typed: string | undefined;
  readonly from: number;
  /** Whether a quote is open. */
  readonly isQuoted: boolean;
  /** The tokens of this statement before it. */
  readonly tokens: readonly Token[];
}

function typedAt(before: string): Typed {
  const all = [...tokensOf(before)];
  const start = all.findLastIndex(({ kind, text }) => kind === "symbol" && text === ";") + 1;
  const tokens = all.slice(start);
  const last = tokens.at(-1);
  const nowhere = { typed: undefined, from: before.length, isQuoted: false, tokens };
  // An open comment hides what is typed in it.
  if (/--[^\n]*$/.test(before.slice(last?.to ?? 0))) return nowhere;
  if (last === undefined || last.to < before.length || last.kind === "symbol")
    return { typed: "", from: before.length, isQuoted: false, tokens };
  if (last.kind === "word") return { typed: last.text, from: last.from, isQuoted: false, tokens: tokens.slice(0, -1) };
  const isOpen =
    last.kind === "quoted" && last.text.startsWith('"') && (last.text.length === 1 || !last.text.endsWith('"'));
  return isOpen ? { typed: last.text, from: last.from, isQuoted: true, tokens: tokens.slice(0, -1) } : nowhere;
}

/** The name before a dot that is before the cursor. */
function ownerOf(tokens: readonly Token[]): string | undefined {
  const owner = tokens.at(-2);
  return tokens.at(-1)?.text === "." && owner !== undefined && isName(owner) ? nameOf(owner) : undefined;
}

/** Tables by their own names, or by an alias: `FROM people AS p`. */
function tablesNamed(owner: string, all: readonly Token[], tables: readonly SchemaObject[]): SchemaObject[] {
  const own = tables.filter(({ name }) => same(name, owner));
  if (own.length > 0) return own;
  return tables.filter(({ name }) =>
    all.some((token, i) => {
      if (!isName(token) || !same(nameOf(token), name)) return false;
      const alias = isWord(all[i + 1], "AS") ? all[i + 2] : all[i + 1];
      return alias !== undefined && isName(alias) && same(nameOf(alias), owner);
    }),
  );
}

function isTablePlace(tokens: readonly Token[]): boolean {
  const last = tokens.at(-1);
  if (isWord(last, "FROM", "JOIN", "INTO", "UPDATE", "TABLE", "REFERENCES", "VIEW")) return true;
  if (isWord(last, "EXISTS")) return isWord(tokens.at(-2), "IF");
  if (last?.text !== ",") return false;
  // `FROM a, b`: the last of these words says what kind of names the list has.
  const clause = tokens.findLast((token) =>
    isWord(token, "SELECT", "FROM", "SET", "BY", "VALUES", "INTO", "ON", "WHERE", "USING"),
  );
  return isWord(clause, "FROM");
}

function isName({ kind }: Token): boolean {
  return kind === "word" || kind === "quoted";
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function inQuotes(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function fitting(typed: string, from: number, texts: readonly string[]): Completion {
  const wanted = typed.toLowerCase();
  const found = new Set(texts.filter((text) => beginsWith(text.toLowerCase(), wanted)).slice(0, NAMES_MAX));
  return completion(
    from,
    [...found].sort((a, b) => (a < b ? -1 : 1)),
  );
}

/** A name that needs quotes also begins with what is typed without them. */
function beginsWith(text: string, wanted: string): boolean {
  return text.startsWith(wanted) || (text.startsWith('"') && text.slice(1).startsWith(wanted));
}

function completion(from: number, texts: readonly string[]): Completion {
  // Like names of variables, they are typed unchanged, without the shell's quotes.
  return { from, quote: "", candidates: texts.map((text) => ({ text, isPart: false })), variable: "bare" };
}

const KEYWORDS: readonly string[] = (
  "ALTER ANALYZE AND AS ASC BEGIN BETWEEN BY CASE CAST CHECK COLLATE COLUMN COMMIT CONFLICT CREATE CROSS CURRENT_TIMESTAMP " +
  "DEFAULT DELETE DESC DISTINCT DROP ELSE END EXCEPT EXISTS EXPLAIN FOREIGN FROM FULL GLOB GROUP HAVING IN INDEX INNER INSERT " +
  "INTEGER INTERSECT INTO IS JOIN KEY LEFT LIKE LIMIT NATURAL NOT NULL OFFSET ON OR ORDER OUTER OVER PARTITION PLAN PRIMARY QUERY " +
  "REAL RECURSIVE REFERENCES REPLACE RETURNING RIGHT ROLLBACK SELECT SET TABLE TEXT THEN TRANSACTION TRIGGER UNION UNIQUE " +
  "UPDATE USING VALUES VIEW WHEN WHERE WITH abs( avg( coalesce( count( date( datetime( group_concat( iif( json_extract( " +
  "length( lower( max( min( nullif( printf( random( replace( round( strftime( substr( sum( total( trim( typeof( upper("
).split(" ");

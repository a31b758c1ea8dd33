/**
 * Takes a CREATE TABLE statement apart: columns and constraints as they are written. SQLite has accepted the statement
 * before. Pure.
 */
import { StarfishError } from "../../base/errors.ts";
import { isWord, nameOf, type Token, tokensOf } from "./tokens.ts";

interface ColumnText {
  readonly name: string;
  /** What follows the name: type, DEFAULT, CHECK and so on. */
  readonly definition: string;
}

export interface TableText {
  readonly columns: readonly ColumnText[];
  /** Constraints of the table as a whole. */
  readonly constraints: readonly string[];
  /** What follows the last parenthesis: WITHOUT ROWID, STRICT. */
  readonly options: string;
}

const OF_TABLE = ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"] as const;

/** Throws "unsupported" if it is not of the form `CREATE TABLE name (…)`. */
export function parseCreateTable(sql: string): TableText {
  const tokens = [...tokensOf(sql)];
  const open = tokens.findIndex(({ kind, text }) => kind === "symbol" && text === "(");
  if (open < 0) throw new StarfishError("unsupported", "This form of CREATE TABLE is not understood");
  const columns: ColumnText[] = [];
  const constraints: string[] = [];
  let depth = 1;
  let item: Token[] = [];
  let end = open + 1;
  for (; end < tokens.length && depth > 0; end++) {
    const token = tokens[end];
    if (token === undefined) break;
    const symbol = token.kind === "symbol" ? token.text : "";
    if (symbol === "(") depth++;
    if (symbol === ")") depth--;
    if (depth === 0 || (depth === 1 && symbol === ",")) {
      addItem(sql, item, columns, constraints);
      item = [];
    } else item.push(token);
  }
  const rest = tokens.slice(end).filter(({ text }) => text !== ";");
  return { columns, constraints, options: textOf(sql, rest) };
}

function addItem(sql: string, item: readonly Token[], columns: ColumnText[], constraints: string[]): void {
  const [first] = item;
  if (first === undefined) return;
  if (isWord(first, ...OF_TABLE)) constraints.push(textOf(sql, item));
  else columns.push({ name: nameOf(first), definition: textOf(sql, item.slice(1)) });
}

/** Without comments, which could swallow what is put after it. */
function textOf(sql: string, tokens: readonly Token[]): string {
  let text = "";
  let before: Token | undefined;
  for (const token of tokens) {
    if (before !== undefined && token.from > before.to) text += " ";
    text += sql.slice(token.from, token.to);
    before = token;
  }
  return text;
}

/** The declared type: the words up to the first constraint, with `(10, 2)`. */
export function typeOf(definition: string): string {
  const words: string[] = [];
  for (const token of tokensOf(definition)) {
    if (isWord(token, ...OF_COLUMN)) break;
    if (token.kind === "symbol" && token.text === "(") break;
    words.push(nameOf(token));
  }
  return words.join(" ");
}

const OF_COLUMN = [
  "CONSTRAINT",
  "PRIMARY",
  "NOT",
  "NULL",
  "UNIQUE",
  "CHECK",
  "DEFAULT",
  "COLLATE",
  "REFERENCES",
  "GENERATED",
  "AS",
] as const;

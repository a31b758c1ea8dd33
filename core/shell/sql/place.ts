/**
 * The place in a statement where SQLite has found an error, by its own offset or by its message, and how it is shown.
 * Pure.
 */
import { nameOf, type Token, tokensOf } from "../../db/schema/tokens.ts";
import { oneLine } from "../harmless.ts";
import { cut, widthOf } from "../width.ts";

/**
 * An offset into the statement and a length, in UTF-16 units; undefined if the message does not tell which of several
 * places it is.
 */
export function placeOf(
  sql: string,
  message: string,
  at?: number,
): { readonly from: number; readonly to: number } | undefined {
  if (at !== undefined && at < sql.length)
    return tokens(sql).find(({ from, to }) => from <= at && at < to) ?? { from: at, to: at + 1 };
  if (/\bincomplete input\b/.test(message)) return { from: sql.length, to: sql.length };
  const [, near] = /near "([^]*)": syntax error/.exec(message) ?? [];
  if (near !== undefined) return only(tokens(sql).filter(({ text }) => text === near));
  const [, stray] = /unrecognized token: "([^]*)"/.exec(message) ?? [];
  if (stray !== undefined) {
    const from = sql.indexOf(stray);
    return from < 0 ? undefined : { from, to: from + stray.length };
  }
  const pattern =
    /(?:no such (?:column|table|function|index|view|trigger|module)|ambiguous column name|wrong number of arguments to function): ?([^]+)$|has no column named ([^]+)$|arguments to function (\w+)\(|already (?:exists|another table or index with this name): ([^]+)$|^(?:table|view|index|trigger) ([^]+) already exists/;
  const name = pattern
    .exec(message)
    ?.slice(1)
    .find((part) => part !== undefined);
  if (name === undefined) return undefined;
  return named(sql, name.replace(/ - should this be .*$/, ""));
}

function tokens(sql: string): Token[] {
  return [...tokensOf(sql)];
}

function only(found: readonly Token[]): Token | undefined {
  return found.length === 1 ? found[0] : undefined;
}

/** The first token with this name; `a.b` is two names with a dot between them. */
function named(sql: string, name: string): Token | undefined {
  const isSame = (token: Token, text: string): boolean =>
    (token.kind === "word" || token.kind === "quoted") && nameOf(token).toLowerCase() === text.toLowerCase();
  const all = tokens(sql);
  const whole = all.find((token) => isSame(token, name));
  if (whole !== undefined) return whole;
  const parts = name.split(".");
  const last = parts.at(-1) ?? "";
  const before = parts.at(-2);
  return all.find((token, i) => {
    const owner = all[i - 2];
    const isOwned = before === undefined || (all[i - 1]?.text === "." && owner !== undefined && isSame(owner, before));
    return isSame(token, last) && isOwned;
  });
}

/** Cells of a line that are shown around the place. */
const AROUND = 30;

/** The line of the statement with a mark below the place: two indented lines. */
export function pointed(sql: string, at: { readonly from: number; readonly to: number }, columns: number): string {
  const begin = sql.lastIndexOf("\n", at.from - 1) + 1;
  const newline = sql.indexOf("\n", at.from);
  const text = sql.slice(begin, newline < 0 ? sql.length : newline);
  let [before, rest] = [oneLine(text.slice(0, at.from - begin)), oneLine(text.slice(at.from - begin))];
  const room = Math.max(20, columns - 4);
  const most = Math.min(AROUND, room - 10);
  if (widthOf(before) > most) {
    // From the right, because what is just before the place says most.
    let kept = before;
    while (widthOf(kept) > most - 1) kept = kept.slice(String.fromCodePoint(kept.codePointAt(0) ?? 0).length);
    before = `…${kept}`;
  }
  rest = cut(rest, Math.max(1, room - widthOf(before)));
  const length = Math.max(1, Math.min(widthOf(rest), widthOf(oneLine(sql.slice(at.from, at.to)))));
  return `  ${before}${rest}\n  ${" ".repeat(widthOf(before))}${"^".repeat(length)}`;
}

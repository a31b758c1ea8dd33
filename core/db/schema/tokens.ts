/**
 * Cuts SQL into tokens, as far as splitting statements and definitions needs it. SQLite does the actual parsing. Pure.
 */

type TokenKind = "word" | "quoted" | "text" | "number" | "symbol";

export interface Token {
  readonly kind: TokenKind;
  /** As it is written. */
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

const SPACE: RegExp = /[\s\uFEFF]/;
const WORD_START: RegExp = /[A-Za-z_\u0080-\uFFFF]/;
const WORD: RegExp = /[A-Za-z0-9_$\u0080-\uFFFF]/;
const NUMBER: RegExp = /(?:0x[0-9a-f]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:e[+-]?\d+)?)/iy;
const CLOSING: Readonly<Record<string, string>> = { "'": "'", '"': '"', "`": "`", "[": "]" };

/** Comments and space are left out. A quote or comment without an end ends with the text. */
export function* tokensOf(sql: string): Generator<Token, void, undefined> {
  let at = 0;
  while (at < sql.length) {
    const char = sql[at] ?? "";
    if (SPACE.test(char)) {
      at++;
    } else if (sql.startsWith("--", at)) {
      const end = sql.indexOf("\n", at);
      at = end < 0 ? sql.length : end + 1;
    } else if (sql.startsWith("/*", at)) {
      const end = sql.indexOf("*/", at + 2);
      at = end < 0 ? sql.length : end + 2;
    } else {
      const token = tokenAt(sql, at, char);
      yield token;
      at = token.to;
    }
  }
}

function tokenAt(sql: string, from: number, char: string): Token {
  const closing = CLOSING[char];
  if (closing !== undefined) {
    const to = endOfQuoted(sql, from + 1, closing);
    return { kind: char === "'" ? "text" : "quoted", text: sql.slice(from, to), from, to };
  }
  let to = from + 1;
  if (WORD_START.test(char)) {
    while (to < sql.length && WORD.test(sql[to] ?? "")) to++;
    return { kind: "word", text: sql.slice(from, to), from, to };
  }
  NUMBER.lastIndex = from;
  const number = NUMBER.exec(sql)?.[0];
  if (number !== undefined && number !== "") {
    to = from + number.length;
    return { kind: "number", text: number, from, to };
  }
  return { kind: "symbol", text: char, from, to };
}

/** A doubled closing sign is part of the quoted text. */
function endOfQuoted(sql: string, from: number, closing: string): number {
  for (let at = from; ; at++) {
    at = sql.indexOf(closing, at);
    if (at < 0) return sql.length;
    if (closing === "]" || sql[at + 1] !== closing) return at + 1;
    at++;
  }
}

/** The name that a token stands for, without its quotes. */
export function nameOf({ kind, text }: Token): string {
  if (kind !== "quoted" && kind !== "text") return text;
  const quote = text[0] ?? "";
  const inner = text.slice(1, text.endsWith(CLOSING[quote] ?? "") ? -1 : undefined);
  return quote === "[" ? inner : inner.replaceAll(quote + quote, quote);
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function isWord(token: Token | undefined, ...words: readonly string[]): boolean {
  return token?.kind === "word" && words.includes(token.text.toUpperCase());
}

/** The first word, in capitals, which tells the kind of statement. */
export function firstWord(sql: string): string {
  for (const token of tokensOf(sql)) return token.kind === "word" ? token.text.toUpperCase() : "";
  return "";
}

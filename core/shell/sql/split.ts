/**
 * Splits a text that arrives in pieces into statements, and commands that begin with a dot. A statement ends with `;`,
 * that of a trigger with `END;`. Strings, quoted names and comments are skipped.
 */
import { StarfishError } from "../../base/errors.ts";
import { isWord, type Token, tokensOf } from "../../db/schema/tokens.ts";
import { STATEMENT_CHARS_MAX } from "./limits.ts";

export interface Piece {
  /** "dot": a line like `.tables`. */
  readonly kind: "sql" | "dot";
  /** Without comments and space around it; a statement includes its `;`. */
  readonly text: string;
  /** The line of the whole text where it begins, from 1. */
  readonly line: number;
}

export class Splitter {
  #text = "";
  #line = 1;

  /** Returns what has become complete. Throws "too-large" if a statement does not end. */
  feed(text: string): Piece[] {
    this.#text += text;
    // Only these characters can end anything.
    const pieces = /[;\n]/.test(text) ? this.#takeAll(false) : [];
    if (this.#text.length > STATEMENT_CHARS_MAX) {
      throw new StarfishError(
        "too-large",
        `line ${this.#line}: the statement has more than ${STATEMENT_CHARS_MAX} characters; is a quote or ';' missing?`,
      );
    }
    return pieces;
  }

  /** The text is over. The last statement needs no `;`. */
  end(): Piece[] {
    return this.#takeAll(true);
  }

  /** Whether a statement has begun and not ended. */
  get isOpen(): boolean {
    for (const token of tokensOf(this.#text)) if (!isSemicolon(token)) return true;
    return false;
  }

  #takeAll(isEnd: boolean): Piece[] {
    const pieces: Piece[] = [];
    for (let piece = this.#take(isEnd); piece !== undefined; piece = this.#take(isEnd)) pieces.push(piece);
    return pieces;
  }

  #take(isEnd: boolean): Piece | undefined {
    const statement = new StatementEnd();
    let first: Token | undefined;
    let last: Token | undefined;
    for (const token of tokensOf(this.#text)) {
      if (first === undefined && token.text === ".") return this.#takeDot(token.from, isEnd);
      if (first === undefined && isSemicolon(token)) continue;
      first ??= token;
      last = token;
      if (statement.isEndedBy(token)) return this.#cut("sql", first.from, token.to);
    }
    if (!isEnd || first === undefined || last === undefined) return undefined;
    return this.#cut("sql", first.from, last.to);
  }

  #takeDot(from: number, isEnd: boolean): Piece | undefined {
    const newline = this.#text.indexOf("\n", from);
    if (newline < 0 && !isEnd) return undefined;
    return this.#cut("dot", from, newline < 0 ? this.#text.length : newline);
  }

  #cut(kind: Piece["kind"], from: number, to: number): Piece {
    const line = this.#line + newlines(this.#text.slice(0, from));
    const text = this.#text.slice(from, to);
    this.#line = line + newlines(text);
    this.#text = this.#text.slice(to);
    return { kind, text: kind === "dot" ? text.trim() : text, line };
  }
}

/** The pieces of a whole text. */
export function piecesOf(text: string): Piece[] {
  const splitter = new Splitter();
  return [...splitter.feed(text), ...splitter.end()];
}

/** Whether a text that is being typed needs more: a statement without its `;`. A command with a dot never does. */
export function isIncomplete(text: string): boolean {
  const splitter = new Splitter();
  // The end of the line ends a command with a dot.
  splitter.feed(`${text}\n`);
  return splitter.isOpen;
}

/** Follows a statement to its end, as sqlite3_complete does. */
class StatementEnd {
  #words = 0;
  #kind: "unknown" | "create" | "trigger" | "other" = "unknown";
  /** For a trigger: whether the last tokens were `;`, or `;` and `END`. */
  #before: "none" | "semicolon" | "end" = "none";

  isEndedBy(token: Token): boolean {
    if (this.#kind === "unknown" || this.#kind === "create") this.#begin(token);
    if (this.#kind !== "trigger") return isSemicolon(token);
    if (isSemicolon(token)) {
      if (this.#before === "end") return true;
      this.#before = "semicolon";
    } else this.#before = this.#before === "semicolon" && isWord(token, "END") ? "end" : "none";
    return false;
  }

  /** EXPLAIN QUERY PLAN CREATE TEMP TRIGGER: the fifth word, at the latest, tells the kind. */
  #begin(token: Token): void {
    this.#words++;
    if (isWord(token, "EXPLAIN", "QUERY", "PLAN") && this.#kind === "unknown" && this.#words <= 3) return;
    if (isWord(token, "CREATE") && this.#kind === "unknown") this.#kind = "create";
    else if (this.#kind === "create" && isWord(token, "TRIGGER")) this.#kind = "trigger";
    else if (!(this.#kind === "create" && isWord(token, "TEMP", "TEMPORARY"))) this.#kind = "other";
  }
}

function isSemicolon({ kind, text }: Token): boolean {
  return kind === "symbol" && text === ";";
}

function newlines(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count++;
  return count;
}

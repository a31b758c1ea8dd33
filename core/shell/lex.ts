/**
 * Splits a command line into words and operators with the quoting rules of POSIX shells (XCU 2.2, 2.3). What the full
 * shell will give a meaning of its own (variables, globs, redirection, background jobs, compound commands) is refused
 * with "unsupported", so that no line changes its meaning later. Pure.
 */
import { StarfishError } from "../base/errors.ts";

type Operator = ";" | "&&" | "||" | "|" | "\n";

export type Token =
  | {
      readonly kind: "word";
      readonly text: string;
      readonly start: number;
      readonly end: number;
      readonly quoted: boolean;
    }
  | { readonly kind: "operator"; readonly operator: Operator; readonly start: number; readonly end: number };

/** The line cannot be run as it is; `position` counts UTF-16 units from its beginning. */
export class SyntaxFault extends StarfishError {
  readonly position: number;
  /** More text could make it right (an open quote, a pipe with nothing behind it): ask for another line. */
  readonly incomplete: boolean;

  constructor(message: string, position: number, options: { incomplete?: boolean; unsupported?: boolean } = {}) {
    super(options.unsupported === true ? "unsupported" : "usage", message);
    this.position = position;
    this.incomplete = options.incomplete ?? false;
  }
}

/** How far the lexer got when a line ended inside a quote or after a backslash; completion goes on from there. */
export interface LexResult {
  readonly tokens: readonly Token[];
  readonly open: "'" | '"' | "\\" | undefined;
}

/** Tokens of the whole line. Throws SyntaxFault. */
export function lex(line: string): Token[] {
  const lexer = new Lexer(line, true);
  const { tokens, open } = lexer.run();
  if (open === "'" || open === '"') {
    throw new SyntaxFault(`the quote ${open} is never closed`, lexer.quoteStart, { incomplete: true });
  }
  if (open === "\\")
    throw new SyntaxFault("a backslash at the end joins the next line", line.length, { incomplete: true });
  return [...tokens];
}

/** Tokens of an unfinished line, taking everything literally that is not a word or operator yet. Never throws. */
export function lexLeniently(line: string): LexResult {
  return new Lexer(line, false).run();
}

const WORD_ENDS = new Set([" ", "\t", "\n", ";", "|", "&", "<", ">", "(", ")"]);
/** In double quotes a backslash is itself, except before these (XCU 2.2.3). */
const ESCAPABLE_IN_QUOTES = new Set(["$", "`", '"', "\\", "\n"]);
/** `$` begins an expansion before these and is itself otherwise. */
const EXPANSION = /^\$[A-Za-z0-9_{(@*#?$!-]/;

class Lexer {
  readonly #line: string;
  readonly #strict: boolean;
  readonly #tokens: Token[] = [];
  #at = 0;
  #open: LexResult["open"];
  quoteStart = 0;

  constructor(line: string, strict: boolean) {
    this.#line = line;
    this.#strict = strict;
  }

  run(): LexResult {
    while (this.#at < this.#line.length) {
      const character = this.#line.charAt(this.#at);
      if (character === " " || character === "\t") this.#at++;
      else if (character === "\\" && this.#line.charAt(this.#at + 1) === "\n") this.#at += 2;
      else if (character === "#") this.#skipComment();
      else if (!this.#operator(character)) this.#word();
    }
    return { tokens: this.#tokens, open: this.#open };
  }

  #skipComment(): void {
    const end = this.#line.indexOf("\n", this.#at);
    this.#at = end < 0 ? this.#line.length : end;
  }

  #operator(character: string): boolean {
    const two = this.#line.slice(this.#at, this.#at + 2);
    if (two === "&&" || two === "||") return this.#push(two);
    if (two === "|&") return this.#notYet("|& (a pipe of both outputs)", 2);
    if (two === ";;") return this.#fault(";; belongs to case, and there is no case here", 2);
    if (character === ";" || character === "|" || character === "\n") return this.#push(character);
    if (character === "&") return this.#notYet("& (running in the background)", 1);
    if (character === "<" || character === ">") return this.#notYet(`${character} (redirection)`, 1);
    if (character === "(" || character === ")") return this.#notYet(`${character} (a subshell)`, 1);
    return false;
  }

  #push(operator: Operator): boolean {
    const start = this.#at;
    this.#at += operator.length;
    this.#tokens.push({ kind: "operator", operator, start, end: this.#at });
    return true;
  }

  #notYet(what: string, length: number): boolean {
    if (this.#strict) throw notYet(what, this.#at);
    this.#at += length;
    return true;
  }

  #fault(message: string, length: number): boolean {
    if (this.#strict) throw new SyntaxFault(message, this.#at);
    this.#at += length;
    return true;
  }

  #word(): void {
    const start = this.#at;
    let text = "";
    let quoted = false;
    /** The unquoted parts, with quoted ones blanked out: globs and braces only count there. */
    let bare = "";
    while (this.#at < this.#line.length) {
      const character = this.#line.charAt(this.#at);
      if (WORD_ENDS.has(character)) break;
      if (character === "'" || character === '"') {
        quoted = true;
        text += character === "'" ? this.#single() : this.#double();
        bare += "\0";
      } else if (character === "\\") {
        const escaped = this.#escape();
        quoted ||= escaped !== "";
        text += escaped;
        bare += "\0";
      } else {
        this.#refuseExpansion(false);
        text += character;
        bare += character;
        this.#at++;
      }
    }
    if (this.#strict) refusePatterns(bare, start);
    this.#tokens.push({ kind: "word", text, start, end: this.#at, quoted });
  }

  #single(): string {
    this.quoteStart = this.#at;
    const end = this.#line.indexOf("'", this.#at + 1);
    const from = this.#at + 1;
    if (end < 0) {
      this.#open = "'";
      this.#at = this.#line.length;
      return this.#line.slice(from);
    }
    this.#at = end + 1;
    return this.#line.slice(from, end);
  }

  #double(): string {
    this.quoteStart = this.#at++;
    let text = "";
    while (this.#at < this.#line.length) {
      const character = this.#line.charAt(this.#at);
      if (character === '"') {
        this.#at++;
        return text;
      }
      const next = this.#line.charAt(this.#at + 1);
      if (character === "\\" && ESCAPABLE_IN_QUOTES.has(next)) {
        text += next === "\n" ? "" : next;
        this.#at += 2;
      } else {
        this.#refuseExpansion(true);
        text += character;
        this.#at++;
      }
    }
    this.#open = '"';
    return text;
  }

  #escape(): string {
    const next = this.#line.charAt(this.#at + 1);
    if (next === "") this.#open = "\\";
    this.#at += 2;
    return next === "\n" ? "" : next;
  }

  #refuseExpansion(inQuotes: boolean): void {
    if (!this.#strict) return;
    const rest = this.#line.slice(this.#at, this.#at + 2);
    if (rest.startsWith("`") || rest === "$(") throw notYet(`${rest.slice(0, 2)} (command substitution)`, this.#at);
    if (!inQuotes && (rest === "$'" || rest === '$"')) throw notYet(`${rest} (quotes with escapes)`, this.#at);
    if (EXPANSION.test(rest)) throw notYet(`${rest} (variables)`, this.#at);
  }
}

function refusePatterns(bare: string, start: number): void {
  const glob = bare.search(/[*?]|\[[^\]]+\]/);
  if (glob >= 0) throw notYet(`${bare.charAt(glob)} (file name patterns)`, start + glob);
  if (/^~[A-Za-z0-9_.-]*(\/|$)/.test(bare)) throw notYet("~ (home directories)", start);
  const brace = bare.search(/\{[^{}]*(,|\.\.)[^{}]*\}/);
  if (brace >= 0) throw notYet("{ (brace expansion)", start + brace);
}

export function notYet(what: string, position: number): SyntaxFault {
  return new SyntaxFault(`${what} is not there yet; quote it if you mean the characters themselves`, position, {
    unsupported: true,
  });
}

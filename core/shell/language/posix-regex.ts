/**
 * Translates POSIX regular expressions, basic and extended, with GNU's escapes, into JavaScript's with the flag `u`.
 * Pure.
 */
import { StarfishError } from "../../base/errors.ts";
import { characterClass } from "./character-classes.ts";

export interface PosixOptions {
  readonly isExtended: boolean;
  /** Only sed has `\n`, `\t` and the like, and treats several lines as one text. */
  readonly isSed?: boolean;
}

/** Throws "usage" for a bracket that is not closed; the engine reports other errors. */
export function posixSource(pattern: string, options: PosixOptions): string {
  return new Translator(pattern, options).run();
}

const CONTROLS: Readonly<Record<string, string>> = { n: "\\n", t: "\\t", r: "\\r", f: "\\f", v: "\\v", a: "\\x07" };
const ASSERTIONS: Readonly<Record<string, string>> = {
  "<": "\\b(?=\\w)",
  ">": "\\b(?<=\\w)",
  "`": "^",
  "'": "$",
};
/** The beginning and the end of a text of several lines, whatever `^` and `$` mean. */
const ENDS: Readonly<Record<string, string>> = { "`": "(?<![^])", "'": "(?![^])" };

class Translator {
  readonly #pattern: string;
  readonly #isExtended: boolean;
  readonly #isSed: boolean;
  #at = 0;
  #result = "";
  /**
   * At these places of a basic expression `*` is literal and `^` is an anchor; in an extended one there is nothing to
   * repeat.
   */
  #isStart = true;

  constructor(pattern: string, { isExtended, isSed = false }: PosixOptions) {
    this.#pattern = pattern;
    this.#isExtended = isExtended;
    this.#isSed = isSed;
  }

  run(): string {
    while (this.#at < this.#pattern.length) {
      const character = String.fromCodePoint(this.#pattern.codePointAt(this.#at) ?? 0);
      this.#at += character.length;
      if (character === "\\") this.#escape();
      else if (character === "[") this.#add(this.#bracket());
      else this.#plain(character);
    }
    return this.#result;
  }

  #add(source: string, isStart = false): void {
    this.#result += source;
    this.#isStart = isStart;
  }

  #escape(): void {
    const next = String.fromCodePoint(this.#pattern.codePointAt(this.#at) ?? 0x5c);
    this.#at += next.length;
    // Safe, because no object inherits a property with a name of one letter.
    const known = (this.#isSed ? (CONTROLS[next] ?? ENDS[next]) : undefined) ?? ASSERTIONS[next];
    if (!this.#isExtended && /[(){}|+?]/.test(next)) this.#operator(next);
    else if (/[1-9]/.test(next)) this.#add(`(?:\\${next})`);
    else if (/[wWsSbB]/.test(next)) this.#add(`\\${next}`);
    else this.#add(known ?? literal(next));
  }

  #plain(character: string): void {
    const rest = this.#pattern.slice(this.#at);
    if (character === "*") this.#add(this.#isStart && !this.#isExtended ? "\\*" : "*");
    else if (character === ".") this.#add(".");
    else if (character === "^") {
      if (this.#isExtended || this.#isStart) this.#add("^", true);
      else this.#add("\\^");
    } else if (character === "$") this.#add(this.#isExtended || /^(?:$|\\[)|])/.test(rest) ? "$" : "\\$");
    else if (this.#isExtended && /[(){}|+?]/.test(character)) this.#operator(character);
    else this.#add(literal(character));
  }

  #operator(character: string): void {
    const rest = this.#pattern.slice(this.#at);
    // A brace without a count is literal.
    if (character === "{" && (this.#isStart || !/^\d*(?:,\d*)?\\?\}/.test(rest))) this.#add("\\{");
    else if (character === "{") this.#add(rest.startsWith(",") ? "{0" : "{");
    else if (character === "}") this.#add(/\{\d*(?:,\d*)?$/.test(this.#result) ? "}" : "\\}");
    else if (/[+?]/.test(character) && this.#isStart && !this.#isExtended) this.#add(`\\${character}`);
    else this.#add(character, character === "(" || character === "|");
  }

  #bracket(): string {
    const pattern = this.#pattern;
    const isNegated = pattern[this.#at] === "^";
    if (isNegated) this.#at++;
    let body = "";
    for (let isFirst = true; this.#at < pattern.length; isFirst = false) {
      const character = pattern[this.#at] ?? "";
      if (character === "]" && !isFirst) {
        this.#at++;
        return `[${isNegated ? "^" : ""}${body}]`;
      }
      const named = /^\[([:.=])(.+?)\1\]/.exec(pattern.slice(this.#at));
      if (named !== null) {
        body += named[1] === ":" ? characterClass(named[2] ?? "") : literal(named[2] ?? "");
        this.#at += named[0].length;
        continue;
      }
      const control = this.#isSed && character === "\\" ? CONTROLS[pattern[this.#at + 1] ?? ""] : undefined;
      if (control !== undefined) {
        body += control;
        this.#at += 2;
        continue;
      }
      const isPlainDash = character === "-" && (isFirst || pattern[this.#at + 1] === "]");
      body += isPlainDash || /[\\[\]|(){}/^]/.test(character) ? `\\${character}` : character;
      this.#at++;
    }
    throw new StarfishError("usage", "invalid regular expression");
  }
}

/** The text itself, outside of brackets. */
export function literal(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&").replaceAll("\n", "\\n");
}

/** POSIX regular expressions, with GNU's escapes, as sed has them: in JavaScript's words. Pure. */
import { StarfishError } from "../../base/errors.ts";

export interface RegexFlags {
  readonly isExtended: boolean;
  readonly ignoreCase?: boolean;
  readonly isMultiline?: boolean;
}

/** Throws "usage". */
export function sedRegex(pattern: string, { isExtended, ignoreCase, isMultiline }: RegexFlags): RegExp {
  const source = new Translator(pattern, isExtended).run();
  try {
    return new RegExp(source, `dgsu${ignoreCase === true ? "i" : ""}${isMultiline === true ? "m" : ""}`);
  } catch {
    throw new StarfishError("usage", `invalid regular expression: ${pattern}`);
  }
}

const CONTROLS: Readonly<Record<string, string>> = { n: "\\n", t: "\\t", r: "\\r", f: "\\f", v: "\\v", a: "\\x07" };
const ASSERTIONS: Readonly<Record<string, string>> = {
  "<": "\\b(?=\\w)",
  ">": "\\b(?<=\\w)",
  "`": "(?<![^])",
  "'": "(?![^])",
};
const CLASSES: Readonly<Record<string, string>> = {
  alpha: "\\p{L}",
  digit: "0-9",
  alnum: "\\p{L}0-9",
  upper: "\\p{Lu}",
  lower: "\\p{Ll}",
  space: "\\s",
  blank: " \\t",
  punct: "!-\\/:-@\\[-`\\{-~",
  print: "\\x20-\\x7e\\u{a0}-\\u{10ffff}",
  graph: "\\x21-\\x7e\\u{a1}-\\u{10ffff}",
  cntrl: "\\x00-\\x1f\\x7f",
  xdigit: "0-9A-Fa-f",
};

class Translator {
  readonly #pattern: string;
  readonly #isExtended: boolean;
  #at = 0;
  #result = "";
  /** Where `*` is itself and a basic expression's `^` is an anchor. */
  #isStart = true;

  constructor(pattern: string, isExtended: boolean) {
    this.#pattern = pattern;
    this.#isExtended = isExtended;
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
    if (/[(){}|+?]/.test(next)) {
      if (this.#isExtended) this.#add(`\\${next}`);
      else this.#operator(next);
    } else if (/[1-9]/.test(next)) this.#add(`(?:\\${next})`);
    else if (/[wWsSbB]/.test(next)) this.#add(`\\${next}`);
    else if (Object.hasOwn(CONTROLS, next)) this.#add(CONTROLS[next] ?? "");
    else if (Object.hasOwn(ASSERTIONS, next)) this.#add(ASSERTIONS[next] ?? "");
    else this.#add(literal(next));
  }

  #plain(character: string): void {
    const rest = this.#pattern.slice(this.#at);
    if (character === "*") this.#add(this.#isStart ? "\\*" : "*");
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
    // A brace that counts nothing is itself.
    if (character === "{" && (this.#isStart || !/^\d*(?:,\d*)?\\?\}/.test(rest))) this.#add("\\{");
    else if (character === "{") this.#add(rest.startsWith(",") ? "{0" : "{");
    else if (character === "}") this.#add(/\{\d*(?:,\d*)?$/.test(this.#result) ? "}" : "\\}");
    else if (/[+?]/.test(character) && this.#isStart) this.#add(`\\${character}`);
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
        body += named[1] === ":" ? (CLASSES[named[2] ?? ""] ?? "") : literal(named[2] ?? "");
        this.#at += named[0].length;
        continue;
      }
      const control = character === "\\" ? pattern[this.#at + 1] : undefined;
      if (control !== undefined && Object.hasOwn(CONTROLS, control)) {
        body += CONTROLS[control] ?? "";
        this.#at += 2;
        continue;
      }
      const isPlainDash = character === "-" && (isFirst || pattern[this.#at + 1] === "]");
      body += isPlainDash || /[\\[\]&~|(){}/^]/.test(character) ? `\\${character}` : character;
      this.#at++;
    }
    throw new StarfishError("usage", "unterminated address regex");
  }
}

function literal(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&").replaceAll("\n", "\\n");
}

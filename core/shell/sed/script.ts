/** Parses the script of sed: addresses and commands (POSIX "sed", with GNU's additions). Pure. */
import { StarfishError } from "../../base/errors.ts";
import { sedRegex } from "./regex.ts";

export type Address =
  | { readonly kind: "line"; readonly number: number }
  | { readonly kind: "step"; readonly first: number; readonly step: number }
  | { readonly kind: "last" }
  /** Undefined means the expression that was used last. */
  | { readonly kind: "regex"; readonly regex: RegExp | undefined }
  /** As the second address: that many lines after the first, or up to a multiple. */
  | { readonly kind: "plus"; readonly count: number }
  | { readonly kind: "multiple"; readonly of: number };

/** A piece of a replacement: text, a group, or a change of case from here on. */
export type Piece = string | { readonly group: number } | { readonly letters: "U" | "L" | "u" | "l" | "E" };

export interface Substitution {
  readonly regex: RegExp | undefined;
  readonly pieces: readonly Piece[];
  readonly isGlobal: boolean;
  readonly number: number;
  readonly prints: boolean;
  readonly file?: string | undefined;
}

export interface Command {
  readonly from?: Address | undefined;
  readonly to?: Address | undefined;
  readonly isNegated: boolean;
  readonly name: string;
  /** The text of a, i and c; a label; a file's name. */
  readonly text: string;
  /** The number of q, Q, l and L. */
  readonly number?: number | undefined;
  readonly substitution?: Substitution | undefined;
  /** The letters of y. */
  readonly letters?: ReadonlyMap<string, string> | undefined;
  /** Where a block, or a jump, continues. */
  target?: number;
}

export function parseScript(source: string, options: { readonly isExtended: boolean }): Command[] {
  const commands = new Parser(source, options.isExtended).run();
  const labels = new Map(commands.flatMap(({ name, text }, i) => (name === ":" ? [[text, i] as const] : [])));
  for (const command of commands) {
    if (!/^[btT]$/.test(command.name)) continue;
    const target = command.text === "" ? commands.length : labels.get(command.text);
    if (target === undefined) throw new StarfishError("usage", `can't find label for jump to '${command.text}'`);
    command.target = target;
  }
  return commands;
}

const ONE_ADDRESS = new Set(["=", "a", "i", "q", "Q", "r"]);
const NO_ADDRESS = new Set([":", "}"]);

class Parser {
  readonly #source: string;
  readonly #isExtended: boolean;
  #at = 0;
  readonly #commands: Command[] = [];
  readonly #open: number[] = [];

  constructor(source: string, isExtended: boolean) {
    this.#source = source;
    this.#isExtended = isExtended;
  }

  run(): Command[] {
    for (;;) {
      this.#skip(/[\s;]*/y);
      if (this.#at >= this.#source.length) break;
      if (this.#peek() === "#") this.#skip(/[^\n]*/y);
      else this.#command();
    }
    if (this.#open.length > 0) throw this.#fault("unmatched `{'");
    return this.#commands;
  }

  #fault(message: string): StarfishError {
    return new StarfishError("usage", `-e expression #1, char ${this.#at}: ${message}`);
  }

  #peek(): string {
    return this.#source[this.#at] ?? "";
  }

  #skip(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const text = pattern.exec(this.#source)?.[0] ?? "";
    this.#at += text.length;
    return text;
  }

  #address(isSecond: boolean): Address | undefined {
    const relative = isSecond ? /([+~])(\d+)/y : undefined;
    if (relative !== undefined) {
      const [, sign, digits = ""] = /^([+~])(\d+)$/.exec(this.#skip(relative)) ?? [];
      if (sign === "+") return { kind: "plus", count: Number(digits) };
      if (sign === "~") return { kind: "multiple", of: Number(digits) };
    }
    const digits = this.#skip(/\d+(?:~\d+)?/y);
    if (digits.includes("~")) {
      const [first = 0, step = 0] = digits.split("~").map(Number);
      return { kind: "step", first, step };
    }
    if (digits !== "") return { kind: "line", number: Number(digits) };
    if (this.#skip(/\$/y) !== "") return { kind: "last" };
    if (this.#skip(/\\/y) === "" && this.#peek() !== "/") return undefined;
    const delimiter = this.#peek();
    this.#at++;
    const pattern = this.#until(delimiter, "unterminated address regex");
    const flags = this.#skip(/[IM]*/y);
    return { kind: "regex", regex: this.#regex(pattern, flags) };
  }

  #regex(pattern: string, flags: string): RegExp | undefined {
    if (pattern === "") return undefined;
    try {
      return sedRegex(pattern, {
        isExtended: this.#isExtended,
        ignoreCase: /i/i.test(flags),
        isMultiline: /m/i.test(flags),
      });
    } catch (error) {
      throw error instanceof StarfishError ? this.#fault(error.message) : error;
    }
  }

  /** Reads up to a delimiter that is neither escaped nor in brackets. */
  #until(delimiter: string, missing: string, isPattern = true): string {
    let text = "";
    for (let inBracket = false; this.#at < this.#source.length; this.#at++) {
      const character = this.#peek();
      if (character === "\\") {
        const next = this.#source[++this.#at] ?? "";
        text += next === delimiter ? this.#escapedDelimiter(next) : `\\${next}`;
        continue;
      }
      if (character === delimiter && !inBracket) {
        this.#at++;
        return text;
      }
      if (character === "\n" && isPattern) break;
      if (isPattern && character === "[" && !inBracket) {
        inBracket = true;
        // The first character in brackets may be "]".
        const opening = /^\[\^?\]?/.exec(this.#source.slice(this.#at))?.[0] ?? "[";
        text += opening;
        this.#at += opening.length - 1;
        continue;
      }
      if (inBracket && /^\[[:.=]/.test(this.#source.slice(this.#at))) {
        const named = /^\[([:.=]).*?\1\]/.exec(this.#source.slice(this.#at))?.[0] ?? "[";
        text += named;
        this.#at += named.length - 1;
        continue;
      }
      if (character === "]") inBracket = false;
      text += character;
    }
    throw this.#fault(missing);
  }

  /** An escaped delimiter is literal, whatever it means in an expression; \n stays a line break. */
  #escapedDelimiter(delimiter: string): string {
    const isSpecial = this.#isExtended ? /[(){}|+?.*^$[\]n]/ : /[.*^$[\]n]/;
    return isSpecial.test(delimiter) ? `\\${delimiter}` : delimiter;
  }

  #command(): void {
    const from = this.#address(false);
    this.#skip(/[ \t]*/y);
    let to: Address | undefined;
    if (from !== undefined && this.#skip(/,[ \t]*/y) !== "") {
      to = this.#address(true);
      if (to === undefined) throw this.#fault("unexpected `,'");
    }
    const isNegated = this.#skip(/[ \t]*!+[ \t]*/y) !== "" || (this.#skip(/[ \t]*/y), false);
    const name = this.#peek();
    this.#at++;
    if (name === "") throw this.#fault("missing command");
    if (from !== undefined && NO_ADDRESS.has(name))
      throw this.#fault(name === "}" ? "} doesn't want any addresses" : ": doesn't want any addresses");
    if (to !== undefined && ONE_ADDRESS.has(name) && /[qQ]/.test(name))
      throw this.#fault("command only uses one address");
    if (from?.kind === "line" && from.number === 0 && to?.kind !== "regex")
      throw this.#fault("invalid usage of line address 0");
    this.#commands.push({ from, to, isNegated, name, text: "", ...this.#words(name) });
  }

  #words(name: string): Partial<Command> {
    switch (name) {
      case "{":
        this.#open.push(this.#commands.length);
        return {};
      case "}": {
        const opening = this.#open.pop();
        const block = opening === undefined ? undefined : this.#commands[opening];
        if (block === undefined) throw this.#fault("unexpected `}'");
        block.target = this.#commands.length + 1;
        return this.#ended({});
      }
      case "a":
      case "i":
      case "c":
        return { text: this.#text() };
      case ":":
        this.#skip(/[ \t]*/y);
        return { text: this.#skip(/[^\n;]*/y).trim() };
      case "b":
      case "t":
      case "T":
        this.#skip(/[ \t]*/y);
        return { text: this.#skip(/[^\n;}]*/y).trim() };
      case "r":
      case "R":
      case "w":
      case "W":
        return { text: this.#fileName() };
      case "s":
        return this.#ended({ substitution: this.#substitution() });
      case "y":
        return this.#ended({ letters: this.#letters() });
      case "q":
      case "Q":
      case "l":
      case "L": {
        const digits = this.#skip(/[ \t]*\d*/y).trim();
        return this.#ended({ number: digits === "" ? undefined : Number(digits) });
      }
      default:
        if (/^[=dDgGhHnNpPxzF]$/.test(name)) return this.#ended({});
        throw this.#fault(`unknown command: \`${name}'`);
    }
  }

  #ended(words: Partial<Command>): Partial<Command> {
    this.#skip(/[ \t]*/y);
    if (!/^(?:$|[\n;}#])/.test(this.#source.slice(this.#at))) {
      this.#at++;
      throw this.#fault("extra characters after command");
    }
    return words;
  }

  #fileName(): string {
    this.#skip(/[ \t]*/y);
    const name = this.#skip(/[^\n]*/y);
    if (name === "") throw this.#fault("missing filename in r/R/w/W commands");
    return name;
  }

  /** `a\` and lines of text, or GNU's form with the text on the same line. */
  #text(): string {
    this.#skip(/[ \t]*/y);
    const isClassic = this.#skip(/\\[ \t]*\n/y) !== "";
    // In `a\text` the backslash keeps the blanks after it.
    if (!isClassic) this.#skip(/\\(?=[^\n])/y);
    let text = "";
    for (; this.#at < this.#source.length; this.#at++) {
      const character = this.#peek();
      if (character === "\n") break;
      if (character === "\\" && this.#at + 1 < this.#source.length) text += this.#source[++this.#at] ?? "";
      else text += character;
    }
    if (text === "" && !isClassic) throw this.#fault("expected \\ after `a', `c' or `i'");
    return `${text}\n`;
  }

  #letters(): ReadonlyMap<string, string> {
    const delimiter = this.#peek();
    this.#at++;
    const [from, to] = [0, 1].map(() => {
      const text = this.#until(delimiter, "unterminated `y' command", false);
      return Array.from(text.replaceAll(/\\(n|\\)/g, (_, one: string) => (one === "n" ? "\n" : "\\")));
    });
    if (from === undefined || to === undefined || from.length !== to.length)
      throw this.#fault("strings for `y' command are different lengths");
    return new Map(from.map((letter, i) => [letter, to[i] ?? ""]));
  }

  #substitution(): Substitution {
    const delimiter = this.#peek();
    this.#at++;
    if (delimiter === "" || delimiter === "\n" || delimiter === "\\") throw this.#fault("unterminated `s' command");
    const pattern = this.#until(delimiter, "unterminated `s' command");
    const replacement = this.#until(delimiter, "unterminated `s' command", false);
    const flags = this.#skip(/[gpiImMe\d]*/y);
    const number = Number(/\d+/.exec(flags)?.[0] ?? 1);
    if (number === 0) throw this.#fault("number option to `s' command may not be zero");
    if (flags.includes("e")) throw this.#fault("the e flag would run a command, and is not supported");
    const file = this.#skip(/w/y) === "" ? undefined : this.#fileName();
    const regex = this.#regex(pattern, flags);
    const pieces = replacementPieces(replacement);
    const groups = regex === undefined ? 9 : (new RegExp(`${regex.source}|`, regex.flags).exec("")?.length ?? 1) - 1;
    for (const piece of pieces)
      if (typeof piece !== "string" && "group" in piece && piece.group > groups)
        throw this.#fault(`invalid reference \\${piece.group} on \`s' command's RHS`);
    if (!/^[ \t]*(?:$|[\n;}#])/.test(this.#source.slice(this.#at))) {
      this.#at++;
      throw this.#fault("unknown option to `s'");
    }
    return { regex, pieces, isGlobal: flags.includes("g"), number, prints: flags.includes("p"), file };
  }
}

const TEXTS: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", f: "\f", v: "\v", a: "\x07" };

function replacementPieces(text: string): Piece[] {
  const pieces: Piece[] = [];
  for (const [whole, escaped] of text.matchAll(/\\([^])|&|[^\\&]+|\\$/gu)) {
    if (whole === "&") pieces.push({ group: 0 });
    else if (escaped === undefined) pieces.push(whole);
    else if (/\d/.test(escaped)) pieces.push({ group: Number(escaped) });
    else if (escaped === "U" || escaped === "L" || escaped === "u" || escaped === "l" || escaped === "E")
      pieces.push({ letters: escaped });
    else pieces.push(Object.hasOwn(TEXTS, escaped) ? (TEXTS[escaped] ?? "") : escaped);
  }
  return pieces;
}

/** grep: lines that match. */
import { StarfishError, isStarfishError } from "../../base/errors.ts";
import { literal, posixSource } from "../language/posix-regex.ts";
import { join } from "../namespace/paths.ts";
import type { Command } from "../types.ts";
import { textBlocks } from "./lines.ts";
import { isLike } from "./names.ts";
import { numberValue, utility, type UtilityContext } from "./utility.ts";

export const grep: Command = grepAs("grep", "lines that match a pattern", "G");
export const egrep: Command = grepAs("egrep", "the same as grep -E", "E");
export const fgrep: Command = grepAs("fgrep", "the same as grep -F", "F");

function grepAs(name: string, summary: string, standard: "G" | "E" | "F"): Command {
  return utility({
    name,
    summary,
    help: `
usage: ${name} [-EFivnclLoqswxhHrRm] [-A N] [-B N] [-C N] PATTERN [FILE…]
       ${name} [OPTION]… -e PATTERN… [-f FILE] [FILE…]

Writes the lines of each FILE, or of standard input, in which PATTERN is found. PATTERN is an extended expression with -E,
plain text with -F; -i ignores case; -w matches whole words only, -x whole lines. -v writes the lines without it, -n adds
their numbers, -o writes only the matches, -c the number of lines, -l the names of files, -q nothing. -r reads all files of
directories. Exit status: 0 a line was found, 1 none was, 2 an error.

  seq 20 | grep -c 1
`,
    specs: {
      E: { long: "extended-regexp" },
      F: { long: "fixed-strings" },
      G: { long: "basic-regexp" },
      P: { long: "perl-regexp" },
      i: { long: "ignore-case" },
      y: {},
      v: { long: "invert-match" },
      n: { long: "line-number" },
      c: { long: "count" },
      l: { long: "files-with-matches" },
      L: { long: "files-without-match" },
      o: { long: "only-matching" },
      q: { long: "quiet" },
      s: { long: "no-messages" },
      w: { long: "word-regexp" },
      x: { long: "line-regexp" },
      h: { long: "no-filename" },
      H: { long: "with-filename" },
      r: { long: "recursive" },
      R: { long: "dereference-recursive" },
      a: { long: "text" },
      z: { long: "null-data" },
      Z: { long: "null" },
      e: { long: "regexp", value: true },
      f: { long: "file", value: true },
      m: { long: "max-count", value: true },
      A: { long: "after-context", value: true },
      B: { long: "before-context", value: true },
      C: { long: "context", value: true },
      color: { value: "optional" },
      colour: { value: "optional" },
      include: { value: true },
      exclude: { value: true },
      "exclude-dir": { value: true },
      "line-buffered": {},
    },
    parsing: { number: "C" },
    failed: 2,
    run: (context) => new Grep(context, standard).run(),
  });
}

class Grep {
  readonly #context: UtilityContext;
  readonly #standard: "G" | "E" | "F";
  readonly #isCount: boolean;
  readonly #before: number;
  readonly #after: number;
  readonly #most: number;
  #hasMatch = false;
  #hasTrouble = false;
  #hasNames = false;
  /** Whether the current directory is searched because none was named. */
  #isImplied = false;

  constructor(context: UtilityContext, standard: "G" | "E" | "F") {
    const { options } = context;
    this.#context = context;
    this.#standard = standard;
    this.#isCount = options.has("c");
    const around = options.value("C") ?? "0";
    this.#before = numberValue(options.value("B") ?? around, "context length argument");
    this.#after = numberValue(options.value("A") ?? around, "context length argument");
    this.#most = options.has("m") ? numberValue(options.value("m") ?? "", "max count") : Infinity;
  }

  async run(): Promise<number> {
    const { options } = this.#context;
    const operands = [...this.#context.operands];
    const patterns = await this.#patterns(operands);
    const matcher = new Matcher(patterns, this.#kind(), {
      ignoreCase: options.has("i") || options.has("y"),
      isWord: options.has("w"),
      isLine: options.has("x"),
    });
    const isDeep = options.has("r") || options.has("R");
    this.#isImplied = operands.length === 0;
    const files = operands.length > 0 ? operands : isDeep ? ["."] : ["-"];
    this.#hasNames = options.has("H") || (!options.has("h") && (files.length > 1 || isDeep));
    for await (const [name, path] of this.#files(files, isDeep)) {
      if (await this.#file(name, path, matcher)) this.#hasMatch = true;
      if (this.#hasMatch && options.has("q")) return 0;
    }
    if (this.#hasTrouble && !(options.has("q") && this.#hasMatch)) return 2;
    return this.#hasMatch !== options.has("L") || (options.has("L") && this.#hasMatch) ? 0 : 1;
  }

  #kind(): "G" | "E" | "F" | "P" {
    const last = this.#context.options.last("E", "F", "G", "P");
    return last === "E" || last === "F" || last === "G" || last === "P" ? last : this.#standard;
  }

  async #patterns(operands: string[]): Promise<string[]> {
    const { options, input } = this.#context;
    const patterns = options.values("e").flatMap((text) => text.split("\n"));
    for (const file of options.values("f")) {
      let text = "";
      for await (const block of textBlocks(input(file))) text += block;
      patterns.push(...(text === "" ? [] : text.replace(/\n$/, "").split("\n")));
    }
    if (options.has("e") || options.has("f")) return patterns;
    const first = operands.shift();
    if (first === undefined) throw new StarfishError("usage", "usage: grep [OPTION]... PATTERNS [FILE]...");
    return first.split("\n");
  }

  async *#files(operands: readonly string[], isDeep: boolean): AsyncGenerator<[string, string], void, undefined> {
    const { names, path, signal } = this.#context;
    for (const operand of operands) {
      const entry = operand === "-" ? undefined : await names.stat(path(operand), { signal });
      if (entry?.kind !== "directory") yield [operand, operand];
      else if (isDeep) yield* this.#below(this.#isImplied ? "" : operand, path(operand));
      else await this.#trouble(`${operand}: Is a directory`);
    }
  }

  async *#below(shown: string, directory: string): AsyncGenerator<[string, string], void, undefined> {
    const { names, signal, options } = this.#context;
    const entries = [...(await names.list(directory, { signal }))].sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const { name, kind } of entries) {
      const below = shown === "" ? name : `${shown.replace(/\/$/, "")}/${name}`;
      const path = join(directory, name);
      if (kind === "directory") {
        if (!options.values("exclude-dir").some((pattern) => isLike(name, pattern))) yield* this.#below(below, path);
        continue;
      }
      const included = options.values("include");
      if (included.length > 0 && !included.some((pattern) => isLike(name, pattern))) continue;
      if (options.values("exclude").some((pattern) => isLike(name, pattern))) continue;
      if (kind === "file") yield [below, path];
    }
  }

  async #trouble(message: string): Promise<void> {
    this.#hasTrouble = true;
    if (!this.#context.options.has("s")) await this.#context.problem(message);
  }

  /** Returns whether anything matched. */
  async #file(name: string, path: string, matcher: Matcher): Promise<boolean> {
    try {
      return await this.#search(name, path, matcher);
    } catch (error) {
      if (
        !isStarfishError(error) ||
        ["closed", "cancelled", "usage"].includes(error.code) ||
        this.#context.signal.aborted
      )
        throw error;
      await this.#trouble(`${name}: ${error.code === "not-found" ? "No such file or directory" : error.message}`);
      return false;
    }
  }

  async #search(name: string, path: string, matcher: Matcher): Promise<boolean> {
    const { options, input, out, flush } = this.#context;
    const title = name === "-" ? "(standard input)" : name;
    const isInverted = options.has("v");
    const isNamesOnly = options.has("l") || options.has("L");
    const isQuick = !isInverted && (this.#isCount || isNamesOnly || options.has("q"));
    let count = 0;
    if (isQuick && this.#most === Infinity) {
      for await (const block of textBlocks(input(path), options.has("z") ? 0 : 0x0a)) {
        count += matcher.count(block, isNamesOnly || options.has("q"));
        if (count > 0 && !this.#isCount) break;
      }
    } else count = await this.#lines(title, path, matcher);
    if (this.#isCount && !isNamesOnly && !options.has("q")) await out(`${this.#hasNames ? `${title}:` : ""}${count}\n`);
    if (options.has("l") && count > 0) await out(`${title}${options.has("Z") ? "\0" : "\n"}`);
    if (options.has("L") && count === 0) await out(`${title}\n`);
    await flush();
    return options.has("L") ? count === 0 : count > 0;
  }

  async #lines(title: string, path: string, matcher: Matcher): Promise<number> {
    const { options, input, out, flush } = this.#context;
    const isInverted = options.has("v");
    const isShown = !this.#isCount && !options.has("q") && !options.has("l") && !options.has("L");
    const end = options.has("z") ? "\0" : "\n";
    const label = (number: number, mark: string): string =>
      `${this.#hasNames ? title + mark : ""}${options.has("n") ? `${number}${mark}` : ""}`;
    const waiting: { number: number; line: string }[] = [];
    let number = 0;
    let count = 0;
    let lastShown = 0;
    let after = 0;
    const hasContext = this.#before > 0 || this.#after > 0;
    blocks: for await (const block of textBlocks(input(path), end.charCodeAt(0))) {
      // In a block without a match, only lines are counted.
      if (!isInverted && !hasContext && !matcher.mayMatch(block)) {
        number += options.has("n") ? block.split(end).length - 1 : 0;
        continue;
      }
      for (const line of splitLines(block, end)) {
        number++;
        if (matcher.test(line) === isInverted) {
          if (after > 0 && isShown) {
            after--;
            lastShown = number;
            await out(`${label(number, "-")}${line}${end}`);
          } else if (this.#before > 0) {
            waiting.push({ number, line });
            if (waiting.length > this.#before) waiting.shift();
          }
          continue;
        }
        count++;
        if (isShown) {
          const firstShown = waiting[0]?.number ?? number;
          if (hasContext && lastShown > 0 && firstShown > lastShown + 1) await out("--\n");
          for (const one of waiting.splice(0)) await out(`${label(one.number, "-")}${one.line}${end}`);
          if (!options.has("o")) await out(`${label(number, ":")}${line}${end}`);
          else if (!isInverted)
            for (const match of matcher.matches(line)) await out(`${label(number, ":")}${match}${end}`);
          lastShown = number;
          after = this.#after;
        }
        if (count >= this.#most || options.has("q")) break blocks;
      }
      await flush();
    }
    return count;
  }
}

function splitLines(block: string, end: string): string[] {
  const lines = block.split(end);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

interface MatcherOptions {
  readonly ignoreCase: boolean;
  readonly isWord: boolean;
  readonly isLine: boolean;
}

/** The patterns as one expression, for lines or whole blocks of them. */
class Matcher {
  readonly #line: RegExp;
  readonly #block: RegExp;
  readonly #all: RegExp;
  /** Plain text that can be searched for without an expression. */
  readonly #plain: string | undefined;
  readonly #isEmpty: boolean;

  constructor(patterns: readonly string[], kind: "G" | "E" | "F" | "P", options: MatcherOptions) {
    const sources = patterns.map((pattern) => sourceOf(pattern, kind));
    const joined = sources.length === 1 ? (sources[0] ?? "") : sources.map((source) => `(?:${source})`).join("|");
    const whole = options.isLine
      ? `^(?:${joined})$`
      : options.isWord
        ? `(?<![\\p{L}\\p{N}_])(?:${joined})(?![\\p{L}\\p{N}_])`
        : joined;
    const flags = options.ignoreCase ? "iu" : "u";
    this.#isEmpty = patterns.length === 0;
    try {
      this.#line = new RegExp(whole, flags);
      // Here `.` and negated sets need not stop at a line's end, because lines are tested one by one where it matters.
      this.#block = new RegExp(whole, `${flags}m`);
      this.#all = new RegExp(whole, `${flags}g`);
    } catch {
      throw new StarfishError("usage", `${patterns.join(" ")}: invalid regular expression`);
    }
    const [only] = patterns;
    const isPlain =
      patterns.length === 1 &&
      only !== undefined &&
      only !== "" &&
      (kind === "F" || /^[\w \-/:=,;%@#&"'<>!~]+$/.test(only));
    this.#plain = isPlain && !options.ignoreCase && !options.isWord && !options.isLine ? only : undefined;
  }

  test(line: string): boolean {
    if (this.#isEmpty) return false;
    return this.#plain === undefined ? this.#line.test(line) : line.includes(this.#plain);
  }

  /** False only if no line of the block matches. */
  mayMatch(block: string): boolean {
    if (this.#isEmpty) return false;
    return this.#plain === undefined ? this.#block.test(block) : block.includes(this.#plain);
  }

  /** The number of matching lines; with `isFirst`, the search stops at the first. */
  count(block: string, isFirst: boolean): number {
    if (!this.mayMatch(block)) return 0;
    let count = 0;
    if (this.#plain === undefined) {
      for (const line of splitLines(block, "\n")) {
        if (!this.#line.test(line)) continue;
        count++;
        if (isFirst) return count;
      }
      return count;
    }
    for (let at = block.indexOf(this.#plain); at >= 0;) {
      count++;
      if (isFirst) return count;
      const end = block.indexOf("\n", at);
      if (end < 0) break;
      at = block.indexOf(this.#plain, end + 1);
    }
    return count;
  }

  *matches(line: string): Generator<string, void, undefined> {
    for (const [match] of line.matchAll(this.#all)) if (match !== "") yield match;
  }
}

function sourceOf(pattern: string, kind: "G" | "E" | "F" | "P"): string {
  if (kind === "F") return literal(pattern);
  if (kind === "P") return pattern;
  return posixSource(pattern, { isExtended: kind === "E" });
}

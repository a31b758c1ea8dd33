/**
 * Brace expansion, the first of all expansions: `a{b,c}` and `{1..5..2}`. It works on the text, before words are
 * parsed, and skips quotes and `$…`. Throws if it would make too many words.
 */
import { ELEMENTS_MAX } from "./limits.ts";
import { ShellFault } from "./faults.ts";

/** The words that a word's source text expands to; the word itself if there is nothing to expand. */
export function expandBraces(source: string): string[] {
  if (!source.includes("{")) return [source];
  return new Expander().expand(source, 0);
}

/** How deep braces are expanded; deeper ones stay unchanged. */
const DEPTH_MAX = 64;

class Expander {
  #made = 0;

  expand(source: string, depth: number): string[] {
    if (depth > DEPTH_MAX) return [source];
    for (let at = 0; at < source.length;) {
      const skipped = skip(source, at);
      if (skipped > at) {
        at = skipped;
        continue;
      }
      if (source[at] === "{") {
        const close = closing(source, at);
        const alternatives = close < 0 ? undefined : this.#alternatives(source.slice(at + 1, close), depth);
        if (alternatives !== undefined) {
          const before = source.slice(0, at);
          const after = this.expand(source.slice(close + 1), depth + 1);
          return this.#count(alternatives.flatMap((middle) => after.map((end) => before + middle + end)));
        }
      }
      at++;
    }
    return [source];
  }

  #alternatives(body: string, depth: number): string[] | undefined {
    const parts = splitCommas(body);
    if (parts.length > 1) return this.#count(parts.flatMap((part) => this.expand(part, depth + 1)));
    const range = sequence(body);
    if (range !== undefined) return this.#count(range);
    // Not an expansion itself, but its content may be one: {a{b,c}}.
    const inner = this.expand(body, depth + 1);
    return inner.length > 1 ? this.#count(inner.map((text) => `{${text}}`)) : undefined;
  }

  #count(words: string[]): string[] {
    this.#made += words.length;
    if (this.#made > ELEMENTS_MAX) throw tooMany();
    return words;
  }
}

function tooMany(): ShellFault {
  return new ShellFault(`brace expansion: more than ${ELEMENTS_MAX} words`);
}

/** The end of text that can't be a brace: quotes, escapes, `$…` and backquotes. The same position if there is none. */
function skip(source: string, at: number): number {
  const character = source[at];
  if (character === "\\") return at + 2;
  if (character === "'") return after(source.indexOf("'", at + 1), source);
  if (character === '"' || character === "`") return quotedEnd(source, at, character);
  if (character !== "$" && !((character === "<" || character === ">") && source[at + 1] === "(")) return at;
  const next = source[at + 1];
  if (next === "'") return ansiEnd(source, at + 1);
  if (next === "{") return nestedEnd(source, at + 1, "{", "}");
  if (next === "(") return nestedEnd(source, at + 1, "(", ")");
  return character === "$" ? at + 1 : at;
}

function after(index: number, source: string): number {
  return index < 0 ? source.length : index + 1;
}

function quotedEnd(source: string, at: number, quote: string): number {
  for (let i = at + 1; i < source.length; i++) {
    if (source[i] === "\\") i++;
    else if (source[i] === quote) return i + 1;
    else if (quote === '"' && source[i] === "$" && source[i + 1] === "(") i = nestedEnd(source, i + 1, "(", ")") - 1;
    else if (quote === '"' && source[i] === "$" && source[i + 1] === "{") i = nestedEnd(source, i + 1, "{", "}") - 1;
  }
  return source.length;
}

function ansiEnd(source: string, at: number): number {
  for (let i = at + 1; i < source.length; i++) {
    if (source[i] === "\\") i++;
    else if (source[i] === "'") return i + 1;
  }
  return source.length;
}

function nestedEnd(source: string, at: number, open: string, close: string): number {
  let depth = 0;
  for (let i = at; i < source.length; i++) {
    const character = source[i];
    if (character === open) depth++;
    else if (character === close && --depth === 0) return i + 1;
    else if (character === "\\") i++;
    else if (character === "'" || character === '"' || character === "`") i = skip(source, i) - 1;
  }
  return source.length;
}

function closing(source: string, open: number): number {
  let depth = 0;
  for (let at = open; at < source.length;) {
    const skipped = skip(source, at);
    if (skipped > at) {
      at = skipped;
      continue;
    }
    if (source[at] === "{") depth++;
    if (source[at] === "}" && --depth === 0) return at;
    at++;
  }
  return -1;
}

function splitCommas(body: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let depth = 0;
  for (let at = 0; at < body.length;) {
    const skipped = skip(body, at);
    if (skipped > at) {
      at = skipped;
      continue;
    }
    if (body[at] === "{") depth++;
    if (body[at] === "}") depth--;
    if (body[at] === "," && depth === 0) {
      parts.push(body.slice(start, at));
      start = at + 1;
    }
    at++;
  }
  parts.push(body.slice(start));
  return parts;
}

function sequence(body: string): string[] | undefined {
  const numbers = /^(-?\d+)\.\.(-?\d+)(?:\.\.(-?\d+))?$/.exec(body);
  if (numbers !== null) return numberSequence(numbers[1] ?? "", numbers[2] ?? "", numbers[3]);
  const letters = /^([A-Za-z])\.\.([A-Za-z])(?:\.\.(-?\d+))?$/.exec(body);
  if (letters === null) return undefined;
  const [from, to] = [letters[1] ?? "", letters[2] ?? ""].map((letter) => letter.charCodeAt(0));
  return steps(from ?? 0, to ?? 0, letters[3]).map((code) => String.fromCharCode(code));
}

/** If one of the ends begins with a zero, all numbers are as wide as the wider end. */
function numberSequence(from: string, to: string, step: string | undefined): string[] {
  const isPadded = /^-?0\d/.test(from) || /^-?0\d/.test(to);
  const width = isPadded ? Math.max(from.length, to.length) : 0;
  return steps(Number(from), Number(to), step).map((number) => padded(number, width));
}

function padded(number: number, width: number): string {
  const digits = String(Math.abs(number));
  return number < 0 ? `-${digits.padStart(width - 1, "0")}` : digits.padStart(width, "0");
}

function steps(from: number, to: number, step: string | undefined): number[] {
  const size = Math.max(1, Math.abs(Number(step ?? 1)) || 1);
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to)) throw tooMany();
  if (Math.abs(to - from) / size > ELEMENTS_MAX) throw tooMany();
  const numbers: number[] = [];
  if (from <= to) for (let at = from; at <= to; at += size) numbers.push(at);
  else for (let at = from; at >= to; at -= size) numbers.push(at);
  return numbers;
}

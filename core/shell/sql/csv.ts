/**
 * CSV as in RFC 4180, read from pieces and written. It is smaller than a library, and no maintained library
 * distinguishes an empty field from an empty text: in `a,,c` the second value is NULL, in `a,"",c` it is an empty text.
 * Pure.
 */
import { StarfishError } from "../../base/errors.ts";
import { CSV_RECORD_CHARS_MAX } from "./limits.ts";

export type CsvRecord = readonly (string | null)[];

const QUOTE = '"';

export class CsvReader {
  readonly #delimiter: string;
  #text = "";
  #at = 0;
  /** The line, from 1, of the record that is read next. */
  #line = 1;

  constructor(delimiter: string) {
    this.#delimiter = delimiter;
  }

  /** Returns complete records, with the lines in which they begin. Throws "malformed", "too-large". */
  feed(text: string): { record: CsvRecord; line: number }[] {
    this.#text = this.#text.slice(this.#at) + text;
    this.#at = 0;
    const records = this.#records(false);
    if (this.#text.length - this.#at > CSV_RECORD_CHARS_MAX) {
      throw new StarfishError(
        "too-large",
        `line ${this.#line}: the record has more than ${CSV_RECORD_CHARS_MAX} characters; is a quote not closed?`,
      );
    }
    return records;
  }

  end(): { record: CsvRecord; line: number }[] {
    return this.#records(true);
  }

  #records(isEnd: boolean): { record: CsvRecord; line: number }[] {
    const records: { record: CsvRecord; line: number }[] = [];
    while (this.#at < this.#text.length) {
      const line = this.#line;
      const record = this.#record(isEnd);
      if (record === undefined) break;
      records.push({ record, line });
    }
    return records;
  }

  #record(isEnd: boolean): CsvRecord | undefined {
    const record: (string | null)[] = [];
    let at = this.#at;
    let lines = 1;
    for (;;) {
      const field = this.#text[at] === QUOTE ? this.#quoted(at, isEnd) : this.#bare(at, isEnd);
      if (field === undefined) return undefined;
      record.push(field.value);
      lines += field.newlines;
      at = field.to;
      if (this.#text[at] === this.#delimiter) {
        at++;
        continue;
      }
      this.#at = at + (this.#text[at] === "\r" ? 2 : 1);
      this.#line += lines;
      return record;
    }
  }

  /** `to` is the position of the delimiter or the line's end, or the end of the text. */
  #bare(from: number, isEnd: boolean): Field | undefined {
    const newline = this.#text.indexOf("\n", from);
    const delimiter = this.#text.indexOf(this.#delimiter, from);
    if (delimiter >= 0 && (newline < 0 || delimiter < newline))
      return field(this.#text.slice(from, delimiter), delimiter);
    if (newline < 0) return isEnd ? field(this.#text.slice(from).replace(/\r$/, ""), this.#text.length) : undefined;
    const to = newline > from && this.#text[newline - 1] === "\r" ? newline - 1 : newline;
    return field(this.#text.slice(from, to), to);
  }

  #quoted(from: number, isEnd: boolean): Field | undefined {
    let closing = this.#text.indexOf(QUOTE, from + 1);
    while (closing >= 0 && this.#text[closing + 1] === QUOTE) closing = this.#text.indexOf(QUOTE, closing + 2);
    const [next, after] = [this.#text[closing + 1], this.#text[closing + 2]];
    // The next character may be another quote, or half of a line's end.
    if (!isEnd && (closing < 0 || next === undefined || (next === "\r" && after === undefined))) return undefined;
    if (closing < 0) throw new StarfishError("malformed", `line ${this.#line}: a quote is not closed`);
    const isLineEnd = next === "\n" || (next === "\r" && (after === "\n" || after === undefined));
    if (next !== undefined && next !== this.#delimiter && !isLineEnd) {
      throw new StarfishError(
        "malformed",
        `line ${this.#line}: text follows a closing quote; a quote within a field is written twice`,
      );
    }
    const inner = this.#text.slice(from + 1, closing);
    const value = inner.includes(QUOTE) ? inner.replaceAll('""', QUOTE) : inner;
    return { value, to: closing + 1, newlines: inner.includes("\n") ? inner.split("\n").length - 1 : 0 };
  }
}

interface Field {
  readonly value: string | null;
  readonly to: number;
  readonly newlines: number;
}

function field(text: string, to: number): Field {
  return { value: text === "" ? null : text, to, newlines: 0 };
}

/** One record with its line's end; null becomes an empty field. */
export function csvLine(fields: CsvRecord, delimiter: string, newline: string): string {
  return fields.map((text) => (text === null ? "" : csvField(text, delimiter))).join(delimiter) + newline;
}

function csvField(text: string, delimiter: string): string {
  const isPlain = text !== "" && !/["\r\n]/.test(text) && !text.includes(delimiter) && text.trim() === text;
  return isPlain ? text : `${QUOTE}${text.replaceAll(QUOTE, '""')}${QUOTE}`;
}

/**
 * Guesses the type of a column from some of its values: one in which SQLite keeps them without loss. A code with
 * leading zeros is text.
 */
export function guessType(values: Iterable<string | null>): "INTEGER" | "REAL" | "TEXT" {
  let isInteger = true;
  let isReal = true;
  let isEmpty = true;
  for (const value of values) {
    if (value === null) continue;
    isEmpty = false;
    isInteger &&= isWhole(value);
    isReal &&= isWhole(value) || isFraction(value);
    if (!isReal) return "TEXT";
  }
  return isEmpty ? "TEXT" : isInteger ? "INTEGER" : "REAL";
}

const WHOLE = /^-?(?:0|[1-9]\d{0,18})$/;
const INTEGER_MAX = 2n ** 63n - 1n;

function isWhole(text: string): boolean {
  if (!WHOLE.test(text) || text === "-0") return false;
  const value = BigInt(text);
  return value <= INTEGER_MAX && value >= -INTEGER_MAX - 1n;
}

function isFraction(text: string): boolean {
  return /^-?(?:0|[1-9]\d*)?\.\d+(?:[eE][+-]?\d+)?$/.test(text) || /^-?(?:0|[1-9]\d*)[eE][+-]?\d+$/.test(text);
}

/** A word of a command line as a value: a number if that is its only usual form, else text. */
export function parameterOf(word: string): string | number | bigint {
  if (isWhole(word)) {
    const value = Number(word);
    return Number.isSafeInteger(value) ? value : BigInt(word);
  }
  return isFraction(word) && String(Number(word)) === word ? Number(word) : word;
}

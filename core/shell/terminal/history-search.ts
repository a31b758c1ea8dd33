/** Searches the history for a line that contains a text, letter by letter (Ctrl-R). Pure. */
import { oneLine } from "../harmless.ts";

export class HistorySearch {
  readonly #lines: readonly string[];
  /** The line before the search, which is restored if the search is cancelled. */
  readonly draft: string;
  #query = "";
  #at: number;
  #isFailing = false;

  constructor(lines: readonly string[], draft: string) {
    this.#lines = [...lines];
    this.#at = lines.length;
    this.draft = draft;
  }

  get prompt(): string {
    return `(${this.#isFailing ? "nothing with" : "search"} '${oneLine(this.#query)}') `;
  }

  get line(): string {
    return this.#lines[this.#at] ?? this.draft;
  }

  /** Where in the line the match begins. */
  get cursor(): number {
    return Math.max(0, this.line.indexOf(this.#query));
  }

  type(text: string): void {
    this.#query += text;
    this.#find(this.#at, -1);
  }

  /** Drops a letter, and searches again from the newest line. */
  erase(): void {
    this.#query = Array.from(this.#query).slice(0, -1).join("");
    this.#find(this.#lines.length, -1);
  }

  next(direction: -1 | 1): void {
    this.#find(this.#at + direction, direction);
  }

  #find(from: number, direction: -1 | 1): void {
    if (this.#query === "") {
      this.#isFailing = false;
      return;
    }
    for (let at = Math.min(from, this.#lines.length - 1); at >= 0 && at < this.#lines.length; at += direction) {
      if (this.#lines[at]?.includes(this.#query) !== true) continue;
      this.#at = at;
      this.#isFailing = false;
      return;
    }
    this.#isFailing = true;
  }
}

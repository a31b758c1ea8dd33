/**
 * The position of the screen in a text, and what it shows: rows of wrapped or cut lines, and a row with the position.
 */
import { compose, joined, type Text } from "../../styled.ts";
import type { TerminalInfo } from "../../types.ts";
import { cut } from "../../width.ts";
import { inverse, screenOf, visibleText, windowOf, withSpans, wrappedRows } from "../rows.ts";
import type { Pages } from "./pages.ts";

export interface ViewOptions {
  /** Whether long lines are cut and not wrapped. */
  isChopped: boolean;
  hasNumbers: boolean;
}

export class View {
  readonly pages: Pages;
  readonly options: ViewOptions;
  /** The first line shown, and how many of its rows are above the screen. */
  top = 0;
  skip = 0;
  /** Columns to the left of the screen, if lines are cut. */
  left = 0;
  #info: TerminalInfo;
  /** Matches of it are highlighted. */
  pattern: RegExp | undefined;
  /** Whether the last line is on the screen. */
  isAtEnd = false;

  constructor(pages: Pages, info: TerminalInfo, options: ViewOptions) {
    this.pages = pages;
    this.#info = info;
    this.options = options;
  }

  resize(info: TerminalInfo): void {
    this.#info = info;
  }

  /** Rows for text; the last row is for the prompt. */
  get height(): number {
    return Math.max(1, this.#info.rows - 1);
  }

  get width(): number {
    return Math.max(1, this.#info.columns - this.#numberWidth);
  }

  get #numberWidth(): number {
    return this.options.hasNumbers ? 8 : 0;
  }

  async #rowsOf(number: number): Promise<string[] | undefined> {
    const line = await this.pages.line(number);
    if (line === undefined) return undefined;
    const text = visibleText(line);
    return this.options.isChopped ? [windowOf(text, this.left, this.width)] : wrappedRows(text, this.width);
  }

  /** Moves down by rows; stops when the last row is at the bottom. */
  async down(rows: number): Promise<void> {
    for (let i = 0; i < rows; i++) {
      const present = await this.#rowsOf(this.top);
      if (present === undefined || !(await this.#hasRowBelow())) return;
      if (this.skip + 1 < present.length) this.skip++;
      else {
        this.top++;
        this.skip = 0;
      }
    }
  }

  async #hasRowBelow(): Promise<boolean> {
    let left = this.height + this.skip;
    for (let number = this.top; left >= 0; number++) {
      const rows = await this.#rowsOf(number);
      if (rows === undefined) return false;
      left -= rows.length;
    }
    return true;
  }

  async up(rows: number): Promise<void> {
    for (let i = 0; i < rows; i++) {
      if (this.skip > 0) this.skip--;
      else if (this.top > this.pages.lost) {
        this.top--;
        this.skip = ((await this.#rowsOf(this.top))?.length ?? 1) - 1;
      } else return;
    }
  }

  /** Moves a line to the top, or as near to it as the end allows. */
  async goTo(number: number): Promise<void> {
    this.top = Math.max(this.pages.lost, Math.min(number, this.pages.count - 1));
    this.skip = 0;
    if (this.pages.isEnd && !(await this.#fillsScreen())) await this.toEnd();
  }

  async #fillsScreen(): Promise<boolean> {
    let rows = 0;
    for (let number = this.top; rows < this.height; number++) {
      const own = await this.#rowsOf(number);
      if (own === undefined) return false;
      rows += own.length;
    }
    return true;
  }

  /** Moves to the last screen of what is known. */
  async toEnd(): Promise<void> {
    this.top = Math.max(this.pages.lost, this.pages.count - 1);
    const last = (await this.#rowsOf(this.top))?.length ?? 1;
    this.skip = last - 1;
    await this.up(this.height - 1);
  }

  /** The whole screen; `prompt` is in the last row, which may have a cursor. */
  async frame(prompt: Text, cursor?: number): Promise<Text> {
    const rows: Text[] = [];
    let skip = this.skip;
    let number = this.top;
    for (; rows.length < this.height; number++) {
      const own = await this.#rowsOf(number);
      if (own === undefined) break;
      for (const [i, row] of own.slice(skip).entries())
        if (rows.length < this.height) rows.push(this.#row(row, number, i + skip));
      skip = 0;
    }
    this.isAtEnd = this.pages.isEnd && number >= this.pages.count;
    while (rows.length < this.height) rows.push("~");
    const place = { row: this.height, column: Math.min(cursor ?? this.#info.columns - 1, this.#info.columns - 1) };
    return screenOf([...rows, prompt], place);
  }

  #row(text: string, number: number, index: number): Text {
    const spans: [number, number][] = [];
    if (this.pattern !== undefined) {
      for (const match of text.matchAll(this.pattern))
        if (match[0] !== "") spans.push([match.index, match.index + match[0].length]);
    }
    const shown = withSpans(text, spans);
    if (!this.options.hasNumbers) return shown;
    return joined([index === 0 ? `${String(number + 1).padStart(7)} ` : " ".repeat(8), shown]);
  }

  /** The row at the bottom: the position in the text. */
  status(name: string, message: string | undefined): Text {
    const { count, isEnd, lost } = this.pages;
    const last = Math.min(count, this.top + this.height);
    const lines = count === 0 ? "empty" : `${this.top + 1}-${last}${isEnd ? ` of ${count}` : ""}`;
    const gone = lost > 0 ? `, the first ${lost} lines are gone` : "";
    const words =
      message ?? `${name === "" ? "" : `${name}  `}${lines}${gone}${this.isAtEnd ? " (END)" : ""}  h: help  q: quit`;
    return compose`${inverse(cut(words, Math.max(1, this.#info.columns - 1)))}`;
  }
}

/** The text of a line that is being edited: graphemes, a cursor, killed text, and the history for undo. Pure. */
import { graphemes } from "../width.ts";

/** Steps for undo; a step is at most a line of text. */
const UNDO_MAX = 200;
const KILLS_MAX = 20;

interface Moment {
  readonly text: readonly string[];
  readonly cursor: number;
}

type Change = "insert" | "kill" | "yank" | "other";

export class LineBuffer {
  #text: string[] = [];
  #cursor = 0;
  #undo: Moment[] = [];
  #kills: string[] = [];
  /** The last change: letters that are typed one after the other are one step, and kills in a row are one text. */
  #last: Change = "other";
  /** Where the last yanked text begins, and which kill it was. */
  #yanked = { from: 0, index: 0 };

  get text(): readonly string[] {
    return this.#text;
  }

  get cursor(): number {
    return this.#cursor;
  }

  get line(): string {
    return this.#text.join("");
  }

  get isAtEnd(): boolean {
    return this.#cursor === this.#text.length;
  }

  get beforeCursor(): string {
    return this.#text.slice(0, this.#cursor).join("");
  }

  /** Starts a new line. */
  reset(line = ""): void {
    this.#text = graphemes(line);
    this.#cursor = this.#text.length;
    this.#undo = [];
    this.#last = "other";
  }

  /** Replaces the text, which can be undone. */
  replace(line: string, cursor: number = line.length): void {
    this.#remember("other");
    this.#text = graphemes(line);
    this.#cursor = graphemes(line.slice(0, cursor)).length;
  }

  /**
   * Returns whether the new text appears unchanged after the old one; combining marks join the character before them.
   */
  insert(added: string): boolean {
    const isLetter = this.#last === "insert" && /^\S$/u.test(added);
    if (!isLetter) this.#remember("insert");
    this.#last = "insert";
    return this.#put(added);
  }

  #put(added: string): boolean {
    const before = this.#cursor;
    const head = graphemes(this.beforeCursor + added);
    const isApart = head.length === before + graphemes(added).length;
    this.#text = [...head, ...this.#text.slice(before)];
    this.#cursor = head.length;
    return isApart;
  }

  remove(from: number, to: number): boolean {
    if (from >= to || from >= this.#text.length) return false;
    this.#remember("other");
    this.#text.splice(from, to - from);
    this.#cursor = from;
    return true;
  }

  /** Removes text, and keeps it for `yank`. */
  kill(from: number, to: number): boolean {
    if (from >= to || from >= this.#text.length) return false;
    const killed = this.#text.slice(from, to).join("");
    const isForward = from === this.#cursor;
    if (this.#last === "kill") {
      const before = this.#kills.pop() ?? "";
      this.#kills.push(isForward ? before + killed : killed + before);
    } else this.#kills.push(killed);
    if (this.#kills.length > KILLS_MAX) this.#kills.shift();
    this.#remember("kill");
    this.#text.splice(from, to - from);
    this.#cursor = from;
    return true;
  }

  yank(): boolean {
    const killed = this.#kills.at(-1);
    if (killed === undefined) return false;
    this.#remember("yank");
    this.#yanked = { from: this.#cursor, index: this.#kills.length - 1 };
    this.#put(killed);
    return true;
  }

  /** Replaces the yanked text with the kill before it. */
  yankBefore(): boolean {
    if (this.#last !== "yank" || this.#kills.length < 2) return false;
    const { from, index } = this.#yanked;
    const before = (index + this.#kills.length - 1) % this.#kills.length;
    this.#text.splice(from, this.#cursor - from);
    this.#cursor = from;
    this.#put(this.#kills[before] ?? "");
    this.#yanked = { from, index: before };
    return true;
  }

  undo(): boolean {
    const moment = this.#undo.pop();
    if (moment === undefined) return false;
    this.#text = [...moment.text];
    this.#cursor = moment.cursor;
    this.#last = "other";
    return true;
  }

  move(to: number): boolean {
    this.#last = "other";
    const cursor = Math.max(0, Math.min(this.#text.length, to));
    if (cursor === this.#cursor) return false;
    this.#cursor = cursor;
    return true;
  }

  #remember(change: Change): void {
    this.#undo.push({ text: [...this.#text], cursor: this.#cursor });
    if (this.#undo.length > UNDO_MAX) this.#undo.shift();
    this.#last = change;
  }

  /**
   * Where the word before the cursor begins. Words are separated by blanks, or by everything that is no letter or
   * digit.
   */
  wordStart(isWord: (grapheme: string) => boolean = isNoBlank): number {
    let at = this.#cursor;
    while (at > 0 && !isWord(this.#text[at - 1] ?? "")) at--;
    while (at > 0 && isWord(this.#text[at - 1] ?? "")) at--;
    return at;
  }

  wordEnd(isWord: (grapheme: string) => boolean = isNoBlank): number {
    let at = this.#cursor;
    while (at < this.#text.length && !isWord(this.#text[at] ?? "")) at++;
    while (at < this.#text.length && isWord(this.#text[at] ?? "")) at++;
    return at;
  }

  /** The first and last position of the cursor's row, in a text of several rows. */
  get rowStart(): number {
    return this.#text.lastIndexOf("\n", this.#cursor - 1) + 1;
  }

  get rowEnd(): number {
    const end = this.#text.indexOf("\n", this.#cursor);
    return end < 0 ? this.#text.length : end;
  }

  /** Moves to the row above or below; returns false at the first or last. */
  moveRow(direction: -1 | 1): boolean {
    const start = this.#cursor === 0 ? 0 : this.rowStart;
    const column = this.#cursor - start;
    if (direction < 0) {
      if (start === 0) return false;
      const above = start < 2 ? 0 : this.#text.lastIndexOf("\n", start - 2) + 1;
      return this.move(Math.min(above + column, start - 1));
    }
    const end = this.rowEnd;
    if (end === this.#text.length) return false;
    const next = this.#text.indexOf("\n", end + 1);
    return this.move(Math.min(end + 1 + column, next < 0 ? this.#text.length : next));
  }
}

function isNoBlank(grapheme: string): boolean {
  return !/^\s$/.test(grapheme);
}

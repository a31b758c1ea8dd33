/** A text that is being edited: its lines, a position in them, and the history for undo. Pure. */
import { graphemes } from "../../width.ts";

export interface Spot {
  readonly line: number;
  /** The number of graphemes before it. */
  readonly column: number;
}

interface Change {
  readonly first: number;
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly from: Spot;
  readonly to: Spot;
}

/** Steps for undo, and the text that they may hold together, in UTF-16 units. */
const CHANGES_MAX = 1_000;
const CHANGES_LENGTH_MAX: number = 8 * 1024 * 1024;

export class Document {
  readonly lines: string[];
  spot: Spot = { line: 0, column: 0 };
  #undo: Change[] = [];
  #redo: Change[] = [];
  /** How many changes had been made when it was saved. */
  #saved = 0;
  #version = 0;
  #versions: number[] = [];
  #isTyping = false;

  constructor(text: string) {
    this.lines = text.split("\n");
  }

  get text(): string {
    return this.lines.join("\n");
  }

  get isChanged(): boolean {
    return this.#version !== this.#saved;
  }

  saved(): void {
    this.#saved = this.#version;
    this.#isTyping = false;
  }

  lineAt(number: number): string {
    return this.lines[number] ?? "";
  }

  get lengthOfLine(): number {
    return graphemes(this.lineAt(this.spot.line)).length;
  }

  insert(text: string): void {
    const { line, column } = this.spot;
    const typed = graphemes(this.lineAt(line));
    const head = typed.slice(0, column).join("");
    const tail = typed.slice(column).join("");
    const rows = (head + text).split("\n");
    const last = rows.at(-1) ?? "";
    const to = { line: line + rows.length - 1, column: graphemes(last).length };
    rows[rows.length - 1] = last + tail;
    this.#change(line, 1, rows, to, /^\S$/u.test(text));
  }

  /** Removes the grapheme before the cursor. */
  backspace(): void {
    const { line, column } = this.spot;
    if (column > 0) {
      const typed = graphemes(this.lineAt(line));
      const to = { line, column: column - 1 };
      this.#change(line, 1, [[...typed.slice(0, column - 1), ...typed.slice(column)].join("")], to);
    } else if (line > 0) {
      const before = this.lineAt(line - 1);
      const to = { line: line - 1, column: graphemes(before).length };
      this.#change(line - 1, 2, [before + this.lineAt(line)], to);
    }
  }

  delete(): void {
    const { line, column } = this.spot;
    if (column < this.lengthOfLine) this.spot = { line, column: column + 1 };
    else if (line + 1 < this.lines.length) this.spot = { line: line + 1, column: 0 };
    else return;
    this.backspace();
  }

  cutLine(): string {
    const { line } = this.spot;
    const cut = this.lineAt(line);
    if (this.lines.length === 1) this.#change(0, 1, [""], { line: 0, column: 0 });
    else this.#change(line, 1, [], { line: Math.min(line, this.lines.length - 2), column: 0 });
    return cut;
  }

  move(line: number, column: number): void {
    this.#isTyping = false;
    const to = Math.max(0, Math.min(this.lines.length - 1, line));
    this.spot = { line: to, column: Math.max(0, Math.min(graphemes(this.lineAt(to)).length, column)) };
  }

  left(): void {
    const { line, column } = this.spot;
    if (column > 0) this.move(line, column - 1);
    else if (line > 0) this.move(line - 1, Number.MAX_SAFE_INTEGER);
  }

  right(): void {
    const { line, column } = this.spot;
    if (column < this.lengthOfLine) this.move(line, column + 1);
    else if (line + 1 < this.lines.length) this.move(line + 1, 0);
  }

  /** Moves to the next match after the cursor, continuing at the beginning if need be. */
  find(text: string): boolean {
    if (text === "") return false;
    const { line, column } = this.spot;
    for (let step = 0; step <= this.lines.length; step++) {
      const number = (line + step) % this.lines.length;
      const content = this.lineAt(number);
      const from =
        step === 0
          ? graphemes(content)
              .slice(0, column + 1)
              .join("").length
          : 0;
      const at = content.indexOf(text, from);
      if (at < 0) continue;
      this.move(number, graphemes(content.slice(0, at)).length);
      return true;
    }
    return false;
  }

  #change(first: number, count: number, after: readonly string[], to: Spot, isTyping = false): void {
    const before = this.lines.slice(first, first + count);
    const last = this.#undo.at(-1);
    this.lines.splice(first, count, ...after);
    if (isTyping && this.#isTyping && last !== undefined && last.first === first && last.after.length === 1) {
      // Letters that are typed one after the other are one step.
      this.#undo[this.#undo.length - 1] = { ...last, after, to };
    } else {
      this.#undo.push({ first, before, after, from: this.spot, to });
      this.#versions.push(this.#version);
      this.#bound();
    }
    this.#version = ++this.#count;
    this.#redo = [];
    this.#isTyping = isTyping;
    this.spot = to;
  }

  #count = 0;

  #bound(): void {
    let length = this.#undo.reduce((sum, change) => sum + sizeOf(change), 0);
    while (this.#undo.length > CHANGES_MAX || (length > CHANGES_LENGTH_MAX && this.#undo.length > 1)) {
      const oldest = this.#undo.shift();
      this.#versions.shift();
      length -= oldest === undefined ? 0 : sizeOf(oldest);
    }
  }

  undo(): boolean {
    const change = this.#undo.pop();
    if (change === undefined) return false;
    this.lines.splice(change.first, change.after.length, ...change.before);
    this.#version = this.#versions.pop() ?? 0;
    this.#redo.push(change);
    this.#isTyping = false;
    this.spot = change.from;
    return true;
  }

  redo(): boolean {
    const change = this.#redo.pop();
    if (change === undefined) return false;
    this.lines.splice(change.first, change.before.length, ...change.after);
    this.#versions.push(this.#version);
    this.#version = ++this.#count;
    this.#undo.push(change);
    this.#isTyping = false;
    this.spot = change.to;
    return true;
  }
}

function sizeOf({ before, after }: Change): number {
  return [...before, ...after].reduce((sum, line) => sum + line.length, 0);
}

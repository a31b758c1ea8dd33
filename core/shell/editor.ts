/**
 * A line editor for a terminal: keys in, the bytes that bring the screen up to date out. It assumes that the cursor is
 * where it left it, so whatever else prints must `hide` the line before and `show` it after. Pure.
 */
import { unreachable } from "../base/assert.ts";
import { quote, typedPrefix, type Completion } from "./complete.ts";
import type { Key, KeyName } from "./editor-keys.ts";
import { oneLine } from "./harmless.ts";
import { History } from "./history.ts";
import { LINE_LENGTH_MAX } from "./language/limits.ts";
import { graphemes, graphemeWidth, widthOf, withoutColours } from "./width.ts";

export type EditorEvent =
  | { readonly kind: "line"; readonly line: string }
  /** Ctrl-C: the line was given up. */
  | { readonly kind: "interrupt" }
  /** Ctrl-D on an empty line. */
  | { readonly kind: "end" };

export interface EditorStep {
  readonly screen: string;
  readonly event?: EditorEvent;
  /** A paste that did not fit and was not taken: its length. */
  readonly tooLong?: number;
}

export interface EditorOptions {
  readonly columns: number;
  readonly history?: History;
  readonly complete?: (line: string, cursor: number) => Completion;
}

/** Changes nothing but that what follows begins anew. */
const APART = "\x1b[39m";
const ERASE_BELOW = "\x1b[J";
const HOME_AND_ERASE = "\x1b[H\x1b[2J";

interface Place {
  readonly row: number;
  readonly column: number;
}

export class Editor {
  readonly history: History;
  readonly #complete: EditorOptions["complete"];
  #columns: number;
  #prompt = "";
  /** The line, one grapheme an element, and how many of them are before the cursor. */
  #text: string[] = [];
  #cursor = 0;
  /** Row of the cursor as it is on the screen, counted from that of the prompt. */
  #row = 0;

  constructor(options: EditorOptions) {
    this.history = options.history ?? new History();
    this.#complete = options.complete;
    this.#columns = Math.max(1, options.columns);
  }

  get line(): string {
    return this.#text.join("");
  }

  /** A new, empty line. The cursor has to be in the first column. */
  start(prompt: string): string {
    this.#prompt = prompt;
    this.#set("");
    this.#row = 0;
    return this.show();
  }

  /** Takes the line off the screen; the cursor is left where the prompt began. */
  hide(): string {
    const up = this.#row > 0 ? `\x1b[${this.#row}A` : "";
    this.#row = 0;
    return `${up}\r${ERASE_BELOW}`;
  }

  /** Draws prompt and line from the first column of the cursor's row on. */
  show(): string {
    const { places, end } = this.#layout();
    const cursor = this.#cursor === this.#text.length ? end : (places[this.#cursor] ?? end);
    // A mark at the beginning of a line must not join the prompt: any sequence keeps a terminal from that.
    const apart = isAscii(this.#text[0]) ? "" : APART;
    let screen = this.#prompt + apart + this.#text.map(shownAs).join("");
    // A full row leaves the terminal waiting at its last column; go on to where our reckoning has the cursor.
    if (end.column === 0 && end.row > 0 && this.#text.at(-1) !== "\n") screen += "\r\n";
    if (end.row > cursor.row) screen += `\x1b[${end.row - cursor.row}A`;
    if (cursor !== end) screen += cursor.column > 0 ? `\r\x1b[${cursor.column}C` : "\r";
    this.#row = cursor.row;
    return screen;
  }

  resize(columns: number): string {
    const screen = this.hide();
    this.#columns = Math.max(1, columns);
    return screen + this.show();
  }

  key(key: Key): EditorStep {
    if (key.kind === "named") return this.#named(key.name);
    if (key.kind === "text") return { screen: this.#insert(key.text) };
    const text = printable(key.text);
    if (text.length > LINE_LENGTH_MAX - this.line.length) return { screen: "", tooLong: text.length };
    return { screen: this.#insert(text) };
  }

  #named(name: KeyName): EditorStep {
    switch (name) {
      case "enter":
        return this.#finish("", { kind: "line", line: this.line });
      case "interrupt":
        return this.#finish("^C", { kind: "interrupt" });
      case "end-of-file":
        if (this.#text.length === 0) return this.#finish("", { kind: "end" });
        return { screen: this.#remove(this.#cursor, this.#cursor + 1) };
      case "tab":
        return { screen: this.#tab() };
      case "clear-screen":
        this.#row = 0;
        return { screen: HOME_AND_ERASE + this.show() };
      case "up":
      case "down":
        return { screen: this.#leaf(name === "up" ? -1 : 1) };
      default:
        return { screen: this.#edit(name) };
    }
  }

  #edit(
    name: Exclude<KeyName, "enter" | "interrupt" | "end-of-file" | "tab" | "clear-screen" | "up" | "down">,
  ): string {
    const at = this.#cursor;
    switch (name) {
      case "left":
        return this.#move(at - 1);
      case "right":
        return this.#move(at + 1);
      case "home":
        return this.#move(0);
      case "end":
        return this.#move(this.#text.length);
      case "word-left":
        return this.#move(this.#wordStart());
      case "word-right":
        return this.#move(this.#wordEnd());
      case "backspace":
        return at === 0 ? "" : this.#remove(at - 1, at);
      case "delete":
        return this.#remove(at, at + 1);
      case "delete-word":
        return this.#remove(this.#wordStart(), at);
      case "kill-end":
        return this.#remove(at, this.#text.length);
      case "kill-start":
        return this.#remove(0, at);
      default:
        return unreachable(name);
    }
  }

  #finish(mark: string, event: EditorEvent): EditorStep {
    const toEnd = this.#move(this.#text.length);
    if (event.kind === "line") this.history.add(event.line);
    else this.history.rewind();
    const fresh = this.#text.length > 0 && this.#layout().end.column === 0 && mark === "" ? "" : "\r\n";
    this.#set("");
    this.#row = 0;
    return { screen: `${toEnd}${mark}${fresh}`, event };
  }

  #insert(text: string): string {
    const before = this.#layout().end;
    const wasAtEnd = this.#cursor === this.#text.length;
    const room = LINE_LENGTH_MAX - this.line.length;
    const added = text.slice(0, Math.max(0, room));
    // Marks that combine with what is there already must merge with it: cut the whole line up anew.
    const head = graphemes(this.#text.slice(0, this.#cursor).join("") + added);
    const merged = head.length !== this.#cursor + graphemes(added).length;
    this.#text = [...head, ...this.#text.slice(this.#cursor)];
    this.#cursor = head.length;
    const after = this.#layout().end;
    const simple = wasAtEnd && !merged && before.row === after.row && !added.includes("\n");
    const alone = this.#text.length === graphemes(added).length && !isAscii(this.#text[0]);
    return simple && !alone ? graphemes(added).map(shownAs).join("") : this.hide() + this.show();
  }

  #remove(from: number, to: number): string {
    if (from >= to || from >= this.#text.length) return "";
    this.#text.splice(from, to - from);
    this.#cursor = from;
    return this.hide() + this.show();
  }

  #move(to: number): string {
    const cursor = Math.max(0, Math.min(this.#text.length, to));
    if (cursor === this.#cursor) return "";
    this.#cursor = cursor;
    return this.hide() + this.show();
  }

  #leaf(direction: -1 | 1): string {
    const line = this.history.leaf(direction, this.line);
    if (line === undefined) return "";
    const hidden = this.hide();
    this.#set(line);
    return hidden + this.show();
  }

  #tab(): string {
    const line = this.line;
    const cursor = this.#text.slice(0, this.#cursor).join("").length;
    const found = this.#complete?.(line, cursor);
    const [first, second] = found?.candidates ?? [];
    if (found === undefined || first === undefined) return "";
    const typed = line.slice(found.from, cursor);
    const whole = second === undefined;
    const replacement = whole ? `${quote(first)} ` : typedPrefix(found.candidates);
    if (replacement.length <= typed.length && !whole) return this.#list(found.candidates);
    const hidden = this.hide();
    const head = graphemes(line.slice(0, found.from) + replacement);
    this.#text = [...head, ...this.#text.slice(this.#cursor)];
    this.#cursor = head.length;
    return hidden + this.show();
  }

  /** The candidates in columns below the line, then the line again. */
  #list(candidates: readonly string[]): string {
    const cell = Math.max(...candidates.map(widthOf)) + 2;
    const perRow = Math.max(1, Math.floor(this.#columns / cell));
    let list = "";
    candidates.forEach((candidate, i) => {
      const last = i % perRow === perRow - 1 || i === candidates.length - 1;
      list += last ? `${candidate}\r\n` : candidate + " ".repeat(cell - widthOf(candidate));
    });
    const at = this.#cursor;
    const toEnd = this.#move(this.#text.length);
    this.#cursor = at;
    this.#row = 0;
    return `${toEnd}\r\n${list}${this.show()}`;
  }

  #set(line: string): void {
    this.#text = graphemes(line);
    this.#cursor = this.#text.length;
  }

  #wordStart(): number {
    let at = this.#cursor;
    while (at > 0 && isBlank(this.#text[at - 1])) at--;
    while (at > 0 && !isBlank(this.#text[at - 1])) at--;
    return at;
  }

  #wordEnd(): number {
    let at = this.#cursor;
    while (at < this.#text.length && isBlank(this.#text[at])) at++;
    while (at < this.#text.length && !isBlank(this.#text[at])) at++;
    return at;
  }

  /** Where each grapheme of the line begins, and where the next one would. A wide one never straddles the edge. */
  #layout(): { places: Place[]; end: Place } {
    const columns = this.#columns;
    const promptWidth = widthOf(withoutColours(this.#prompt));
    let row = Math.floor(promptWidth / columns);
    let column = promptWidth % columns;
    const places: Place[] = [];
    for (const grapheme of this.#text) {
      const width = grapheme === "\n" ? 0 : graphemeWidth(shownAs(grapheme));
      if (column + width > columns || column === columns) {
        row++;
        column = 0;
      }
      places.push({ row, column });
      column += width;
      if (grapheme === "\n") {
        row++;
        column = 0;
      }
    }
    return { places, end: column === columns ? { row: row + 1, column: 0 } : { row, column } };
  }
}

/** A line may hold anything, and a name with a mark of direction has to be typed somehow; it steers nothing here. */
function shownAs(grapheme: string): string {
  if (grapheme === "\n") return "\r\n";
  const text = oneLine(grapheme);
  // By themselves marks and blanks without width can't be seen, and terminals don't agree on where they go.
  return graphemeWidth(text) === 0 ? "\ufffd" : text;
}

function isAscii(grapheme: string | undefined): boolean {
  return grapheme === undefined || grapheme < "\x80";
}

function isBlank(grapheme: string | undefined): boolean {
  return grapheme === undefined || /^\s$/.test(grapheme);
}

/** Pasted text as a line can show it: newlines as they are, tabs as blanks, nothing that would move the cursor. */
function printable(text: string): string {
  const tidy = text.replaceAll(/\r\n?/g, "\n").replaceAll("\t", "    ").replace(/\n+$/, "");
  // eslint-disable-next-line no-control-regex
  return tidy.replaceAll(/[\0-\x09\x0b-\x1f\x7f-\x9f]/g, "");
}

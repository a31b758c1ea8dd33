/**
 * A line editor for a terminal: keys in, the bytes that bring the screen up to date out. It assumes that the cursor is
 * where it left it. So other code that prints must `hide` the line before and `show` it after. Pure.
 */
import { unreachable } from "../base/assert.ts";
import { CANDIDATES_MAX, commonBeginning, typedBeginning, typedWhole, type Completion } from "./completion/typing.ts";
import type { Candidate } from "./completion/candidates.ts";
import type { Key, KeyName } from "./editor-keys.ts";
import { oneLine } from "./harmless.ts";
import { History } from "./history.ts";
import { LINE_LENGTH_MAX } from "./language/limits.ts";
import {
  cursorPosition,
  drawn,
  ERASE_BELOW,
  isAscii,
  layout,
  shownAs,
  type Mark,
  type Picture,
} from "./terminal/drawing.ts";
import { HistorySearch } from "./terminal/history-search.ts";
import { LineBuffer } from "./terminal/line-buffer.ts";
import { graphemes, widthOf } from "./width.ts";

export type EditorEvent =
  | { readonly kind: "line"; readonly line: string }
  /** Ctrl-C: the line was given up. */
  | { readonly kind: "interrupt" }
  /** Ctrl-D on an empty line. */
  | { readonly kind: "end" };

export interface EditorStep {
  readonly screen: string;
  readonly event?: EditorEvent;
  /** The length of a paste that did not fit and was not taken. */
  readonly tooLong?: number;
  /**
   * Tab was pressed: the caller asks for candidates at the cursor, and passes them to `completed`, unless another key
   * comes first.
   */
  readonly asks?: { readonly line: string; readonly cursor: number };
}

export interface EditorOptions {
  readonly columns: number;
  readonly history?: History;
  /** The parts of a line that would fail. */
  readonly marks?: (line: string, cursor: number) => readonly Mark[];
  /** Whether a line needs more, so that Enter continues it in the next row. */
  readonly isIncomplete?: (line: string) => boolean;
  /** The prompt of each further row of a line of several rows. */
  readonly more?: string;
  /** Whether history suggests lines, in grey. For a screen reader, the screen has only what was typed. */
  readonly hasGhosts?: () => boolean;
}

const HOME_AND_ERASE = "\x1b[H\x1b[2J";
const MORE = "> ";
/** Longer lines are drawn without marks, because checking all of a line at each key would be felt. */
const MARKED_LENGTH_MAX = 4_096;

type Editing = Exclude<
  KeyName,
  "enter" | "interrupt" | "end-of-file" | "tab" | "clear-screen" | "search" | "search-on"
>;

export class Editor {
  readonly history: History;
  readonly #options: EditorOptions;
  #columns: number;
  #prompt = "";
  readonly #buffer = new LineBuffer();
  #search: HistorySearch | undefined;
  /** The suggestion from history after the text. */
  #ghost = "";
  /** The row of the cursor on the screen, counted from the prompt's. */
  #row = 0;
  /** The marks as they were last drawn, for adding to them. */
  #marks: readonly Mark[] = [];

  constructor(options: EditorOptions) {
    this.history = options.history ?? new History();
    this.#options = options;
    this.#columns = Math.max(1, options.columns);
  }

  get line(): string {
    return this.#buffer.line;
  }

  /** Starts a new, empty line. The cursor has to be in the first column. */
  start(prompt: string): string {
    this.#prompt = prompt;
    this.#buffer.reset();
    this.#search = undefined;
    this.#row = 0;
    return this.show();
  }

  /** Drops what was typed. */
  clear(): string {
    const screen = this.hide();
    this.#search = undefined;
    this.#buffer.reset();
    return screen + this.show();
  }

  /** Takes the line off the screen. The cursor is left where the prompt began. */
  hide(): string {
    return `${this.#toPrompt()}${ERASE_BELOW}`;
  }

  #toPrompt(): string {
    const up = this.#row > 0 ? `\x1b[${this.#row}A` : "";
    this.#row = 0;
    return `${up}\r`;
  }

  /** Draws prompt and line from the first column of the cursor's row on. The screen has to be empty there. */
  show(): string {
    return this.#draw(false);
  }

  #draw(isOver: boolean): string {
    const { line } = this.#buffer;
    this.#ghost = this.#proposal();
    this.#marks = this.#marksOf(line);
    const picture = this.#picture();
    this.#row = cursorPosition(picture).row;
    return drawn(picture, isOver);
  }

  #picture(): Picture {
    const { text, cursor } = this.#buffer;
    const { more: mark = MORE } = this.#options;
    const more = widthOf(mark) < this.#columns ? mark : "";
    const prompt = this.#search?.prompt ?? this.#prompt;
    return { prompt, more, text, cursor, columns: this.#columns, marks: this.#marks, ghost: this.#ghost };
  }

  #proposal(): string {
    const { line, isAtEnd } = this.#buffer;
    const isWanted = this.#search === undefined && isAtEnd && line !== "" && this.#options.hasGhosts?.() === true;
    return isWanted ? (this.history.beginningWith(line)?.slice(line.length) ?? "") : "";
  }

  #marksOf(line: string): readonly Mark[] {
    if (line.length > MARKED_LENGTH_MAX || this.#search !== undefined) return [];
    return this.#options.marks?.(line, this.#buffer.beforeCursor.length) ?? [];
  }

  /** Draws over the old line, so that nothing flickers. */
  #redraw(): string {
    return this.#toPrompt() + this.#draw(true);
  }

  /** Draws again if marks have changed meanwhile. */
  refresh(): string {
    const marks = this.#marksOf(this.#buffer.line);
    return sameMarks(marks, this.#marks) ? "" : this.#redraw();
  }

  resize(columns: number): string {
    const screen = this.hide();
    this.#columns = Math.max(1, columns);
    return screen + this.show();
  }

  key(key: Key): EditorStep {
    if (this.#search !== undefined) return this.#searchKey(key, this.#search);
    if (key.kind === "named") return this.#named(key.name);
    if (key.kind === "text") return { screen: this.#insert(key.text) };
    const text = printable(key.text);
    if (text.length > LINE_LENGTH_MAX - this.line.length) return { screen: "", tooLong: text.length };
    return { screen: this.#insert(text) };
  }

  #named(name: KeyName): EditorStep {
    if (name === "tab") return { screen: "", asks: { line: this.line, cursor: this.#buffer.beforeCursor.length } };
    switch (name) {
      case "enter":
        if (this.#options.isIncomplete?.(this.line) === true) return { screen: this.#insert("\n") };
        return this.#finish("", { kind: "line", line: this.line });
      case "interrupt":
        return this.#finish("^C", { kind: "interrupt" });
      case "end-of-file":
        if (this.#buffer.text.length === 0) return this.#finish("", { kind: "end" });
        return { screen: this.#changed(this.#buffer.remove(this.#buffer.cursor, this.#buffer.cursor + 1)) };
      case "clear-screen":
        this.#row = 0;
        return { screen: HOME_AND_ERASE + this.show() };
      case "search":
      case "search-on":
        this.#search = new HistorySearch(this.history.lines, this.line);
        return { screen: this.#redraw() };
      default:
        return { screen: this.#edit(name) };
    }
  }

  #edit(name: Editing): string {
    const buffer = this.#buffer;
    const at = buffer.cursor;
    switch (name) {
      case "left":
        return this.#changed(buffer.move(at - 1));
      case "right":
        return buffer.isAtEnd ? this.#accept(this.#ghost) : this.#changed(buffer.move(at + 1));
      case "home":
        return this.#changed(buffer.move(0));
      case "end":
        return buffer.isAtEnd ? this.#accept(this.#ghost) : this.#changed(buffer.move(buffer.text.length));
      case "word-left":
        return this.#changed(buffer.move(buffer.wordStart()));
      case "word-right":
        if (buffer.isAtEnd) return this.#accept(/^\s*\S+/.exec(this.#ghost)?.[0] ?? "");
        return this.#changed(buffer.move(buffer.wordEnd()));
      case "up":
      case "down":
        return this.#vertical(name === "up" ? -1 : 1);
      case "backspace":
        return this.#changed(at > 0 && buffer.remove(at - 1, at));
      case "delete":
        return this.#changed(buffer.remove(at, at + 1));
      default:
        return this.#changed(this.#killOrUndo(name));
    }
  }

  #killOrUndo(
    name: Exclude<
      Editing,
      "left" | "right" | "home" | "end" | "word-left" | "word-right" | "up" | "down" | "backspace" | "delete"
    >,
  ): boolean {
    const buffer = this.#buffer;
    const at = buffer.cursor;
    switch (name) {
      case "delete-word":
        return buffer.kill(buffer.wordStart(), at);
      case "delete-part":
        return buffer.kill(buffer.wordStart(isLetter), at);
      case "kill-word":
        return buffer.kill(at, buffer.wordEnd(isLetter));
      case "kill-end":
        return buffer.kill(at, buffer.text.length);
      case "kill-start":
        return buffer.kill(0, at);
      case "yank":
        return buffer.yank();
      case "yank-before":
        return buffer.yankBefore();
      case "undo":
        return buffer.undo();
      case "newline":
        return buffer.insert("\n") || true;
      case "cancel":
        return false;
      default:
        return unreachable(name);
    }
  }

  #searchKey(key: Key, search: HistorySearch): EditorStep {
    if (key.kind !== "named") search.type(key.kind === "text" ? key.text : printable(key.text));
    else if (key.name === "search") search.next(-1);
    else if (key.name === "search-on") search.next(1);
    else if (key.name === "backspace") search.erase();
    else return this.#endSearch(key.name, search);
    this.#buffer.replace(search.line, search.cursor);
    return { screen: this.#redraw() };
  }

  /** Any other key accepts the line that was found, and then has its own effect; Ctrl-G and Ctrl-C cancel. */
  #endSearch(name: KeyName, search: HistorySearch): EditorStep {
    this.#search = undefined;
    if (name === "cancel" || name === "interrupt") {
      this.#buffer.replace(search.draft);
      return { screen: this.#redraw() };
    }
    const screen = this.#redraw();
    const step = this.#named(name);
    return { ...step, screen: screen + step.screen };
  }

  #finish(mark: string, event: EditorEvent): EditorStep {
    const buffer = this.#buffer;
    // A suggestion that was not taken is removed.
    let screen = this.#ghost === "" ? "" : ERASE_BELOW;
    this.#ghost = "";
    if (buffer.move(buffer.text.length)) screen = this.#toPrompt() + drawn(this.#picture(), true);
    const picture = this.#picture();
    if (event.kind === "line") this.history.add(event.line);
    else this.history.rewind();
    const isFull = buffer.text.length > 0 && layout(picture).end.column === 0 && mark === "";
    buffer.reset();
    this.#row = 0;
    return { screen: `${screen}${mark}${isFull ? "" : "\r\n"}`, event };
  }

  #insert(text: string): string {
    const buffer = this.#buffer;
    const before = layout(this.#picture()).end;
    const wasAtEnd = buffer.isAtEnd;
    const wasPlain = this.#ghost === "" && this.#marks.length === 0;
    const added = text.slice(0, Math.max(0, LINE_LENGTH_MAX - this.line.length));
    const isApart = buffer.insert(added);
    const after = layout(this.#picture()).end;
    const isAlone = buffer.text.length === graphemes(added).length && !isAscii(buffer.text[0]);
    const isSimple = wasAtEnd && wasPlain && isApart && !isAlone && before.row === after.row && !added.includes("\n");
    if (!isSimple || this.#proposal() !== "" || this.#marksOf(this.line).length > 0) return this.#redraw();
    return graphemes(added)
      .map((grapheme) => shownAs(grapheme))
      .join("");
  }

  #changed(isChanged: boolean): string {
    return isChanged ? this.#redraw() : "";
  }

  #accept(text: string): string {
    return text === "" ? "" : this.#insert(text);
  }

  #vertical(direction: -1 | 1): string {
    if (this.#buffer.moveRow(direction)) return this.#redraw();
    const line = this.history.leaf(direction, this.line);
    if (line === undefined) return "";
    this.#buffer.replace(line);
    return this.#redraw();
  }

  /** The answer to a Tab. */
  completed(found: Completion): string {
    const { line } = this;
    const cursor = this.#buffer.beforeCursor.length;
    const [first, second] = found.candidates;
    if (first === undefined || this.#search !== undefined) return "";
    const typed = line.slice(found.from, cursor);
    const shared = commonBeginning(found.candidates.map(({ text }) => text));
    const replacement = second === undefined ? typedWhole(found, first) : typedBeginning(found, shared);
    if (replacement === typed || (second !== undefined && replacement.length <= typed.length)) {
      return second === undefined ? "" : this.#list(found.candidates);
    }
    // A closing quote that is there already is not added again.
    const rest = line.slice(cursor);
    const closing = `${found.quote} `;
    const whole = found.quote !== "" && rest.startsWith(found.quote) && replacement.endsWith(closing);
    const text = whole ? replacement.slice(0, -closing.length) : replacement;
    const head = line.slice(0, found.from) + text;
    this.#buffer.replace(head + rest, head.length);
    return this.#redraw();
  }

  /** Shows the candidates in columns below the line, then the line again. */
  #list(candidates: readonly Candidate[]): string {
    const names = shortened(candidates.slice(0, CANDIDATES_MAX).map(({ text }) => text)).map(oneLine);
    const cell = Math.max(...names.map(widthOf)) + 2;
    const perRow = Math.max(1, Math.floor(this.#columns / cell));
    let list = "";
    names.forEach((name, i) => {
      const last = i % perRow === perRow - 1 || i === names.length - 1;
      list += last ? `${name}\r\n` : name + " ".repeat(cell - widthOf(name));
    });
    if (candidates.length > names.length) list += `and ${candidates.length - names.length} more\r\n`;
    const picture = this.#picture();
    const end = layout(picture).end;
    const down = end.row - cursorPosition(picture).row;
    this.#row = 0;
    return `${down > 0 ? `\x1b[${down}B` : ""}\r\n${ERASE_BELOW}${list}${this.show()}`;
  }
}

/** Paths without the directory that they all share. */
function shortened(texts: readonly string[]): string[] {
  const shared = commonBeginning(texts);
  const slash = shared.lastIndexOf("/");
  return texts.map((text) => text.slice(slash + 1));
}

function sameMarks(a: readonly Mark[], b: readonly Mark[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function isLetter(grapheme: string): boolean {
  return /^[\p{L}\p{N}_]/u.test(grapheme);
}

/**
 * Pasted text as a line can show it: newlines stay, tabs become spaces, and characters that would move the cursor are
 * removed.
 */
function printable(text: string): string {
  const tidy = text.replaceAll(/\r\n?/g, "\n").replaceAll("\t", "    ").replace(/\n+$/, "");
  // eslint-disable-next-line no-control-regex
  return tidy.replaceAll(/[\0-\x09\x0b-\x1f\x7f-\x9f]/g, "");
}

/**
 * Lays out a prompt and the line after it on a terminal of a given width: where each grapheme is, and the bytes that
 * draw it. Pure.
 */
import { oneLine } from "../harmless.ts";
import { cut, graphemes, graphemeWidth, widthOf, withoutColours } from "../width.ts";

export interface CellPosition {
  readonly row: number;
  readonly column: number;
}

/** A part of the line that is highlighted, in UTF-16 units. */
export interface Mark {
  readonly from: number;
  readonly to: number;
  readonly kind: "wrong" | "open";
}

export interface Picture {
  readonly prompt: string;
  /** The prompt of each further row of a line of several rows. */
  readonly more: string;
  readonly text: readonly string[];
  readonly cursor: number;
  readonly columns: number;
  readonly marks: readonly Mark[];
  /** Follows the text, in grey: what history suggests. */
  readonly ghost: string;
}

/** Shows the cursor, which is visible anyway; its use is that what follows begins a new grapheme. */
const APART = "\x1b[?25h";
const PLAIN = "\x1b[39m";
const COLOURS = { wrong: "\x1b[31m", open: "\x1b[33m" } as const;
const GREY = "\x1b[90m";
const ERASE_RIGHT = "\x1b[K";
export const ERASE_BELOW = "\x1b[J";

interface Layout {
  /** Where each grapheme of the line begins. A wide one never crosses the edge. */
  readonly places: readonly CellPosition[];
  /** Whether the row before it ends before the edge. */
  readonly isShort: readonly boolean[];
  /** Where the next grapheme would begin. */
  readonly end: CellPosition;
}

export function layout(picture: Pick<Picture, "prompt" | "more" | "text" | "columns">): Layout {
  const { columns, text } = picture;
  const promptWidth = widthOf(withoutColours(picture.prompt));
  const moreWidth = widthOf(withoutColours(picture.more));
  let row = Math.floor(promptWidth / columns);
  let column = promptWidth % columns;
  const places: CellPosition[] = [];
  const isShort: boolean[] = [];
  for (const grapheme of text) {
    if (grapheme === "\n") {
      places.push({ row, column: Math.min(column, columns - 1) });
      isShort.push(column < columns);
      row++;
      column = moreWidth;
      continue;
    }
    const width = graphemeWidth(visible(grapheme));
    const wraps = column + width > columns;
    isShort.push(wraps && column < columns);
    if (wraps) {
      row++;
      column = 0;
    }
    places.push({ row, column });
    column += width;
  }
  return { places, isShort, end: column === columns ? { row: row + 1, column: 0 } : { row, column } };
}

export function cursorPosition(picture: Picture): CellPosition {
  const { places, end } = layout(picture);
  return picture.cursor === picture.text.length ? end : (places[picture.cursor] ?? end);
}

/** Draws everything from the first column of the cursor's row on; `isOver`: over what may be there. */
export function drawn(picture: Picture, isOver: boolean): string {
  const { places, isShort, end } = layout(picture);
  const { text, columns } = picture;
  const cursor = picture.cursor === text.length ? end : (places[picture.cursor] ?? end);
  // A combining mark at the beginning of a line must not join the prompt; any escape sequence prevents that.
  let screen = picture.prompt + (isAscii(text[0]) ? "" : APART) + inked(picture, isOver ? isShort : []);
  // After a full row the terminal waits at its last column; this moves to where our reckoning has the cursor.
  if (end.column === 0 && end.row > 0 && text.at(-1) !== "\n") screen += "\r\n";
  const ghost = ghostOf(picture, end, columns);
  if (ghost !== "") screen += `${GREY}${ghost}${PLAIN}`;
  if (isOver) screen += ERASE_BELOW;
  if (end.row > cursor.row) screen += `\x1b[${end.row - cursor.row}A`;
  if (cursor !== end || ghost !== "") screen += cursor.column > 0 ? `\r\x1b[${cursor.column}C` : "\r";
  return screen;
}

function inked({ text, marks, more }: Picture, isShort: readonly boolean[]): string {
  let screen = "";
  let at = 0;
  let mark: Mark | undefined;
  for (const [i, grapheme] of text.entries()) {
    // The old row may have been longer.
    if (isShort[i] === true) screen += ERASE_RIGHT;
    if (mark !== undefined && at >= mark.to) {
      screen += PLAIN;
      mark = undefined;
    }
    const next = mark ?? marks.find(({ from, to }) => at >= from && at < to);
    if (next !== mark && next !== undefined) screen += COLOURS[next.kind];
    mark = next;
    screen += shownAs(grapheme, more);
    at += grapheme.length;
  }
  return mark === undefined ? screen : screen + PLAIN;
}

/** As much of a suggestion as fits after the text, with a column to spare, so that it never makes the line longer. */
function ghostOf({ ghost, cursor, text }: Picture, end: CellPosition, columns: number): string {
  const room = columns - end.column - 1;
  if (ghost === "" || cursor !== text.length || room < 2) return "";
  const [first = ""] = ghost.split("\n");
  return cut(graphemes(first).map(visible).join(""), room);
}

/**
 * The form in which a grapheme is shown. A line may contain anything, also direction marks, which have no effect here.
 */
export function shownAs(grapheme: string, more = ""): string {
  if (grapheme === "\n") return `\r\n${more}`;
  const text = visible(grapheme);
  // A combining mark after the replacement of another character must not join it.
  return text === grapheme ? text : text + APART;
}

function visible(grapheme: string): string {
  const text = oneLine(grapheme);
  // By themselves, combining marks and blanks without width are invisible, and terminals place them differently.
  return graphemeWidth(text) === 0 ? "\ufffd" : text;
}

export function isAscii(grapheme: string | undefined): boolean {
  return grapheme === undefined || grapheme < "\x80";
}

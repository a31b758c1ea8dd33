/** How a prompt and the line behind it stand on a terminal of so many columns: where each grapheme is, and the bytes that draw it. Pure. */
import { oneLine } from "../harmless.ts";
import { cut, graphemes, graphemeWidth, widthOf, withoutColours } from "../width.ts";

export interface CellPosition {
  readonly row: number;
  readonly column: number;
}

/** A part of the line that stands out, in UTF-16 units. */
export interface Mark {
  readonly from: number;
  readonly to: number;
  readonly kind: "wrong" | "open";
}

export interface Picture {
  readonly prompt: string;
  /** Stands before each further row of a line of several. */
  readonly more: string;
  readonly text: readonly string[];
  readonly cursor: number;
  readonly columns: number;
  readonly marks: readonly Mark[];
  /** Follows the text, in grey: what history proposes. */
  readonly ghost: string;
}

/** Shows the cursor, which is shown anyway; what follows begins a grapheme of its own. */
const APART = "\x1b[?25h";
const PLAIN = "\x1b[39m";
const COLOURS = { wrong: "\x1b[31m", open: "\x1b[33m" } as const;
const GREY = "\x1b[90m";
const ERASE_RIGHT = "\x1b[K";
export const ERASE_BELOW = "\x1b[J";

interface Layout {
  /** Where each grapheme of the line begins. A wide one never straddles the edge. */
  readonly places: readonly CellPosition[];
  /** Whether the row before it ends short of the edge. */
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

/** Draws all of it from the first column of the cursor's row on; `isOver`: over what may stand there. */
export function drawn(picture: Picture, isOver: boolean): string {
  const { places, isShort, end } = layout(picture);
  const { text, columns } = picture;
  const cursor = picture.cursor === text.length ? end : (places[picture.cursor] ?? end);
  // A mark at the beginning of a line must not join the prompt: any sequence keeps a terminal from that.
  let screen = picture.prompt + (isAscii(text[0]) ? "" : APART) + inked(picture, isOver ? isShort : []);
  // A full row leaves the terminal waiting at its last column; go on to where our reckoning has the cursor.
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
    // What stood there before may have been longer.
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

/** As much of a suggestion as fits behind the text, with a column to spare: it never makes the line longer. */
function ghostOf({ ghost, cursor, text }: Picture, end: CellPosition, columns: number): string {
  const room = columns - end.column - 1;
  if (ghost === "" || cursor !== text.length || room < 2) return "";
  const [first = ""] = ghost.split("\n");
  return cut(graphemes(first).map(visible).join(""), room);
}

/** A line may hold anything, and a name with a mark of direction has to be typed somehow; it steers nothing here. */
export function shownAs(grapheme: string, more = ""): string {
  if (grapheme === "\n") return `\r\n${more}`;
  const text = visible(grapheme);
  // A mark behind what stands for another character must not join that.
  return text === grapheme ? text : text + APART;
}

function visible(grapheme: string): string {
  const text = oneLine(grapheme);
  // By themselves marks and blanks without width can't be seen, and terminals don't agree on where they go.
  return graphemeWidth(text) === 0 ? "\ufffd" : text;
}

export function isAscii(grapheme: string | undefined): boolean {
  return grapheme === undefined || grapheme < "\x80";
}

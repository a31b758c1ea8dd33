/**
 * Text as the rows of a full-screen program: tabs expanded, control characters visible, cut or wrapped to the screen.
 * Pure.
 */
import { oneLine } from "../harmless.ts";
import { compose, joined, sequence, type Text } from "../styled.ts";
import { graphemes, graphemeWidth } from "../width.ts";

const TAB = 8;
const PLAIN = /^[ -~]*$/;

/** The text as it is shown, without line breaks. */
export function visibleText(line: string): string {
  if (PLAIN.test(line)) return line;
  if (!line.includes("\t")) return cells(line).join("");
  let column = 0;
  let text = "";
  for (const grapheme of graphemes(line)) {
    if (grapheme === "\t") {
      const width = TAB - (column % TAB);
      text += " ".repeat(width);
      column += width;
      continue;
    }
    const cell = cellOf(grapheme);
    text += cell;
    column += graphemeWidth(cell);
  }
  return text;
}

function cells(line: string): string[] {
  return graphemes(line).map(cellOf);
}

/** A character without width, or a byte that is not text, is shown by a replacement. */
function cellOf(grapheme: string): string {
  const text = oneLine(grapheme).toWellFormed();
  return graphemeWidth(text) === 0 ? "\ufffd" : text;
}

/** Splits a text (from `visibleText`) into pieces that fit the columns. */
export function wrappedRows(text: string, columns: number): string[] {
  if (text.length <= columns && PLAIN.test(text)) return [text];
  const rows: string[] = [];
  if (PLAIN.test(text)) {
    for (let at = 0; at < text.length; at += columns) rows.push(text.slice(at, at + columns));
    return rows;
  }
  let row = "";
  let width = 0;
  for (const grapheme of graphemes(text)) {
    const own = graphemeWidth(grapheme);
    if (width + own > columns) {
      rows.push(row);
      row = "";
      width = 0;
    }
    row += grapheme;
    width += own;
  }
  rows.push(row);
  return rows;
}

/** The part of a text that begins at a column and fits the columns. */
export function windowOf(text: string, from: number, columns: number): string {
  if (PLAIN.test(text)) return text.slice(from, from + columns);
  let part = "";
  let at = 0;
  for (const grapheme of graphemes(text)) {
    const own = graphemeWidth(grapheme);
    if (at >= from && at + own <= from + columns) part += grapheme;
    else if (at < from && at + own > from) part += " ";
    at += own;
    if (at >= from + columns) break;
  }
  return part;
}

const HOME = sequence("\x1b[?25l\x1b[H");
const NEXT_ROW = sequence("\x1b[K\r\n");
const REST = sequence("\x1b[J");
const INVERSE = sequence("\x1b[7m");
const PLAIN_TEXT = sequence("\x1b[m");

export function inverse(text: Text): Text {
  return compose`${INVERSE}${text}${PLAIN_TEXT}`;
}

/** A screen of rows over the old one, and the cursor if it is to be shown. */
export function screenOf(rows: readonly Text[], cursor?: { readonly row: number; readonly column: number }): Text {
  const place = cursor && sequence(`\x1b[${cursor.row + 1};${cursor.column + 1}H\x1b[?25h`);
  const all = rows.flatMap((row, i) => (i === 0 ? [row] : [NEXT_ROW, row]));
  // If the last row is full, erasing after it would lose its last cell.
  return joined([HOME, ...all.slice(0, -1), REST, ...all.slice(-1), ...(place === undefined ? [] : [place])]);
}

/** Highlights the matches. `spans` are in order, in UTF-16 units. */
export function withSpans(text: string, spans: readonly (readonly [number, number])[]): Text {
  if (spans.length === 0) return text;
  const parts: Text[] = [];
  let at = 0;
  for (const [from, to] of spans) {
    if (to <= at) continue;
    parts.push(text.slice(at, from), inverse(text.slice(Math.max(at, from), to)));
    at = to;
  }
  parts.push(text.slice(at));
  return joined(parts);
}

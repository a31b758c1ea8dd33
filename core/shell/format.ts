/** The form of numbers, durations and tables in the terminal. Pure. */
import { colourOf, type Shade } from "../net/identity/names.ts";
import type { PeerId } from "../ports/network.ts";
import { cellsOf, joined, plain, sequence, compose, type Styled, type Text, wordsOf } from "./styled.ts";
import type { TerminalInfo } from "./types.ts";

/** 850 us is "0.85 ms", 12.3 ms "12 ms", 4200 ms "4.2 s", 190000 ms "3 min 10 s". */
export function duration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(ms < 1 ? 2 : 1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A time ago or to come, in its largest unit only: "3 s", "12 min", "5 h", "2 d". */
export function roughly(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** A number with about three digits and the unit that fits: "1.2 kB". */
export function bytesWords(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  if (bytes < 999_500) return `${(bytes / 1000).toPrecision(3)} kB`;
  if (bytes < 999_500_000) return `${(bytes / 1_000_000).toPrecision(3)} MB`;
  return `${(bytes / 1_000_000_000).toPrecision(3)} GB`;
}

export function count(amount: number, one: string, many: string = `${one}s`): string {
  return `${amount} ${amount === 1 ? one : many}`;
}

/** The indent of the continuation of a row or a line that is too long for the terminal. */
const INDENT = "    ";

/**
 * Rows under their headings, with two spaces between columns; the last column is not padded. Columns that do not fit,
 * or a last cell that does not fit, go to a further line of the row.
 */
export function table(rows: readonly (readonly Text[])[], columns: number = Infinity): Styled {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cellsOf(cell))));
  const lines = rows.flatMap((row) => {
    const beside = fitting([...widths.slice(0, -1), cellsOf(row.at(-1) ?? "")], columns);
    const first = row.slice(0, beside);
    const last = first.findLastIndex((cell) => cellsOf(cell) > 0);
    const cells = first.slice(0, last + 1).flatMap((cell, i) => {
      const gap = i === last ? 0 : (widths[i] ?? 0) - cellsOf(cell) + 2;
      return [cell, " ".repeat(gap)];
    });
    const rest = row.slice(beside).filter((cell) => cell !== "");
    if (rest.length === 0) return [joined(cells)];
    return [joined(cells), joined([INDENT, wrapped(joined(rest, "  "), columns - INDENT.length, INDENT)])];
  });
  return joined(lines.map((line) => compose`${line}\n`));
}

/** How many columns of these widths fit beside each other; at least one. */
function fitting(widths: readonly number[], columns: number): number {
  let beside = 0;
  for (let width = 0; beside < widths.length; beside++) {
    width += (widths[beside] ?? 0) + (beside === 0 ? 0 : 2);
    if (width > columns) break;
  }
  return Math.max(1, beside);
}

/** Breaks the text between words, where a terminal would break within them. Each further line begins with `indent`. */
export function wrapped(text: Text, columns: number, indent: string = ""): Styled {
  const result: Text[] = [];
  let width = 0;
  for (const [i, word] of wordsOf(text).entries()) {
    const more = cellsOf(word);
    const breaks = width > 0 && width + 1 + more >= columns;
    if (i > 0) result.push(breaks ? `\n${indent}` : " ");
    result.push(word);
    width = breaks || i === 0 ? more : width + 1 + more;
  }
  return joined(result);
}

/** A message for people, broken between words if the terminal is narrow; unchanged without a terminal. */
export function told(text: string, terminal: TerminalInfo | undefined): string {
  if (terminal === undefined) return text;
  return text
    .split("\n")
    .map((line) => plain(wrapped(line, terminal.columns)))
    .join("\n");
}

/** A text of paragraphs and indented lines, fitted to the terminal; unchanged without one. */
export function fitted(text: string, terminal: TerminalInfo | undefined): Text {
  if (terminal === undefined) return text;
  // Consecutive lines that begin at the margin are one paragraph.
  const lines = text.replace(/(\S)\n(?=\S)/g, "$1 ").split("\n");
  return joined(
    lines.map((line) => wrapped(line, terminal.columns, /^ */.exec(line)?.[0])),
    "\n",
  );
}

/** Text in the colour of a node, if the terminal shows colours. */
export function paint(text: string, peer: PeerId, terminal: TerminalInfo | undefined): Text {
  if (terminal?.colours !== true) return text;
  const colour = sequence(`\x1b[38;2;${shadeOf(peer, terminal).rgb.join(";")}m`);
  return compose`${colour}${text}${sequence("\x1b[39m")}`;
}

/** The shade of the node's colour that reads best on the terminal's background. */
export function shadeOf(peer: PeerId, terminal: TerminalInfo | undefined): Shade {
  return colourOf(peer)[terminal?.ground ?? "dark"];
}

/** Text that should look less important. */
export function dim(text: string, terminal: TerminalInfo | undefined): Text {
  return terminal?.colours === true ? compose`${sequence("\x1b[2m")}${text}${sequence("\x1b[22m")}` : text;
}

/** How numbers, durations and tables look in the terminal. Pure. */
import { colourOf, type Shade } from "../net/names.ts";
import type { PeerId } from "../ports/network.ts";
import type { TerminalInfo } from "./types.ts";
import { widthOf, withoutColours } from "./width.ts";

/** 850 us would be "0.85 ms", 12.3 "12 ms", 4200 "4.2 s", 190000 "3 min 10 s". */
export function duration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(ms < 1 ? 2 : 1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  const seconds = Math.round((ms % 60_000) / 1000);
  return minutes < 60 ? `${minutes} min ${seconds} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function count(amount: number, one: string, many: string = `${one}s`): string {
  return `${amount} ${amount === 1 ? one : many}`;
}

/** Rows under their headings, columns two blanks apart; the last one is not padded. Cells may carry colours. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  const cellWidth = (cell: string): number => widthOf(withoutColours(cell));
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cellWidth(cell))));
  const lines = rows.map((row) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell + " ".repeat((widths[i] ?? 0) - cellWidth(cell))))
      .join("  ")
      .trimEnd(),
  );
  return lines.map((line) => `${line}\n`).join("");
}

/** Text in the colour of a node, where the terminal shows colours. */
export function paint(text: string, peer: PeerId, terminal: TerminalInfo | undefined): string {
  if (terminal?.colours !== true) return text;
  return `\x1b[38;2;${shadeOf(peer, terminal).rgb.join(";")}m${text}\x1b[39m`;
}

/** The node's colour as it is read best on the terminal's ground. */
export function shadeOf(peer: PeerId, terminal: TerminalInfo | undefined): Shade {
  return colourOf(peer)[terminal?.ground ?? "dark"];
}

/** Words that should stand back. */
export function dim(text: string, terminal: TerminalInfo | undefined): string {
  return terminal?.colours === true ? `\x1b[2m${text}\x1b[22m` : text;
}

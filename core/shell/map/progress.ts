/** A line that shows the progress of a job. It is redrawn in place on a terminal, and absent elsewhere. */
import { isStarfishError } from "../../base/errors.ts";
import type { JobProgress } from "../../jobs/types.ts";
import type { Computer } from "../../computer.ts";
import { count, duration, paint, wrapped } from "../format.ts";
import { cellsOf, joined, plain, compose, sequence, type Text } from "../styled.ts";
import type { Sink, TerminalInfo } from "../types.ts";
import { cut } from "../width.ts";

/** Often enough to look alive, and seldom enough for a slow connection. */
const REDRAW_MS = 100;
/** Nodes that are named when a job is done; more would push its result off the screen. */
const SHARES_MAX = 12;
const ERASE_LINE = sequence("\r\x1b[K");

/** What it needs of the computer: the time, and the names of nodes. */
type Asked = Pick<Computer, "clock"> & { readonly net: Pick<Computer["net"], "member"> };

export class ProgressLine {
  readonly #computer: Asked;
  readonly #title: string;
  readonly #output: Sink;
  readonly #terminal: () => TerminalInfo | undefined;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #visible = false;
  #finished = false;
  #last: JobProgress | undefined;

  constructor(computer: Asked, title: string, output: Sink, terminal: () => TerminalInfo | undefined) {
    this.#computer = computer;
    this.#title = title;
    this.#output = output;
    this.#terminal = terminal;
  }

  /** Progress that other nodes report after the job's end draws nothing any more. */
  update(progress: JobProgress): void {
    if (this.#finished) return;
    this.#last = progress;
    const now = this.#computer.clock.monotonic();
    const terminal = this.#terminal();
    if (terminal === undefined || now - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = now;
    this.#visible = true;
    this.#write(compose`${ERASE_LINE}${this.#line(progress, terminal)}`);
  }

  /** Takes the line away, before other output. */
  hide(): void {
    if (this.#visible) this.#write(ERASE_LINE);
    this.#visible = false;
  }

  /** Prints how long the job took, and who did it. */
  finish(): void {
    if (this.#finished) return;
    this.hide();
    this.#finished = true;
    const terminal = this.#terminal();
    if (terminal === undefined || this.#last === undefined) return;
    const { chunksDone, reissued, elapsedMs } = this.#last;
    const again = reissued > 0 ? `, ${reissued} of them more than once` : "";
    const head = `${this.#title}: ${count(chunksDone, "chunk")} in ${duration(elapsedMs)}${again}.`;
    const shares = this.#shares(this.#last, terminal);
    const rest = shares.length - SHARES_MAX;
    const shown = rest > 0 ? [...shares.slice(0, SHARES_MAX), `  and ${count(rest, "other")}`] : shares;
    this.#write(compose`${filled([head, ...shown], terminal.columns)}\n`);
  }

  #line(progress: JobProgress, terminal: TerminalInfo): Text {
    const { chunksDone, chunksTotal, reading, ratePerSecond, remainingMs } = progress;
    // While the input is being read, nobody knows how many chunks there will be.
    const parts = [`${this.#title} ${reading ? chunksDone : `${chunksDone}/${chunksTotal}`} chunks`];
    if (ratePerSecond !== undefined) parts.push(`, ${ratePerSecond.toFixed(ratePerSecond < 10 ? 1 : 0)}/s`);
    if (remainingMs !== undefined) parts.push(`, ${duration(Math.max(1000, remainingMs))} left`);
    return fit([...parts, ...this.#shares(progress, terminal)], terminal.columns - 1);
  }

  /** Who has done how much, the most first. */
  #shares(progress: JobProgress, terminal: TerminalInfo): Text[] {
    const byCount = [...progress.byPeer].sort((a, b) => b[1] - a[1]);
    return byCount.map(([peer, done]) => {
      const name = this.#computer.net.member(peer)?.record.name ?? "somebody who left";
      return compose`  ${paint(`● ${name}`, peer, terminal)} ${done}`;
    });
  }

  #write(text: Text): void {
    // A reader that has gone misses nothing important.
    this.#output.print(text).catch((error: unknown) => {
      if (!isStarfishError(error)) throw error;
    });
  }
}

/** All parts, on as many lines as they need; only a text that is wider than a line is broken, between its words. */
function filled(parts: readonly Text[], columns: number): Text {
  const lines: Text[] = [];
  let width = 0;
  for (const part of parts) {
    const cells = cellsOf(part);
    const breaks = width > 0 && width + cells >= columns;
    const isWide = typeof part === "string" && cells >= columns;
    lines.push(breaks ? "\n" : "", isWide ? wrapped(part, columns) : part);
    width = breaks ? cells : width + cells;
  }
  return joined(lines);
}

/** As many parts as fit into this many cells: a line that wraps could not be redrawn in place. */
function fit(parts: readonly Text[], columns: number): Text {
  const line: Text[] = [];
  let width = 0;
  for (const part of parts) {
    const cells = cellsOf(part);
    // The beginning says what the line is about, so half of it is better than nothing.
    if (width === 0 && cells > columns) return cut(plain(part), Math.max(1, columns));
    if (width + cells > columns) return joined(width + 2 <= columns ? [...line, " …"] : line);
    line.push(part);
    width += cells;
  }
  return joined(line);
}

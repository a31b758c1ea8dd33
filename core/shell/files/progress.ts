/**
 * A line that shows the progress of a transfer: bytes, rate and time left. It is shown on a terminal only, and redrawn
 * in place.
 */
import { isStarfishError } from "../../base/errors.ts";
import { bytesWords, duration } from "../format.ts";
import { oneLine } from "../harmless.ts";
import { compose, sequence, type Text } from "../styled.ts";
import type { CommandContext, Sink, TerminalInfo } from "../types.ts";
import { cut } from "../width.ts";

/** Often enough to look alive, and seldom enough for a slow connection. */
const REDRAW_MS = 100;
/** A shorter transfer needs no line. */
const QUIET_MS = 300;
const ERASE_LINE = sequence("\r\x1b[K");

export class TransferLine {
  readonly #nowMs: () => number;
  readonly #output: Sink;
  readonly #terminal: () => TerminalInfo | undefined;
  readonly #beganMs: number;
  #drawnMs: number;
  #visible = false;
  #doneBytes = 0;
  #totalBytes: number | undefined;
  #title: string;

  constructor(title: string, { computer, stderr, terminal }: CommandContext) {
    this.#title = title;
    this.#output = stderr;
    this.#terminal = () => terminal.stderr;
    this.#nowMs = () => computer.clock.monotonic();
    this.#beganMs = this.#nowMs();
    this.#drawnMs = this.#beganMs + QUIET_MS - REDRAW_MS;
  }

  /** What it works on now. */
  set title(title: string) {
    this.#title = title;
    this.#draw();
  }

  /** Adds to the expected bytes. Without any such call the total is unknown. */
  expect(bytes: number): void {
    this.#totalBytes = (this.#totalBytes ?? 0) + bytes;
  }

  add(bytes: number): void {
    this.#doneBytes += bytes;
    this.#draw();
  }

  /** Passes the chunks through and counts them. */
  async *through(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of source) {
      yield chunk;
      this.add(chunk.length);
    }
  }

  /** Takes the line away, before other output. */
  hide(): void {
    if (this.#visible) this.#write(ERASE_LINE);
    this.#visible = false;
  }

  #draw(): void {
    const nowMs = this.#nowMs();
    const terminal = this.#terminal();
    if (terminal === undefined || nowMs - this.#drawnMs < REDRAW_MS) return;
    this.#drawnMs = nowMs;
    this.#visible = true;
    this.#write(compose`${ERASE_LINE}${cut(oneLine(this.#line(nowMs - this.#beganMs)), terminal.columns - 1)}`);
  }

  #line(elapsedMs: number): string {
    return `${this.#title}  ${transferWords(this.#doneBytes, this.#totalBytes, elapsedMs)}`;
  }

  #write(text: Text): void {
    // A reader that has gone misses nothing important.
    this.#output.print(text).catch((error: unknown) => {
      if (!isStarfishError(error)) throw error;
    });
  }
}

/** Progress, rate and time left: "12.3 MB of 30.0 MB, 3.10 MB/s, 5.7 s left". */
export function transferWords(doneBytes: number, totalBytes: number | undefined, elapsedMs: number): string {
  const rate = (1000 * doneBytes) / elapsedMs;
  const parts = [bytesWords(doneBytes)];
  if (totalBytes !== undefined) parts[0] += ` of ${bytesWords(totalBytes)}`;
  if (doneBytes > 0) parts.push(`${bytesWords(rate)}/s`);
  const left = (totalBytes ?? 0) - doneBytes;
  if (left > 0 && rate > 0) parts.push(`${duration(Math.max(1000, (1000 * left) / rate))} left`);
  return parts.join(", ");
}

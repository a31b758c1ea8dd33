/**
 * The line that shows the state of a transfer: what it waits for, or bytes, rate and time left. On a terminal it is
 * redrawn in place. Elsewhere only what a person has to do is said, once.
 */
import { isStarfishError } from "../../base/errors.ts";
import { bytesWords, duration } from "../format.ts";
import { oneLine } from "../harmless.ts";
import { compose, sequence, type Text } from "../styled.ts";
import type { CommandContext } from "../types.ts";
import { cut } from "../width.ts";

const ERASE_LINE = sequence("\r\x1b[K");

export class StateLine {
  readonly #context: CommandContext;
  readonly #title: string;
  #isVisible = false;
  #shown = "";
  readonly #asked = new Set<string>();
  /** When bytes began to move, and how many had been moved before. */
  #began: { readonly atMs: number; readonly bytes: number } | undefined;

  constructor(title: string, context: CommandContext) {
    this.#title = title;
    this.#context = context;
  }

  /** The transfer moves, and has come this far. */
  progress(doneBytes: number, totalBytes: number | undefined): void {
    const nowMs = this.#context.computer.clock.monotonic();
    this.#began ??= { atMs: nowMs, bytes: doneBytes };
    const { atMs, bytes } = this.#began;
    const rate = (1000 * (doneBytes - bytes)) / Math.max(1, nowMs - atMs);
    const parts = [
      totalBytes === undefined ? bytesWords(doneBytes) : `${bytesWords(doneBytes)} of ${bytesWords(totalBytes)}`,
    ];
    if (rate > 0) parts.push(`${bytesWords(rate)}/s`);
    const left = (totalBytes ?? 0) - doneBytes;
    if (left > 0 && rate > 0) parts.push(`${duration(Math.max(1000, (1000 * left) / rate))} left`);
    this.say(parts.join(", "));
  }

  /** The transfer waits for something. */
  wait(words: string): void {
    this.#began = undefined;
    this.say(words);
  }

  /** The transfer waits for a person. Without a terminal `command` says so once. */
  ask(words: string, command: string): void {
    this.wait(words);
    if (this.#context.terminal.stderr !== undefined || this.#asked.has(words)) return;
    this.#asked.add(words);
    this.#write(`${command}: ${oneLine(words)}\n`);
  }

  say(words: string): void {
    const { terminal } = this.#context;
    if (terminal.stderr === undefined || words === this.#shown) return;
    this.#shown = words;
    this.#isVisible = true;
    const line = cut(oneLine(`${this.#title}  ${words}`), terminal.stderr.columns - 1);
    this.#write(compose`${ERASE_LINE}${line}`);
  }

  /** Takes the line away, before other output. */
  hide(): void {
    if (this.#isVisible) this.#write(ERASE_LINE);
    this.#isVisible = false;
    this.#shown = "";
  }

  #write(text: Text): void {
    // A reader that has gone misses nothing important.
    this.#context.stderr.print(text).catch((error: unknown) => {
      if (!isStarfishError(error)) throw error;
    });
  }
}

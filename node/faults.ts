/**
 * Errors that nobody can catch: from a callback or a microtask of a library, from a promise that somebody forgot, and
 * from bugs of ours in such places. A node survives them, because its state only depends on finished work. They are
 * logged with their stack, and counted.
 */
import type { Log } from "../core/ports/log.ts";

/**
 * Errors that are logged in a minute. Beyond it they are only counted, so that a repeating one does not fill a disk.
 */
const TOLD_PER_MINUTE = 20;
const MINUTE_MS = 60_000;

export class Faults {
  readonly #log: Log;
  #count = 0;
  #minuteAt = -Infinity;
  #told = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  /** All there were since the start. */
  get count(): number {
    return this.#count;
  }

  readonly note = (where: "exception" | "rejection" | "network", error: unknown): void => {
    this.#count++;
    const now = performance.now();
    if (now - this.#minuteAt > MINUTE_MS) [this.#minuteAt, this.#told] = [now, 0];
    if (this.#told++ >= TOLD_PER_MINUTE) return;
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#log.write("error", "fault", { where, by: originOf(stack), count: this.#count, error: stack });
  };
}

/** The package or file that threw it, by the first line of the stack that names one. */
function originOf(stack: string): string {
  const frame = stack.split("\n").find((line) => /^\s+at /.test(line) && !line.includes("node:")) ?? "";
  const library = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(frame)?.[1];
  return library ?? "starfish";
}

/** What the nodes of a world have logged lately, with the true time; shown when a run fails. */
import type { Log, LogLevel } from "../../core/ports/log.ts";
import type { Scheduler } from "./scheduler.ts";

export interface JournalEntry {
  readonly timeMs: number;
  readonly node: string;
  readonly level: LogLevel;
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The number of entries that are kept, and the number of those that are shown. */
const ENTRIES_MAX = 10_000;
const SHOWN_MAX = 20;

export class Journal {
  readonly #scheduler: Scheduler;
  #entries: JournalEntry[] = [];

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** The log of one node. */
  logOf(node: string): Log {
    return {
      write: (level, event, fields = {}) => {
        this.#entries.push({ timeMs: this.#scheduler.nowMs, node, level, event, fields });
        if (this.#entries.length > 2 * ENTRIES_MAX) this.#entries = this.#entries.slice(-ENTRIES_MAX);
      },
    };
  }

  entries(): readonly JournalEntry[] {
    return this.#entries;
  }

  /** The last warnings and errors as text, each on a line of its own, beginning with a line feed. */
  tail(): string {
    return this.#entries
      .filter(({ level }) => level === "warn" || level === "error")
      .slice(-SHOWN_MAX)
      .map(
        ({ timeMs, node, level, event, fields }) =>
          `\n  ${timeMs.toFixed(0)} ms ${node} ${level} ${event} ${JSON.stringify(fields)}`,
      )
      .join("");
  }
}

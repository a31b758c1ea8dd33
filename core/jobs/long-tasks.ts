/**
 * Loads the code that remembers results of long tasks (remembered.ts) when it is first needed. A tab that runs no long
 * tasks does not load it.
 */
import { messageOf } from "../base/errors.ts";
import type { LongTasks, LongTasksParts } from "./remembered.ts";

/** Resolves to undefined as long as the code can't be loaded; then nothing is remembered. */
export type LoadLongTasks = () => Promise<LongTasks | undefined>;

export class LongTasksLater {
  readonly #parts: LongTasksParts;
  #loading: Promise<LongTasks | undefined> | undefined;
  #isClosed = false;

  constructor(parts: LongTasksParts) {
    this.#parts = parts;
  }

  readonly load: LoadLongTasks = () => (this.#loading ??= this.#load());

  close(): void {
    this.#isClosed = true;
    void this.#loading?.then((longTasks) => longTasks?.close());
  }

  async #load(): Promise<LongTasks | undefined> {
    try {
      const { LongTasks: Loaded } = await import("./remembered.ts");
      return this.#isClosed ? undefined : new Loaded(this.#parts);
    } catch (error) {
      this.#loading = undefined;
      this.#parts.log.write("debug", "jobs.remembered", { error: messageOf(error) });
      return undefined;
    }
  }
}

/** What `mem` has to know of each of its verbs. */
import { isStarfishError } from "../../base/errors.ts";
import { sleep } from "../../ports/clock.ts";
import type { CommandContext } from "../types.ts";

export interface MemVerb {
  /** With their dashes, for completion. */
  readonly options: readonly string[];
  /** How many of its words are keys, or what keys begin with. */
  readonly keys: "none" | "one" | "many";
  /** `args` of the context are the words after the verb. As Command's `run`. */
  run(context: CommandContext): Promise<number>;
}

/** A node that has just started knows what time it is for the others after some seconds, at the latest after these. */
const KNOWN_MS = 12_000;
const LOOK_MS = 100;

/** Writes, as soon as this node may write. Rejects as `work` throws. */
export async function whenTimeIsKnown<T>({ computer, signal }: CommandContext, work: () => T): Promise<T> {
  const { clock } = computer;
  const endMs = clock.monotonic() + KNOWN_MS;
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!isStarfishError(error, "clock") || !error.retryable || clock.monotonic() > endMs) throw error;
      await sleep(clock, LOOK_MS, { signal });
    }
  }
}

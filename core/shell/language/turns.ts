/**
 * Gives the thread away when the shell has had it for a while. Promises that are kept at once let no timer, key or message
 * in between: a loop that only computes, or a pipe whose ends both are ready (`yes > /dev/null`), would freeze the page.
 */
import type { Clock } from "../../ports/clock.ts";
import { TURN_MS } from "./limits.ts";

/** Looks at the clock are dearer than what happens between them. */
const CALLS_A_LOOK = 16;

class Turns {
  #sinceMs = 0;
  #count = 0;

  /** What to wait for now; undefined most of the time. To be asked before each command and each piece of a stream. */
  due(clock: Clock): Promise<void> | undefined {
    if (++this.#count % CALLS_A_LOOK !== 0) return undefined;
    const now = clock.monotonic();
    if (now - this.#sinceMs < TURN_MS) return undefined;
    return new Promise((resolve) =>
      clock.timer(0, () => {
        this.#sinceMs = clock.monotonic();
        resolve();
      }),
    );
  }
}

/** One for all of a thread: it is the thread that is shared. */
export const turns: Turns = new Turns();

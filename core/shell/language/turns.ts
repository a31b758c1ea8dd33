/**
 * Gives up the thread when the shell has had it for a while. Promises that resolve at once let no timer, key or message
 * in between. A loop that only computes, or a pipe whose ends are both ready (`yes > /dev/null`), would freeze the
 * page.
 */
import type { Clock } from "../../ports/clock.ts";
import { TURN_MS } from "./limits.ts";

/** Only one of so many calls looks at the clock, because that costs more than most commands. */
const CALLS_A_LOOK = 16;

class Turns {
  #sinceMs = 0;
  #count = 0;

  /** A promise to wait for now; undefined most of the time. Call it before each command and each piece of a stream. */
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

/** One for the whole thread, because the thread is what is shared. */
export const turns: Turns = new Turns();

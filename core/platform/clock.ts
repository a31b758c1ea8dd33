/** The real clock, in tabs and in Node.js. */
import type { Clock, Timer } from "../ports/clock.ts";

/** Longest delay that setTimeout takes; a longer one would fire at once. */
const DELAY_MS_MAX = 0x7fffffff;

export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timer: (delayMs, fire) => (delayMs <= 0 && immediate !== undefined ? nextTurn(fire) : new RealTimer(delayMs, fire)),
};

/** Node.js's own way to let others have a turn; its shortest timer takes a millisecond. Browsers have none. */
const immediate = (globalThis as { setImmediate?: (fire: () => void) => unknown }).setImmediate;

function nextTurn(fire: () => void): Timer {
  let isCancelled = false;
  immediate?.(() => {
    if (!isCancelled) fire();
  });
  return {
    cancel() {
      isCancelled = true;
    },
  };
}

class RealTimer implements Timer {
  readonly #fire: () => void;
  readonly #dueMs: number;
  #handle: ReturnType<typeof setTimeout>;

  constructor(delayMs: number, fire: () => void) {
    this.#fire = fire;
    this.#dueMs = performance.now() + delayMs;
    this.#handle = this.#wait(delayMs);
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }

  #wait(delayMs: number): ReturnType<typeof setTimeout> {
    // Rounded up, because setTimeout drops the fraction and would fire before its time.
    const waitMs = Math.min(DELAY_MS_MAX, Math.max(0, Math.ceil(delayMs)));
    return setTimeout(() => this.#due(), waitMs);
  }

  #due(): void {
    // By the monotonic clock, timers may come up to a millisecond early. Long delays are split into several timers.
    const leftMs = this.#dueMs - performance.now();
    if (leftMs > 0) this.#handle = this.#wait(leftMs);
    else this.#fire();
  }
}

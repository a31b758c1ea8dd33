/**
 * When a write was made, as a number: hybrid logical clock (Kulkarni et al., "Logical Physical Clocks", OPODIS 2014) in
 * one integer, milliseconds since 1970 times 2048 plus a count. It fits the 53 bits of a JavaScript integer until the
 * year 2109 and allows 2048 writes a millisecond before it runs ahead of the time.
 */
const COUNTS = 2048;

/** The milliseconds in a stamp. */
export function timeOf(stamp: number): number {
  return Math.floor(stamp / COUNTS);
}

/** The first stamp of a moment. */
export function stampAt(timeMs: number): number {
  return Math.floor(timeMs) * COUNTS;
}

/** Stamps of one node: each greater than all that it has given or seen, and as near to its time as that allows. */
export class HybridClock {
  readonly #nowMs: () => number;
  #last = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  next(): number {
    this.#last = Math.max(this.#last + 1, stampAt(this.#nowMs()));
    return this.#last;
  }

  saw(stamp: number): void {
    if (stamp > this.#last) this.#last = stamp;
  }

  /** By how much the next stamp will be ahead of the time, ms. */
  aheadMs(): number {
    return Math.max(0, timeOf(this.#last) - this.#nowMs());
  }
}

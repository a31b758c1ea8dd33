/**
 * Estimates how long devices stay: the time that all devices have been there, divided by the number of departures that
 * this node has seen. Session lengths are taken to be exponential, so a device that is still there counts as well as
 * one that has left. Observations older than some twenty departures weigh little.
 */

/** Before any observation: sessions of two hours. The first few departures outweigh this. */
const MEDIAN_MS_MAX: number = 2 * 3_600_000;
/** The prior counts as this many departures. */
const PRIOR = 2;
/** Each departure leaves this part of what is known. */
const REMEMBERED = 0.95;

/**
 * The part of a median session that is the grace. With less, unneeded copies are made (at 1/20, a seventh more bytes).
 * With more, the twin is gone before the copy is made, and a rebuild costs ten copies.
 */
const GRACE_OF_SESSION = 1 / 8;
/** With less, a reloaded page would count as a loss. */
const GRACE_MS_MIN = 30_000;
/**
 * The grace for sessions of two hours. For longer sessions a longer wait gains little, and the stripe would have few
 * copies for a long time.
 */
const GRACE_MS_MAX = 15 * 60_000;

export class SessionLengths {
  #devices = 0;
  #atMs: number;
  #departures = PRIOR;
  #deviceMs: number = (PRIOR * MEDIAN_MS_MAX) / Math.LN2;

  constructor(nowMs: number) {
    this.#atMs = nowMs;
  }

  /**
   * The number of devices from now on; `left` of those before have left on their own, not because the swarm was cut.
   */
  observe(nowMs: number, devices: number, left: number): void {
    // Longer sessions make no difference to the grace, and a quiet month is forgotten as quickly as a quiet day.
    const deviceMs = this.#deviceMs + this.#devices * (nowMs - this.#atMs);
    this.#deviceMs = Math.min(deviceMs, ((this.#departures + PRIOR) * MEDIAN_MS_MAX) / Math.LN2);
    this.#atMs = nowMs;
    this.#devices = devices;
    for (let i = 0; i < left; i++) {
      this.#departures = this.#departures * REMEMBERED + 1;
      this.#deviceMs *= REMEMBERED;
    }
  }

  get medianMs(): number {
    return Math.min(MEDIAN_MS_MAX, (this.#deviceMs / this.#departures) * Math.LN2);
  }
}

/** How long a missing device is awaited in a swarm with such sessions. */
export function graceMs(medianSessionMs: number): number {
  return Math.min(GRACE_MS_MAX, Math.max(GRACE_MS_MIN, medianSessionMs * GRACE_OF_SESSION));
}

/**
 * Estimates how long devices stay: the time that all devices have been there, divided by the number of departures that this
 * node has seen. Session lengths are taken to be exponential, so a device that is still there counts as well as one that has
 * left. Observations older than some twenty departures weigh little.
 */

/** Before anything is seen: sessions of two hours, which the first few departures outweigh. */
const MEDIAN_MS_MAX: number = 2 * 3_600_000;
/** The prior counts as this many departures. */
const PRIOR = 2;
/** Each departure leaves this part of what is known. */
const REMEMBERED = 0.95;

/**
 * Grace is this part of a median session. With less, copies are made that nobody would have needed (at 1/20, a seventh
 * more bytes); with more, the twin goes too before the copy is made, and a rebuild costs ten copies.
 */
const GRACE_OF_SESSION = 1 / 8;
/** Below it a reloaded page would be taken for a loss. */
const GRACE_MS_MIN = 30_000;
/** Two hours' sessions: with longer ones a wait of more than this gains little and is a long time to be thin. */
const GRACE_MS_MAX = 15 * 60_000;

export class SessionLengths {
  #devices = 0;
  #atMs: number;
  #departures = PRIOR;
  #deviceMs: number = (PRIOR * MEDIAN_MS_MAX) / Math.LN2;

  constructor(nowMs: number) {
    this.#atMs = nowMs;
  }

  /** So many are there from now on; `left` of those before went of their own, and not because the swarm was cut. */
  observe(nowMs: number, devices: number, left: number): void {
    // Longer ones make no difference to the grace; and a quiet month is forgotten as soon as a quiet day is.
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

/** How long a leaver is awaited in a swarm with such sessions. */
export function graceMs(medianSessionMs: number): number {
  return Math.min(GRACE_MS_MAX, Math.max(GRACE_MS_MIN, medianSessionMs * GRACE_OF_SESSION));
}

/**
 * How long devices stay, learnt from those that this node sees: the time that all have been there, over how many have left.
 * Sessions are taken to be exponential, so that who is still there counts as well as who has left. Nothing that is older
 * than some twenty departures weighs much.
 */

/** Before anything is seen: sessions of two hours, which the first few departures outweigh. */
const MEDIAN_MS_MAX: number = 2 * 3_600_000;
/** As if so many of those had been seen. */
const PRIOR = 2;
/** Each departure leaves this part of what is known. */
const REMEMBERED = 0.95;

export class Sessions {
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

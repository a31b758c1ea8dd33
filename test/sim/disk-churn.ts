/**
 * Devices that come and go, for models of repair: which one, when, and whether for good. The same seed gives the same
 * events.
 */
import { SeededRandom } from "./random.ts";

export interface ChurnOptions {
  readonly seed: number;
  /** How many devices there are at a time. */
  readonly devices: number;
  readonly medianSessionMs: number;
  /** The median time that a returning device was away. */
  readonly medianAwayMs: number;
  /** The share of departing devices that come back with what they held. */
  readonly returning: number;
}

export interface ChurnEvent {
  readonly atMs: number;
  readonly device: number;
  /** `left` comes back one day, `gone` does not. */
  readonly what: "came" | "left" | "gone" | "returned";
}

/** The place of a device that left is taken after this part of the median session. */
const PAUSE_OF_SESSION = 1 / 120;

interface Turn {
  readonly atMs: number;
  /** The device that leaves then; undefined if one comes. */
  readonly leaver: number | undefined;
}

/**
 * A swarm that keeps its size. Each departure is soon followed by an arrival: of a device that had left, or of a new
 * one if fewer of those are away than should be. Session lengths are exponential, and so, nearly, are absences.
 */
export class DeviceChurn {
  readonly #options: ChurnOptions;
  readonly #random: SeededRandom;
  /** The coming turns; the next one is last in the list. */
  readonly #turns: Turn[] = [];
  /** The devices that are away and will come back. */
  readonly #away: number[] = [];
  /** How many returning devices are away in the steady state, so that absences are as long as they should be. */
  readonly #awayWanted: number;
  #devices = 0;

  constructor(options: ChurnOptions) {
    this.#options = options;
    this.#random = new SeededRandom(`device churn/${options.seed}`);
    this.#awayWanted = (options.devices * options.returning * options.medianAwayMs) / options.medianSessionMs;
    for (let i = 0; i < options.devices; i++) this.#schedule({ atMs: 0, leaver: undefined });
  }

  /** The events up to this time, in order. At 0 the first devices come. */
  until(toMs: number): ChurnEvent[] {
    const events: ChurnEvent[] = [];
    for (let next = this.#turns.at(-1); next !== undefined && next.atMs <= toMs; next = this.#turns.at(-1)) {
      this.#turns.pop();
      events.push(next.leaver === undefined ? this.#come(next.atMs) : this.#leave(next.atMs, next.leaver));
    }
    return events;
  }

  #come(atMs: number): ChurnEvent {
    const isReturn = this.#away.length > 0 && this.#random.real() < this.#away.length - this.#awayWanted;
    const index = Math.floor(this.#random.real() * this.#away.length);
    const device = isReturn ? (this.#away.splice(index, 1)[0] ?? 0) : this.#devices++;
    this.#schedule({ atMs: atMs + this.#delayMs(this.#options.medianSessionMs), leaver: device });
    return { atMs, device, what: isReturn ? "returned" : "came" };
  }

  #leave(atMs: number, device: number): ChurnEvent {
    const { medianSessionMs, returning } = this.#options;
    const isBack = this.#random.real() < returning;
    if (isBack) this.#away.push(device);
    this.#schedule({ atMs: atMs + this.#delayMs(medianSessionMs * PAUSE_OF_SESSION), leaver: undefined });
    return { atMs, device, what: isBack ? "left" : "gone" };
  }

  #schedule(turn: Turn): void {
    const later = this.#turns.findLastIndex(({ atMs }) => atMs > turn.atMs);
    this.#turns.splice(later + 1, 0, turn);
  }

  #delayMs(medianMs: number): number {
    return -Math.log2(1 - this.#random.real()) * medianMs;
  }
}

/** Devices that come and go, for models of repair: who, when, and whether for good. Repeats from its seed. */
import { SeededRandom } from "./random.ts";

export interface ChurnOptions {
  readonly seed: number;
  /** How many are there at a time, on average. */
  readonly devices: number;
  readonly medianSessionMs: number;
  /** How long who comes back was away; where somebody left for good, until somebody new comes. */
  readonly medianAwayMs: number;
  /** Part of those who leave that come back with what they held. */
  readonly returning: number;
}

export interface ChurnEvent {
  readonly atMs: number;
  readonly device: number;
  /** `left` comes back one day, `gone` does not. */
  readonly what: "came" | "left" | "gone" | "returned";
}

interface Slot {
  readonly random: SeededRandom;
  device: number;
  next: ChurnEvent["what"];
  atMs: number;
}

/** Each device's sessions are exponential, and so are its absences. */
export class DeviceChurn {
  readonly #options: ChurnOptions;
  readonly #slots: Slot[] = [];
  #devices = 0;

  constructor(options: ChurnOptions) {
    this.#options = options;
    const random = new SeededRandom(`device churn/${options.seed}`);
    const slots = Math.round(options.devices * (1 + options.medianAwayMs / options.medianSessionMs));
    for (let i = 0; i < slots; i++) {
      const slot: Slot = { random: random.fork(String(i)), device: -1, next: "came", atMs: 0 };
      if (i >= options.devices) slot.atMs = this.#delayMs(slot, options.medianAwayMs);
      this.#slots.push(slot);
    }
  }

  /** What happens up to then, in order. At 0 the first ones come. */
  until(toMs: number): ChurnEvent[] {
    const events: ChurnEvent[] = [];
    for (const slot of this.#slots) while (slot.atMs <= toMs) events.push(this.#happen(slot));
    return events.sort((a, b) => a.atMs - b.atMs || a.device - b.device);
  }

  #happen(slot: Slot): ChurnEvent {
    const { medianSessionMs, medianAwayMs, returning } = this.#options;
    const { atMs, next: what } = slot;
    if (what === "came") slot.device = this.#devices++;
    const device = slot.device;
    if (what === "came" || what === "returned") {
      slot.next = slot.random.real() < returning ? "left" : "gone";
      slot.atMs += this.#delayMs(slot, medianSessionMs);
    } else {
      slot.next = what === "left" ? "returned" : "came";
      slot.atMs += this.#delayMs(slot, medianAwayMs);
    }
    return { atMs, device, what };
  }

  #delayMs(slot: Slot, medianMs: number): number {
    return -Math.log2(1 - slot.random.real()) * medianMs;
  }
}

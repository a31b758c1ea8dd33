/** Members that come and go at random: exponential sessions, and as many arrivals as departures. */
import type { SeededRandom } from "./random.ts";
import type { Crowd } from "./crowd.ts";

export interface ChurnOptions {
  readonly medianSessionMs: number;
  /** The mean time until a machine that left, or a new one, comes. */
  readonly pauseMs: number;
  /** The share of arrivals that are machines which have been there before. */
  readonly returning: number;
  /** Which of the machines that come have throttled timers. */
  readonly throttled?: (index: number) => boolean;
  /** How far their wall clocks are ahead of the truth, ms. */
  readonly skewMs?: (index: number) => number;
}

/** One node in this many is a Node.js node, the others are tabs. */
const NODE_EVERY = 4;

export class Churn {
  readonly #crowd: Crowd;
  readonly #random: SeededRandom;
  readonly #options: ChurnOptions;
  readonly #away: string[] = [];
  #spawned = 0;
  #isStopped = false;

  constructor(crowd: Crowd, options: ChurnOptions) {
    this.#crowd = crowd;
    this.#random = crowd.world.random.fork("churn");
    this.#options = options;
  }

  /** Switches machines on, one every `everyMs`; from then on they come and go. The first one stays. */
  async grow(count: number, everyMs: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      this.#arrive();
      await this.#crowd.world.runFor(everyMs);
    }
  }

  stop(): void {
    this.#isStopped = true;
  }

  #arrive(): void {
    const isReturn = this.#random.real() < this.#options.returning && this.#away.length > 0;
    const index = this.#spawned;
    const name = (isReturn ? this.#away[0] : undefined) ?? `m${index}`;
    if (index > 0 && this.#crowd.addresses(name).length === 0) {
      // There is no node on its side of the cut that could serve it the page.
      this.#crowd.world.scheduler.after(1_000, "arrival", () => this.#arrive());
      return;
    }
    if (isReturn) {
      this.#away.shift();
      this.#crowd.restart(name);
    } else {
      this.#spawned++;
      const kind = index % NODE_EVERY === 0 ? "node" : "tab";
      const { throttled, skewMs } = this.#options;
      this.#crowd.add({ name, kind, throttled: throttled?.(index) ?? false, skewMs: skewMs?.(index) ?? 0 });
    }
    if (index > 0) this.#stay(name);
  }

  #stay(name: string): void {
    const { scheduler } = this.#crowd.world;
    const meanMs = this.#options.medianSessionMs / Math.LN2;
    scheduler.after(this.#exponential(meanMs), "departure", () => {
      if (this.#isStopped) return;
      const chance = this.#random.real();
      this.#crowd.end(name, chance < 0.4 ? "goodbye" : chance < 0.7 ? "crash" : "silent");
      scheduler.after(2_000, "away", () => this.#away.push(name));
      scheduler.after(this.#exponential(this.#options.pauseMs), "arrival", () => {
        if (!this.#isStopped) this.#arrive();
      });
    });
  }

  #exponential(meanMs: number): number {
    return -meanMs * Math.log(1 - this.#random.real());
  }
}

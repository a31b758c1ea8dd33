/** The progress of a job: its recent rate, and the time left at that rate. */
import type { Clock } from "../ports/clock.ts";
import { RATE_WINDOW_MS } from "./limits.ts";
import type { JobProgress } from "./types.ts";

/** Slices of the window: old chunks drop out of the rate one slice at a time. */
const SLICES = 20;
const SLICE_MS = RATE_WINDOW_MS / SLICES;

export class Meter {
  readonly #clock: Clock;
  readonly #startedAtMs: number;
  /** Chunks done in each of the last slices, by slice number modulo SLICES. */
  readonly #counts: number[] = Array.from({ length: SLICES }, () => 0);
  #slice = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedAtMs = clock.monotonic();
  }

  count(): void {
    this.#advance();
    const place = this.#slice % SLICES;
    this.#counts[place] = (this.#counts[place] ?? 0) + 1;
  }

  progress(counts: Omit<JobProgress, "elapsedMs" | "ratePerSecond" | "remainingMs">): JobProgress {
    this.#advance();
    const elapsedMs = this.#clock.monotonic() - this.#startedAtMs;
    const recent = this.#counts.reduce((sum, count) => sum + count, 0);
    const windowMs = Math.min(elapsedMs, RATE_WINDOW_MS - SLICE_MS + (elapsedMs % SLICE_MS));
    const ratePerSecond = recent < 2 || windowMs <= 0 ? undefined : (recent / windowMs) * 1_000;
    const left = counts.chunksTotal - counts.chunksDone;
    const remainingMs = ratePerSecond === undefined || counts.reading ? undefined : (left / ratePerSecond) * 1_000;
    return { ...counts, elapsedMs, ratePerSecond, remainingMs };
  }

  #advance(): void {
    const now = Math.floor((this.#clock.monotonic() - this.#startedAtMs) / SLICE_MS);
    for (let step = Math.min(now - this.#slice, SLICES); step > 0; step--) this.#counts[(now - step + 1) % SLICES] = 0;
    this.#slice = now;
  }
}

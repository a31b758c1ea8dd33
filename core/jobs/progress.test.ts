import { expect, test } from "vitest";
import type { Clock } from "../ports/clock.ts";
import { RATE_WINDOW_MS } from "./limits.ts";
import { Meter } from "./progress.ts";
import type { JobProgress } from "./types.ts";

class Hands {
  nowMs = 5_000;
  readonly clock: Clock = {
    now: () => this.nowMs,
    monotonic: () => this.nowMs,
    timer: () => ({ cancel: () => {} }),
  };
  readonly meter = new Meter(this.clock);
  done = 0;

  /** Chunks at a steady pace. */
  work(chunks: number, eachMs: number): void {
    for (let i = 0; i < chunks; i++) {
      this.nowMs += eachMs;
      this.meter.count();
      this.done++;
    }
  }

  progress(total = 1_000, reading = false): JobProgress {
    const counts = {
      chunksDone: this.done,
      chunksTotal: total,
      chunksRunning: 1,
      reading,
      reissued: 0,
      byPeer: new Map(),
    };
    return this.meter.progress(counts);
  }
}

test("nothing is claimed before there is something to tell from", () => {
  const hands = new Hands();
  expect(hands.progress()).toMatchObject({ elapsedMs: 0, ratePerSecond: undefined, remainingMs: undefined });
  hands.work(1, 100);
  expect(hands.progress().ratePerSecond).toBeUndefined();
});

test.each([20, 100, 900])("a chunk every %i ms gives that rate and the time left, early and late", (eachMs) => {
  const hands = new Hands();
  for (const chunks of [5, 20, 200]) {
    hands.work(chunks, eachMs);
    const { ratePerSecond = 0, remainingMs = 0 } = hands.progress();
    expect(ratePerSecond).toBeGreaterThan((1_000 / eachMs) * 0.85);
    expect(ratePerSecond).toBeLessThan((1_000 / eachMs) * 1.15);
    expect(remainingMs).toBeCloseTo(((1_000 - hands.done) / ratePerSecond) * 1_000);
  }
});

test("the rate is that of late", () => {
  const hands = new Hands();
  hands.work(500, 10);
  hands.work(10, 1_000);
  expect(hands.progress().ratePerSecond).toBeLessThan(1.3);
  hands.nowMs += 2 * RATE_WINDOW_MS;
  expect(hands.progress().ratePerSecond).toBeUndefined();
});

test("the end of a source that is still being read can't be told", () => {
  const hands = new Hands();
  hands.work(50, 10);
  expect(hands.progress(60, true).remainingMs).toBeUndefined();
});

/** What every Clock must do, and what the port's helper functions do with it. */
import { describe, expect, it } from "vitest";
import { isStarfishError } from "../base/errors.ts";
import { type Clock, every, sleep, withDeadline } from "./clock.ts";

export interface ClockHarness {
  readonly clock: Clock;
  /** Resolves or rejects as the promise does, and lets time pass until then (virtual clocks stand still otherwise). */
  readonly pass: <T>(promise: Promise<T>) => Promise<T>;
}

export function clockContract(name: string, create: () => ClockHarness): void {
  describe(`Clock: ${name}`, () => {
    it("fires a timer once, never before its time", async () => {
      const { clock, pass } = create();
      for (const delayMs of [0, 0.4, 1, 7.3, 30]) {
        const begunMs = clock.monotonic();
        let fired = 0;
        await pass(new Promise<void>((resolve) => clock.timer(delayMs, () => resolve(void fired++))));
        expect(clock.monotonic() - begunMs).toBeGreaterThanOrEqual(delayMs);
        await pass(sleep(clock, 5));
        expect(fired).toBe(1);
      }
    });

    it("does not fire inside the call that sets the timer, nor after it was cancelled", async () => {
      const { clock, pass } = create();
      let fired = 0;
      const timer = clock.timer(0, () => fired++);
      const late = clock.timer(5, () => fired++);
      expect(fired).toBe(0);
      timer.cancel();
      timer.cancel();
      late.cancel();
      await pass(sleep(clock, 20));
      expect(fired).toBe(0);
    });

    it("fires timers in order of their times when these are apart", async () => {
      const { clock, pass } = create();
      const fired: number[] = [];
      await pass(
        new Promise<void>((resolve) => {
          for (const delayMs of [90, 10, 50]) clock.timer(delayMs, () => void fired.push(delayMs));
          clock.timer(130, resolve);
        }),
      );
      expect(fired).toEqual([10, 50, 90]);
    });

    it("does not go back, and both clocks pass about alike", async () => {
      const { clock, pass } = create();
      const wallMs = clock.now();
      const beganMs = clock.monotonic();
      let lastMs = beganMs;
      for (let i = 0; i < 5; i++) {
        await pass(sleep(clock, 10));
        expect(clock.monotonic()).toBeGreaterThanOrEqual(lastMs + 10);
        lastMs = clock.monotonic();
      }
      expect(clock.now()).toBeGreaterThan(Date.UTC(2025, 0, 1));
      expect(Math.abs(clock.now() - wallMs - (lastMs - beganMs))).toBeLessThan(100);
    });

    it("every: fires until cancelled, also from within", async () => {
      const { clock, pass } = create();
      let fired = 0;
      await pass(
        new Promise<void>((resolve) => {
          const timer = every(clock, 2, () => {
            fired++;
            if (fired < 3) return;
            timer.cancel();
            resolve();
          });
        }),
      );
      await pass(sleep(clock, 20));
      expect(fired).toBe(3);
    });

    it("sleep: rejects as cancelled when its signal aborts, before or during", async () => {
      const { clock, pass } = create();
      const isCancelled = (error: unknown): boolean => isStarfishError(error, "cancelled");
      const controller = new AbortController();
      const slept = sleep(clock, 60_000, { signal: controller.signal });
      clock.timer(5, () => controller.abort());
      await expect(pass(slept)).rejects.toSatisfy(isCancelled);
      await expect(sleep(clock, 0, { signal: controller.signal })).rejects.toSatisfy(isCancelled);
    });

    it("withDeadline: gives the result, or rejects as timeout and aborts the work", async () => {
      const { clock, pass } = create();
      expect(await pass(withDeadline(clock, 60_000, "this", async () => 5))).toBe(5);
      let aborted = false;
      const late = withDeadline(clock, 10, "this", (signal) => {
        signal.addEventListener("abort", () => (aborted = true));
        return new Promise<never>(() => {});
      });
      await expect(pass(late)).rejects.toSatisfy((error) => isStarfishError(error, "timeout"));
      expect(aborted).toBe(true);
    });
  });
}

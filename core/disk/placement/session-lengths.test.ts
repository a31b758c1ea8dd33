import { expect, test } from "vitest";
import { DeviceChurn } from "../../../test/sim/disk-churn.ts";
import { SessionLengths } from "./session-lengths.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** What is learnt from so many hours of a swarm whose sessions are so long. */
function learn(
  sessions: SessionLengths,
  devices: number,
  medianSessionMs: number,
  fromMs: number,
  hours: number,
): void {
  const churn = new DeviceChurn({
    seed: 1,
    devices,
    medianSessionMs,
    medianAwayMs: medianSessionMs / 4,
    returning: 0.7,
  });
  let there = 0;
  for (const { atMs, what } of churn.until(hours * HOUR_MS)) {
    const isArrival = what === "came" || what === "returned";
    there += isArrival ? 1 : -1;
    sessions.observe(fromMs + atMs, there, isArrival ? 0 : 1);
  }
}

test("before anything is seen sessions are taken to be of two hours", () => {
  expect(new SessionLengths(0).medianMs / HOUR_MS).toBeCloseTo(2, 9);
});

test("sessions are learnt to within a third, in swarms of any size", () => {
  for (const devices of [5, 32, 200]) {
    for (const minutes of [5, 20, 90]) {
      const sessions = new SessionLengths(0);
      learn(sessions, devices, minutes * MINUTE_MS, 0, 12);
      expect(sessions.medianMs / minutes / MINUTE_MS).toBeGreaterThan(2 / 3);
      expect(sessions.medianMs / minutes / MINUTE_MS).toBeLessThan(3 / 2);
    }
  }
});

test("a month without departures does not stand in the way of what comes after", () => {
  const sessions = new SessionLengths(0);
  learn(sessions, 8, 1_000 * HOUR_MS, 0, 720);
  expect(sessions.medianMs / HOUR_MS).toBeGreaterThan(1.9);
  learn(sessions, 8, 5 * MINUTE_MS, 721 * HOUR_MS, 3);
  expect(sessions.medianMs / MINUTE_MS).toBeLessThan(10);
});

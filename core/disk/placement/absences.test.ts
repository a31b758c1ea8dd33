import { expect, test } from "vitest";
import { DeviceChurn } from "../../../test/sim/disk-churn.ts";
import { Absences } from "./absences.ts";

const MINUTE_MS = 60_000;

/** A swarm of so many, all of whom came at 0. */
function swarmOf(devices: number): { absences: Absences<number>; go: (nowMs: number, ...went: number[]) => void } {
  const absences = new Absences<number>(0);
  let there = devices;
  absences.observe(0, [...Array(devices).keys()], [], there);
  return { absences, go: (nowMs, ...went) => absences.observe(nowMs, [], went, (there -= went.length)) };
}

test("one that leaves is awaited for a quarter of an hour, and the swarm is at rest two hours later", () => {
  const { absences, go } = swarmOf(20);
  expect([absences.isAtRest(59 * MINUTE_MS), absences.isAtRest(121 * MINUTE_MS)]).toEqual([false, true]);
  go(60 * MINUTE_MS, 3);
  expect(absences.isAwaited(3, 74 * MINUTE_MS)).toBe(true);
  expect(absences.nextGraceEndMs(61 * MINUTE_MS)).toBeCloseTo(14 * MINUTE_MS, 3);
  expect(absences.isAwaited(3, 76 * MINUTE_MS)).toBe(false);
  expect(absences.nextGraceEndMs(76 * MINUTE_MS)).toBeUndefined();
  expect([absences.isAtRest(179 * MINUTE_MS), absences.isAtRest(181 * MINUTE_MS)]).toEqual([false, true]);
});

test("of a cut nobody is awaited for long, and it is forgotten that sessions ended", () => {
  const { absences, go } = swarmOf(20);
  for (let i = 0; i < 10; i++) go(60 * MINUTE_MS + i * 500, i);
  expect(absences.isAwaited(9, 60 * MINUTE_MS + 15_000)).toBe(true);
  expect(absences.isAwaited(9, 60 * MINUTE_MS + 25_000)).toBe(false);
  expect(absences.isAtRest(60 * MINUTE_MS + 25_000)).toBe(true);
  expect([absences.isCut(60 * MINUTE_MS + 60_000), absences.isCut(61 * MINUTE_MS + 5_000)]).toEqual([true, false]);
  go(120 * MINUTE_MS, 15);
  expect(absences.isAwaited(15, 130 * MINUTE_MS)).toBe(true);
});

test("who was gone before is awaited for a moment", () => {
  const { absences } = swarmOf(3);
  expect([absences.isAwaited(99, 19_000), absences.isAwaited(99, 21_000)]).toEqual([true, false]);
});

test("the grace follows short sessions, in small swarms too, and is not taken for a cut that never ends", () => {
  for (const devices of [8, 100]) {
    const medianSessionMs = 5 * MINUTE_MS;
    const churn = new DeviceChurn({ seed: 1, devices, medianSessionMs, medianAwayMs: MINUTE_MS, returning: 0.7 });
    const absences = new Absences<number>(0);
    let there = 0;
    const graces: number[] = [];
    for (const { atMs, device, what } of churn.until(300 * MINUTE_MS)) {
      const isArrival = what === "came" || what === "returned";
      there += isArrival ? 1 : -1;
      absences.observe(atMs, isArrival ? [device] : [], isArrival ? [] : [device], there);
      if (isArrival || atMs < 120 * MINUTE_MS) continue;
      let graceMs = 0;
      while (absences.isAwaited(device, atMs + graceMs)) graceMs += 1_000;
      graces.push(graceMs);
    }
    graces.sort((a, b) => a - b);
    const median = graces[graces.length >> 1] ?? 0;
    expect(median).toBeGreaterThanOrEqual(30_000);
    expect(median).toBeLessThan(60_000);
  }
});

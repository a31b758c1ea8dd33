import { expect, test } from "vitest";
import { Lane } from "./lanes.ts";
import { BACKOFF_MAX_MS, BACKOFF_MIN_MS, PREFETCH_MAX } from "./limits.ts";

/** Chunks that the lane would take at once. */
function room(lane: Lane, nowMs = 0): number {
  const before = lane.inFlight;
  while (lane.hasRoom(nowMs)) lane.inFlight++;
  const taken = lane.inFlight;
  lane.inFlight = before;
  return taken;
}

test("the longer the round trip, the more is sent ahead, within bounds", () => {
  const lane = new Lane("a", false, 2);
  expect(room(lane)).toBe(3);
  for (let i = 0; i < 5; i++) lane.succeeded(110, 10, 0);
  expect(room(lane)).toBe(8);
  for (let i = 0; i < 50; i++) lane.succeeded(110, 10, 0);
  expect(room(lane)).toBe(2 + PREFETCH_MAX);
});

test("chunks that wait there longer than they run are sent later", () => {
  const lane = new Lane("a", false, 2);
  for (let i = 0; i < 5; i++) lane.succeeded(30, 10, 0);
  for (let i = 0; i < 20; i++) lane.succeeded(300, 100, 180);
  expect(room(lane)).toBe(3);
});

test("the submitter's own cores need no more than one chunk in reserve", () => {
  const lane = new Lane("self", true, 2);
  for (let i = 0; i < 20; i++) lane.succeeded(10, 10, 0);
  expect(room(lane)).toBe(3);
});

test("a node that fails is left alone, longer each time, until it succeeds", () => {
  const lane = new Lane("a", false, 1);
  let nowMs = 0;
  const pauses: number[] = [];
  for (let i = 0; i < 10; i++) {
    lane.failed(nowMs);
    // Failures of chunks that were out at the same time count once.
    lane.failed(nowMs + 1);
    const failedAtMs = nowMs;
    while (!lane.hasFreeCore(nowMs)) nowMs += 1;
    pauses.push(nowMs - failedAtMs);
  }
  expect(pauses[0]).toBe(BACKOFF_MIN_MS);
  expect(pauses[1]).toBe(2 * BACKOFF_MIN_MS);
  expect(pauses.at(-1)).toBe(BACKOFF_MAX_MS);
  lane.succeeded(10, 10, 0);
  lane.failed(nowMs);
  expect(lane.hasFreeCore(nowMs + BACKOFF_MIN_MS)).toBe(true);
});

test("a node that lends nothing any more gets nothing", () => {
  const lane = new Lane("a", false, 1);
  lane.cores = 0;
  expect([lane.hasRoom(0), lane.hasFreeCore(0)]).toEqual([false, false]);
});

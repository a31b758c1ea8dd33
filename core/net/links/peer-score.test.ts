import { expect, test } from "vitest";
import type { Clock } from "../../ports/clock.ts";
import { PeerScore, TokenBucket } from "./peer-score.ts";
import { SCORED_PEERS_MAX, FAULT_HALF_LIFE_MS, FAULTS_MAX } from "../limits.ts";
import { PeerLimiter } from "../requests/peer-limiter.ts";

function handClock(): Clock & { pass(ms: number): void } {
  let nowMs = 0;
  return {
    now: () => nowMs,
    monotonic: () => nowMs,
    timer: () => ({ cancel: () => {} }),
    pass(ms) {
      nowMs += ms;
    },
  };
}

test("a burst of faults is too much, the same number spread out is not", () => {
  const clock = handClock();
  const conduct = new PeerScore(clock);
  for (let i = 0; i < FAULTS_MAX; i++) expect(conduct.fault("a")).toBe(false);
  expect(conduct.fault("a")).toBe(true);
  expect(conduct.fault("a")).toBe(false);
  for (let i = 0; i < 10 * FAULTS_MAX; i++) {
    clock.pass(FAULT_HALF_LIFE_MS / 5);
    expect(conduct.fault("b")).toBe(false);
  }
});

test("the faults of so many peers are remembered, and the least recent forgotten", () => {
  const conduct = new PeerScore(handClock());
  for (let i = 0; i < FAULTS_MAX; i++) conduct.fault("first");
  for (let i = 0; i < SCORED_PEERS_MAX; i++) conduct.fault(`peer ${i}`);
  expect(conduct.fault("first")).toBe(false);
});

test("a rate allows its burst, then its pace", () => {
  const clock = handClock();
  const rate = new TokenBucket(clock, { perSecond: 10, burst: 50 });
  const allowed = (): number => Array.from({ length: 1_000 }, () => rate.take(1)).filter(Boolean).length;
  expect(allowed()).toBe(50);
  clock.pass(1_000);
  expect(allowed()).toBe(10);
  clock.pass(3_600_000);
  expect(allowed()).toBe(50);
});

test("slots are bounded for each and for all, and come back", () => {
  const slots = new PeerLimiter({ perPeerMax: 2, max: 3 });
  const [first, second] = [slots.take("a"), slots.take("a")];
  expect(slots.take("a")).toBeUndefined();
  expect(slots.take("b")).toBeDefined();
  expect(slots.take("b")).toBeUndefined();
  first?.();
  expect(slots.take("b")).toBeDefined();
  expect(slots.take("a")).toBeUndefined();
  second?.();
  expect(slots.take("a")).toBeDefined();
});

/**
 * The promise and its price under churn. No stripe becomes unreadable. A random half takes as many stripes as `stat`
 * computes. Repair costs little more than that of plain four-fold replication, while the same devices come and go.
 * Hours with every `npm test`, seven days with LONG=1. The model is test/sim/disk-model.ts, which follows the code of
 * nodes. Seven of ten devices that leave come back, after a quarter of a session (median).
 *
 * Single days have few departures, and vary more than weeks. docs/disk.md has the figures.
 */
import { describe, expect, test } from "vitest";
import { churnRun, HOUR_MS, MINUTE_MS, type Outcome } from "../../../test/sim/disk-lab.ts";
import { isLong, seeds } from "../../../test/sim/seeds.ts";

const WEEK_HOURS = 7 * 24;
/** Stripes that a random half takes in the mean. */
const LOSS_MAX = 1e-5;
const LOSS_MAX_TWO = 1e-3;
/** The same if sessions are so short that the seconds until a shard is rebuilt matter. */
const LOSS_MAX_HURRIED = 1e-4;
/** If fewer stripes than this are taken, it may be chance, and nothing is concluded. */
const COUNTED_MIN = 10;

function report(name: string, outcome: Outcome): void {
  const { ours, fourfold, oracle, rebuiltPart, stored, losses } = outcome;
  const row = [
    `${ours.toFixed(2)} times the content an hour`,
    `${(ours / fourfold).toFixed(2)} of four-fold`,
    `${(ours / oracle).toFixed(2)} of the oracle`,
    `rebuilt ${(100 * rebuiltPart).toFixed(0)}%`,
    `stored ${stored.toFixed(2)}`,
    `a half takes ${losses.mean.toExponential(1)}, at most ${losses.greatest.toExponential(1)}`,
  ];
  console.log(`${name}: ${row.join("; ")}`);
}

/**
 * Checks that the counted losses differ from the computed ones by less than a factor of two, if enough was lost to
 * tell.
 */
function expectTrue({ expected, measured, draws }: Outcome["losses"]): void {
  if (expected * draws >= COUNTED_MIN) {
    expect(measured).toBeGreaterThan(expected / 2);
    expect(measured).toBeLessThan(expected * 2);
  } else {
    expect(measured * draws).toBeLessThan(2 * COUNTED_MIN);
  }
}

describe("in the middle of churn, sessions of two hours", () => {
  const sizes = [2, 3, 5, 8, 16, 32, 33, 48, 64, 128, 200, 400];

  test.each(sizes)("%i devices lose to a random half what is promised", (devices) => {
    for (const seed of seeds(1, 5)) {
      const hours = isLong ? WEEK_HOURS : devices > 64 ? 4 : 24;
      const outcome = churnRun({ seed, devices, medianSessionMs: 2 * HOUR_MS, hours, halves: 40 });
      report(`${devices} devices, seed ${seed}`, outcome);
      expect(outcome.losses.mean).toBeLessThan(devices === 2 ? LOSS_MAX_TWO : LOSS_MAX);
      expectTrue(outcome.losses);
      expectTrue(outcome.fourfoldLosses);
      if (devices > 2) expect(outcome.unreadable).toBe(0);
    }
  });

  test("where repair is too slow for the promise, as much is lost as is computed", () => {
    const slow = { seed: 1, medianSessionMs: 2 * HOUR_MS, hours: WEEK_HOURS, stepMs: 15 * MINUTE_MS };
    for (const devices of [5, 10]) {
      const outcome = churnRun({ ...slow, devices, samples: 600, halves: 50 });
      const { expected, draws } = outcome.losses;
      report(`${devices} devices, repair after half an hour`, outcome);
      expect(expected * draws).toBeGreaterThan(COUNTED_MIN);
      expectTrue(outcome.losses);
    }
  });
});

/** Repair's bytes in multiples of those of four-fold replication, with each seed. */
const COSTS = [
  { devices: 3, ofFourfold: 1.4 },
  { devices: 5, ofFourfold: 1.4 },
  { devices: 8, ofFourfold: 1.4 },
  { devices: 16, ofFourfold: 1.4 },
  { devices: 32, ofFourfold: 1.4 },
  { devices: 48, ofFourfold: 1.4 },
  { devices: 64, ofFourfold: 1.25 },
  { devices: 200, ofFourfold: 1.25 },
];
/**
 * Bounds for the sum over all seeds, in multiples of four-fold replication and of the oracle: over weeks, and over the
 * few days of a short run.
 */
const OF_FOURFOLD_MAX = isLong ? 1.25 : 1.4;
const OF_ORACLE_MAX = isLong ? 1.5 : 1.75;
const SESSIONS = [
  { name: "2 h", sessionMs: 2 * HOUR_MS, hours: 48, devicesMin: 3 },
  { name: "20 min", sessionMs: 20 * MINUTE_MS, hours: 8, devicesMin: 8 },
  { name: "5 min", sessionMs: 5 * MINUTE_MS, hours: 2, devicesMin: 8 },
];

describe.each(SESSIONS.filter(({ name }) => isLong || name !== "20 min"))(
  "sessions of $name",
  ({ name, sessionMs, hours, devicesMin }) => {
    const costs = COSTS.filter(({ devices }) => devices >= devicesMin);
    test.each(costs)("repair among $devices costs what it should", ({ devices, ofFourfold }) => {
      const moved = { ours: 0, fourfold: 0, oracle: 0 };
      for (const seed of seeds(2, 5)) {
        const options = { seed, devices, medianSessionMs: sessionMs, stripes: devices > 64 ? 10 : 20 };
        const enough = devices > 64 && name !== "2 h" ? hours / 4 : hours;
        const outcome = churnRun({ ...options, hours: isLong ? WEEK_HOURS : enough });
        report(`${name}, ${devices} devices, seed ${seed}`, outcome);
        expect(outcome.unreadable).toBe(0);
        expect(outcome.losses.mean).toBeLessThan(name === "2 h" ? LOSS_MAX : LOSS_MAX_HURRIED);
        expect(outcome.ours).toBeLessThanOrEqual(ofFourfold * outcome.fourfold);
        if (name === "2 h" && devices === 200) expect(outcome.ours).toBeLessThanOrEqual(1.5 * outcome.oracle);
        moved.ours += outcome.ours;
        moved.fourfold += outcome.fourfold;
        moved.oracle += outcome.oracle;
      }
      expect(moved.ours / moved.fourfold).toBeLessThanOrEqual(OF_FOURFOLD_MAX);
      expect(moved.ours / moved.oracle).toBeLessThanOrEqual(OF_ORACLE_MAX);
    });
  },
);

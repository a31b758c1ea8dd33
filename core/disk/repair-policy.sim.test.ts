/**
 * Repair under churn: what it costs beside plain four-fold replication with the same grace and beside an oracle that
 * knows who comes back, under the same comings and goings; and that nothing becomes unreadable meanwhile. Hours of 200
 * devices with every `npm test`, seven days with LONG=1. The model is test/sim/disk-model.ts; who is away is so for a
 * quarter of a session in the median.
 *
 * The oracle repairs nothing but what is lost for good, and is allowed to be as thin meanwhile as that leaves it: 3.4 of 4
 * copies' worth. Keeping the promise while a fifth of all holders is away needs more, which then is lost for good more
 * often too; where absences are as long as sessions no policy that keeps it can come near the oracle.
 */
import { describe, expect, test } from "vitest";
import { DeviceChurn } from "../../test/sim/disk-churn.ts";
import { DiskModel, type Scheme } from "../../test/sim/disk-model.ts";
import { seeds } from "../../test/sim/seeds.ts";
import { type Layout, layoutFor } from "./layout.ts";
import { LossChances } from "./promise.ts";
import { graceMs, planRepair, type ShardStates } from "./repair-policy.ts";

const DEVICES = 200;
const STRIPES = 10;
/** As many shards as those have, for the same accuracy. */
const COPIED_STRIPES = 300;
const RETURNING = 0.7;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const isLong = process.env["LONG"] !== undefined;

/** Four plain copies, by the model one shard with four holders. */
const FOURFOLD = { k: 1, n: 1, copies: 4 };

function missing({ living, awaited }: ShardStates, copies: number): number {
  return Math.max(0, copies - (living[0] ?? 0) - (awaited[0] ?? 0));
}

function replication(grace: number, isOracle: boolean): Scheme {
  return {
    layout: FOURFOLD,
    graceMs: grace,
    isOracle,
    plan: (states) => ({ copy: Array<number>(missing(states, FOURFOLD.copies)).fill(0), rebuild: [], isUrgent: false }),
  };
}

function twins(layout: Layout, grace: number): Scheme {
  const chances = new LossChances();
  return {
    layout,
    graceMs: grace,
    plan: (states, devices, isAtRest) => planRepair(layout, states, devices, chances, isAtRest),
  };
}

interface Outcome {
  readonly hours: number;
  readonly ours: DiskModel;
  readonly fourfold: DiskModel;
  readonly oracle: DiskModel;
  /** Chances to be lost with a random half, over stripes and samples, and how many halves taken at random took one. */
  readonly meanChance: number;
  readonly greatestChance: number;
  readonly lost: number;
  /** The same for four copies, of which enough are lost to compare. */
  readonly fourfoldChance: number;
  readonly fourfoldLost: number;
}

function run(seed: number, medianSessionMs: number, hours: number, stepMs: number): Outcome {
  const medianAwayMs = medianSessionMs / 4;
  const churn = new DeviceChurn({ seed, devices: DEVICES, medianSessionMs, medianAwayMs, returning: RETURNING });
  const grace = graceMs(medianSessionMs);
  const ours = new DiskModel(twins(layoutFor(DEVICES), grace), STRIPES, seed);
  const fourfold = new DiskModel(replication(grace, false), COPIED_STRIPES, seed);
  const oracle = new DiskModel(replication(grace, true), COPIED_STRIPES, seed);
  const models = [ours, fourfold, oracle];
  const first = churn.until(0);
  for (const model of models) {
    model.step(0, first);
    model.write();
  }
  const chances: number[] = [];
  const fourfoldChances: number[] = [];
  let [lost, fourfoldLost, halves] = [0, 0, 0];
  const sampleMs = Math.max(stepMs, (hours * HOUR_MS) / 50);
  for (let nowMs = stepMs; nowMs <= hours * HOUR_MS; nowMs += stepMs) {
    const events = churn.until(nowMs);
    for (const model of models) model.step(nowMs, events);
    if (nowMs % sampleMs >= stepMs) continue;
    chances.push(...ours.chances());
    fourfoldChances.push(...fourfold.chances());
    lost += ours.lostToHalf();
    fourfoldLost += fourfold.lostToHalf();
    halves++;
  }
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    hours,
    ours,
    fourfold,
    oracle,
    meanChance: mean(chances),
    greatestChance: Math.max(...chances),
    lost,
    fourfoldChance: mean(fourfoldChances),
    fourfoldLost: fourfoldLost / halves / COPIED_STRIPES,
  };
}

function perHour({ hours }: Outcome, { tally }: DiskModel): number {
  return (tally.copied + tally.rebuilt) / hours;
}

function report(name: string, outcome: Outcome): void {
  const { ours, fourfold, oracle, meanChance, greatestChance } = outcome;
  const row = [
    `${perHour(outcome, ours).toFixed(2)} times the content an hour`,
    `${(perHour(outcome, ours) / perHour(outcome, fourfold)).toFixed(2)} of four-fold`,
    `${(perHour(outcome, ours) / perHour(outcome, oracle)).toFixed(2)} of the oracle`,
    `rebuilt ${((100 * ours.tally.rebuilt) / (ours.tally.copied + ours.tally.rebuilt)).toFixed(0)}%`,
    `stored ${ours.stored().toFixed(2)}`,
    `chance ${meanChance.toExponential(1)}, at most ${greatestChance.toExponential(1)}`,
  ];
  console.log(`${name}: ${row.join("; ")}`);
}

const SESSIONS = [
  { name: "2 h", sessionMs: 2 * HOUR_MS, hours: 48, stepMs: MINUTE_MS },
  { name: "20 min", sessionMs: 20 * MINUTE_MS, hours: 8, stepMs: MINUTE_MS / 2 },
  { name: "5 min", sessionMs: 5 * MINUTE_MS, hours: 2, stepMs: MINUTE_MS / 6 },
];

describe.each(SESSIONS)("sessions of $name", ({ name, sessionMs, hours, stepMs }) => {
  test.each(seeds(1, 3))("nothing is lost, and repair costs little more than that of four copies: seed %i", (seed) => {
    const outcome = run(seed, sessionMs, isLong ? 7 * 24 : hours, stepMs);
    report(`${name}, seed ${seed}`, outcome);
    expect(outcome.ours.tally.unreadable.size).toBe(0);
    expect(perHour(outcome, outcome.ours)).toBeLessThanOrEqual(1.25 * perHour(outcome, outcome.fourfold));
    if (name === "2 h")
      expect(perHour(outcome, outcome.ours)).toBeLessThanOrEqual(1.5 * perHour(outcome, outcome.oracle));
    // A random half at any moment: what is computed is small, and where it can be measured it is right.
    expect(outcome.meanChance).toBeLessThan(1e-6);
    expect(outcome.greatestChance).toBeLessThan(1e-5);
    expect(outcome.lost).toBe(0);
    expect(outcome.fourfoldLost).toBeGreaterThan(outcome.fourfoldChance / 1.5);
    expect(outcome.fourfoldLost).toBeLessThan(outcome.fourfoldChance * 1.5);
    expect(outcome.fourfold.tally.unreadable.size).toBeGreaterThan(0);
  });
});

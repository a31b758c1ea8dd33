/**
 * Swarms that grow, shrink and swing, in the model with the real policies. Nothing becomes unreadable, half of the
 * devices may be lost at nearly all times, and the bytes that coding anew moves are bounded. contents.swing.sim.test.ts
 * and contents.repair.sim.test.ts do the same with real bytes.
 */
import { expect, test } from "vitest";
import { MINUTE_MS } from "../../../test/sim/disk-lab.ts";
import { followingSize, RecodedModel } from "../../../test/sim/disk-recode.ts";
import { SeededRandom } from "../../../test/sim/random.ts";
import { seeds } from "../../../test/sim/seeds.ts";
import { STORAGE_FACTOR_MAX } from "../code/layout.ts";
import { URGENT_CHANCE } from "../code/promise.ts";

const STRIPES = 20;

interface Told {
  readonly model: RecodedModel;
  /** Part of the time in which a random half would take the weakest stripe with more than the urgent chance. */
  readonly atRisk: number;
}

function run(seed: number, minutes: number, stepMs: number, sizeAt: (minute: number) => number): Told {
  const random = new SeededRandom(`growth/${seed}`);
  const follow = followingSize(
    (atMs) => sizeAt(atMs / MINUTE_MS),
    () => random.real(),
  );
  const model = new RecodedModel(STRIPES, seed, follow(0));
  for (let nowMs = stepMs; nowMs <= minutes * MINUTE_MS; nowMs += stepMs) model.step(nowMs, follow(nowMs));
  const { moments, recodings, recoded, repaired, unreadable } = model;
  const atRisk = moments.filter(({ chance }) => chance > URGENT_CHANCE).length / moments.length;
  const row = [
    `coded anew ${recodings.length} times (${recodings.map(({ code }) => code).join(", ")})`,
    `${recoded.toFixed(0)} times the content moved for that, ${repaired.toFixed(0)} for repair`,
    `at risk ${(100 * atRisk).toFixed(1)}% of the time`,
    `${unreadable} unreadable`,
  ];
  console.log(`seed ${seed}: ${row.join("; ")}`);
  return { model, atRisk };
}

/** From one size to another at an even pace, and no further. */
function between(from: number, to: number, part: number): number {
  return from + (to - from) * Math.min(1, Math.max(0, part));
}

/** The most that one coding anew moves: the content is read once and stored. */
const EACH_MAX: number = 1 + Math.ceil(STORAGE_FACTOR_MAX);

test.each(seeds(1, 20))("from 4 devices to 64 in two hours, and back to 8, seed %i", (seed) => {
  const { model, atRisk } = run(seed, 300, 5_000, (minute) =>
    minute < 150 ? between(4, 64, minute / 120) : between(64, 8, (minute - 150) / 120),
  );
  expect(model.unreadable).toBe(0);
  expect(model.recodings.length).toBeLessThanOrEqual(14);
  expect(model.recoded).toBeLessThanOrEqual(14 * EACH_MAX);
  expect(atRisk).toBeLessThan(0.03);
  const last = model.moments.at(-1);
  expect(last).toMatchObject({ devices: 8, half: 4, survivesAny: 6 });
});

test.each(seeds(1, 20))("from 3 devices to 300 in an hour, and back in another, seed %i", (seed) => {
  const { model, atRisk } = run(seed, 135, 2_000, (minute) =>
    minute < 60 ? between(3, 300, minute / 60) : between(300, 3, (minute - 60) / 60),
  );
  expect(model.unreadable).toBe(0);
  expect(model.recodings.length).toBeLessThanOrEqual(16);
  expect(model.recoded).toBeLessThanOrEqual(16 * EACH_MAX);
  expect(atRisk).toBeLessThan(0.2);
});

test.each(seeds(1, 20))("between 6 and 9 devices every four minutes for a day, seed %i", (seed) => {
  const { model, atRisk } = run(seed, 24 * 60, 5_000, (minute) => 7.5 + 1.5 * Math.sin((minute / 4) * 2 * Math.PI));
  expect(model.unreadable).toBe(0);
  expect(model.recodings.length).toBeLessThanOrEqual(3);
  expect(atRisk).toBeLessThan(0.01);
});

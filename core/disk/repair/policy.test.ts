import * as fc from "fast-check";
import { expect, test } from "vitest";
import { healthAtRest, type Layout, layoutFor } from "../code/layout.ts";
import { halfOf, LossChances, lossChance, survivesAny } from "../code/promise.ts";
import { healthOf, planRepair, type RepairPlan, type ShardStates } from "./policy.ts";
import { graceMs } from "../placement/session-lengths.ts";

const MINUTE_MS = 60_000;
const chances = new LossChances();

/** A stripe that is healthy except for these shards: [living, awaited]. */
function states(
  { n, copies, wholes }: Layout,
  but: Readonly<Record<number, readonly [number, number]>> = {},
): ShardStates {
  const all = Array.from({ length: n + wholes }, (_, shard) => but[shard] ?? [copies, 0]);
  return { living: all.map(([living]) => living), awaited: all.map(([, awaited]) => awaited) };
}

function plan(devices: number, but: Parameters<typeof states>[1], isAtRest = false): RepairPlan {
  const layout = layoutFor(devices);
  return planRepair(layout, states(layout, but), devices, chances, isAtRest);
}

/** Shards from..to-1, all in that state. */
function shards(from: number, to: number, state: readonly [number, number]): Record<number, readonly [number, number]> {
  return Object.fromEntries(Array.from({ length: to - from }, (_, i) => [from + i, state]));
}

test("nothing is done for a healthy stripe, nor for leavers in their grace, nor for one holder too many", () => {
  expect(plan(200, {})).toMatchObject({ copy: [], rebuild: [], isUrgent: false });
  expect(plan(200, { 3: [1, 1], 4: [0, 2], 5: [3, 0] })).toMatchObject({ copy: [], rebuild: [], isUrgent: false });
});

test("a shard is copied from its twin when the grace is over", () => {
  expect(plan(200, { 3: [1, 0], 9: [1, 1] })).toMatchObject({ copy: [3], rebuild: [], isUrgent: false });
});

test("lost pairs wait for company, and for a holder still awaited; at rest they are rebuilt", () => {
  expect(plan(128, shards(0, 7, [0, 0]))).toMatchObject({ copy: [], rebuild: [], isUrgent: false });
  expect(plan(128, { ...shards(0, 7, [0, 0]), 8: [0, 1] })).toMatchObject({ rebuild: [] });
  expect(plan(128, shards(0, 8, [0, 0])).rebuild).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(plan(128, { 5: [0, 0], 8: [0, 1] }, true).rebuild).toEqual([5]);
});

test("from who holds all a shard is had when the grace is over, for the price of one", () => {
  // 5 of 15 and one that holds all, number 15.
  expect(plan(16, { 3: [0, 1] })).toMatchObject({ copy: [], rebuild: [], isUrgent: false });
  expect(plan(16, shards(0, 3, [0, 0]))).toMatchObject({ copy: [0, 1, 2], rebuild: [], isUrgent: false });
  expect(plan(16, { 3: [0, 0], 9: [0, 1] })).toMatchObject({ copy: [3], rebuild: [] });
});

test("who holds all is replaced first, when it is not awaited any more or the stripe is in danger", () => {
  expect(plan(16, { 3: [0, 0], 15: [0, 1] })).toMatchObject({ copy: [], rebuild: [], isUrgent: false });
  expect(plan(16, { 3: [0, 0], 15: [0, 0] })).toMatchObject({ copy: [15], rebuild: [], isUrgent: false });
  expect(plan(16, { ...shards(0, 8, [0, 1]), 15: [0, 1] })).toMatchObject({ copy: [15], rebuild: [], isUrgent: true });
});

test("where all devices hold something, one too many for its shard takes another at rest and in danger", () => {
  const doubled = { 0: [0, 0], 1: [2, 0] } as const;
  expect(plan(16, doubled).copy).toEqual([]);
  expect(plan(16, doubled, true).copy).toEqual([0]);
  // With three shards missing, any half may be lost. With more missing, as many move as are needed for that.
  expect(plan(16, { ...shards(0, 12, [0, 0]), 12: [5, 0], 13: [5, 0], 14: [5, 0] })).toMatchObject({
    copy: [0, 1, 2, 3, 4, 5, 6, 7, 8],
    isUrgent: true,
  });
  // Two holders of the whole stripe are not a surplus.
  expect(plan(8, { 0: [0, 0], 7: [2, 0] }, true).copy).toEqual([]);
});

test("plain copies are made when the grace is over, and before one more leaver would put them at a half's mercy", () => {
  expect(plan(4, { 1: [0, 0] })).toMatchObject({ copy: [1], rebuild: [], isUrgent: false });
  expect(plan(4, { 1: [0, 1] })).toMatchObject({ copy: [], rebuild: [], isUrgent: false });
  expect(plan(5, { 1: [0, 1] })).toMatchObject({ copy: [1], rebuild: [], isUrgent: true });
  expect(plan(5, { 0: [0, 0], 1: [0, 1], 2: [0, 1] })).toMatchObject({ copy: [0, 1, 2], rebuild: [], isUrgent: true });
  expect(plan(2, { 1: [0, 1] })).toMatchObject({ copy: [1], isUrgent: true });
});

test("of plain copies any does as well as another", () => {
  expect(plan(5, { 0: [0, 0], 1: [2, 0] })).toMatchObject({ copy: [], rebuild: [], isUrgent: false });
  expect(plan(4, { 0: [0, 0], 1: [1, 1] })).toMatchObject({ copy: [], rebuild: [], isUrgent: false });
});

test("urgent: those in their grace are copied too, as many as it takes and no more", () => {
  const { copy, rebuild, isUrgent, chance } = plan(200, shards(0, 16, [1, 1]));
  expect(isUrgent).toBe(true);
  expect(chance).toBeCloseTo(lossChance({ k: 32, living: [0, 16, 48], wholes: 0 }, 200), 12);
  expect(rebuild).toEqual([]);
  const left = 16 - copy.length;
  expect(lossChance({ k: 32, living: [0, left, 64 - left], wholes: 0 }, 200)).toBeLessThanOrEqual(1.25e-7);
  expect(lossChance({ k: 32, living: [0, left + 1, 63 - left], wholes: 0 }, 200)).toBeGreaterThan(1.25e-7);
});

test("urgent beyond copies: all that is out of reach is rebuilt in one batch", () => {
  const found = plan(200, { ...shards(0, 7, [0, 0]), ...shards(7, 12, [0, 1]), ...shards(12, 20, [1, 1]) });
  expect(found.isUrgent).toBe(true);
  expect(found.copy).toEqual([12, 13, 14, 15, 16, 17, 18, 19]);
  expect(found.rebuild).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
});

test("six of eight gone and six others come: as many are placed at once as half of eight asks for, grace or not", () => {
  // The holder of the whole stripe is there, and one shard; or two shards are, and the whole stripe is repaired first.
  expect(plan(8, shards(1, 7, [0, 1]))).toMatchObject({ copy: [1, 2, 3, 4], rebuild: [], isUrgent: true });
  expect(plan(8, shards(1, 7, [0, 0]))).toMatchObject({ copy: [1, 2, 3, 4, 5, 6], rebuild: [], isUrgent: true });
  expect(plan(8, { ...shards(2, 7, [0, 1]), 7: [0, 1] })).toMatchObject({ copy: [7], rebuild: [], isUrgent: true });
});

test("a stripe that was coded for a smaller swarm is urgent too", () => {
  const few = layoutFor(2);
  expect(planRepair(few, states(few, { 1: [0, 1] }), 8, chances, false)).toMatchObject({
    copy: [1],
    isUrgent: true,
  });
});

test("no stripe is left above the limit, whatever has happened to it, and nothing is planned that finds no device", () => {
  const state = fc.record({ living: fc.nat(3), awaited: fc.nat(2) });
  const sizes = fc.constantFrom(2, 5, 8, 16, 32, 33, 40, 64, 128, 200, 400);
  const stripes = sizes.chain((devices) => {
    const { n, wholes } = layoutFor(devices);
    return fc.tuple(
      fc.constant(devices),
      fc.array(state, { minLength: n + wholes, maxLength: n + wholes }),
      fc.boolean(),
    );
  });
  fc.assert(
    fc.property(stripes, ([devices, all, isAtRest]) => {
      const layout = layoutFor(devices);
      const living = all.map((shard) => shard.living);
      const awaited = all.map((shard) => shard.awaited);
      const everyone = living.reduce((sum, count) => sum + count, 0);
      const { n, copies, wholes } = layout;
      // Surplus holders of a shard may take another shard.
      const holders = living.reduce((sum, count, shard) => sum + (shard < n ? Math.min(count, copies) : count), 0);
      if (everyone > devices || survivesAny(healthOf(layout, living)) < 0) return;
      const { copy, rebuild, chance } = planRepair(layout, { living, awaited }, devices, chances, isAtRest);
      // If a device holds the whole stripe, or is to, any shard can be copied from it.
      const isCheap = wholes > 0 || layout.k === 1;
      const after = [...living];
      for (const shard of copy) {
        if (isCheap) expect(living[shard]).toBe(0);
        else expect(living[shard]).toBeGreaterThan(0);
        after[shard] = (after[shard] ?? 0) + 1;
      }
      for (const shard of rebuild) {
        expect([living[shard], isCheap]).toEqual([0, false]);
        after[shard] = (after[shard] ?? 0) + 1;
      }
      for (const shard of [...copy, ...rebuild]) expect(after[shard]).toBeLessThanOrEqual(copies);
      const planned = copy.length + rebuild.length;
      expect(holders + planned).toBeLessThanOrEqual(devices);
      const healthy = lossChance(healthAtRest(layout, devices), devices);
      // Devices that took another shard gave up the surplus one.
      let moved = Math.max(0, everyone + planned - devices);
      for (const [shard, count] of after.slice(0, n).entries()) {
        const given = Math.min(moved, Math.max(0, count - copies));
        after[shard] = count - given;
        moved -= given;
      }
      const isReached = lossChance(healthOf(layout, after), devices) <= Math.max(1e-6, 4 * healthy);
      // Up to one in 100,000 nobody gives up a shard for another.
      const isFull = holders + planned === devices || (everyone + planned === devices && chance <= 1e-5);
      // Everything that copies and one rebuild can do. A rebuilt shard is copied next, and the rest once a device holds
      // the whole stripe.
      const isAllDone = after.every((count, i) => count >= (living[i] === 0 || i >= n ? 1 : copies));
      const isBegun = wholes > 0 && living[n] === 0 && copy.includes(n);
      expect(isReached || isFull || isAllDone || isBegun).toBe(true);
    }),
    { numRuns: 150 },
  );
});

test("the grace follows the sessions, within bounds", () => {
  const graces = [0, 5, 20, 120, 600].map((minutes) => graceMs(minutes * MINUTE_MS) / MINUTE_MS);
  expect(graces).toEqual([0.5, 0.625, 2.5, 15, 15]);
});

test("what is counted of a stripe is what survives", () => {
  const health = healthOf({ k: 8, n: 12 }, [2, 2, 1, 0, 3, 1, 1, 1, 1, 1, 1, 1]);
  expect(health.living).toEqual([1, 8, 2, 1]);
  expect(healthOf({ k: 8, n: 3 }, [3, 4, 1], 3).living).toEqual([0, 1, 0, 2]);
  expect(healthOf({ k: 2, n: 3 }, [1, 1, 1, 2])).toEqual({ k: 2, living: [0, 3, 0], wholes: 2 });
  expect(survivesAny(health)).toBe(3);
  expect(lossChance(health, 30, halfOf(4))).toBe(0);
});

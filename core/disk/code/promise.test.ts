import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  healthAtRest,
  holdersWanted,
  layoutAmong,
  type Layout,
  layoutFor,
  staleness,
  STORAGE_FACTOR_MAX,
  storageFactor,
} from "./layout.ts";
import {
  halfOf,
  type Health,
  holdersOf,
  LossChances,
  lossChance,
  survivesAny,
  survivesAnyMachines,
} from "./promise.ts";

const ALL = -2;

/** Which shard each device holds, -1 for none. */
function heldBy({ living, wholes }: Health, devices: number): number[] {
  const held: number[] = Array<number>(wholes).fill(ALL);
  let shard = 0;
  for (const [holders, count] of living.entries()) {
    for (let i = 0; i < count; i++, shard++) for (let j = 0; j < holders; j++) held.push(shard);
  }
  while (held.length < devices) held.push(-1);
  return held;
}

/** By trying every set of survivors: how many there are of each size, and how many of those lose the stripe. */
function enumerate(health: Health, devices: number): { sets: number[]; losses: number[] } {
  const held = heldBy(health, devices);
  const sets = Array<number>(devices + 1).fill(0);
  const losses = Array<number>(devices + 1).fill(0);
  for (let set = 0; set < 2 ** devices; set++) {
    const shards = new Set<number>();
    let deaths = devices;
    for (let device = 0; device < devices; device++) {
      if (((set >> device) & 1) === 0) continue;
      deaths--;
      const shard = held[device] ?? -1;
      if (shard !== -1) shards.add(shard);
    }
    sets[deaths] = (sets[deaths] ?? 0) + 1;
    if (shards.size < health.k && !shards.has(ALL)) losses[deaths] = (losses[deaths] ?? 0) + 1;
  }
  return { sets, losses };
}

const cases = fc
  .record({
    k: fc.integer({ min: 1, max: 5 }),
    living: fc.array(fc.nat(4), { minLength: 1, maxLength: 4 }),
    wholes: fc.nat(2),
    idle: fc.nat(3),
  })
  .map(({ idle, ...health }) => ({ health, devices: holdersOf(health) + idle }))
  .filter(({ devices }) => devices >= 1 && devices <= 12);

test("the chance is what trying every set of deaths gives", () => {
  fc.assert(
    fc.property(cases, ({ health, devices }) => {
      const { sets, losses } = enumerate(health, devices);
      for (let deaths = 0; deaths <= devices; deaths++) {
        expect(lossChance(health, devices, deaths)).toBeCloseTo((losses[deaths] ?? 0) / (sets[deaths] ?? 1), 12);
      }
    }),
    { numRuns: 200 },
  );
});

test("any so many devices may die, and of one more some set is too much", () => {
  fc.assert(
    fc.property(cases, ({ health, devices }) => {
      const { losses } = enumerate(health, devices);
      const most = losses.findLastIndex((count, deaths) => losses.slice(0, deaths + 1).every((lost) => lost === 0));
      expect(survivesAny(health)).toBe(losses[0] === 0 ? most : -1);
    }),
    { numRuns: 200 },
  );
});

test("the chance is what drawing random halves gives", () => {
  // Chances of a few per cent, of states as churn leaves them: shards with no, one, two and three living holders.
  const states: [Health, number][] = [
    [{ k: 32, living: [8, 36, 20, 0], wholes: 0 }, 200],
    [{ k: 32, living: [10, 24, 24, 6], wholes: 0 }, 400],
    [{ k: 8, living: [3, 10, 3], wholes: 0 }, 40],
    [{ k: 8, living: [16, 16], wholes: 0 }, 40],
    [{ k: 8, living: [16, 14], wholes: 1 }, 40],
  ];
  let word = 12_345;
  const random = (below: number): number => {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) | 0;
    return Math.floor(((word >>> 0) / 2 ** 32) * below);
  };
  for (const [health, devices] of states) {
    const held = Int32Array.from(heldBy(health, devices));
    const draws = 125_000;
    let losses = 0;
    for (let draw = 0; draw < draws; draw++) {
      const shards = new Set<number>();
      for (let i = 0; i < devices - halfOf(devices); i++) {
        const j = i + random(devices - i);
        const survivor = held[j] ?? -1;
        held[j] = held[i] ?? -1;
        held[i] = survivor;
        if (survivor !== -1) shards.add(survivor);
      }
      if (shards.size < health.k && !shards.has(ALL)) losses++;
    }
    const chance = lossChance(health, devices);
    expect(chance).toBeGreaterThan(1e-3);
    const deviation = Math.sqrt(draws * chance * (1 - chance));
    expect(Math.abs(losses - draws * chance)).toBeLessThan(5 * deviation);
  }
});

test("a stripe at rest survives any half, up to 131 devices", () => {
  for (let devices = 1; devices <= 131; devices++) {
    const health = healthAtRest(layoutFor(devices), devices);
    expect(survivesAny(health)).toBeGreaterThanOrEqual(halfOf(devices));
    expect(lossChance(health, devices)).toBe(0);
  }
  expect(survivesAny(healthAtRest(layoutFor(8), 8))).toBe(6);
  expect(survivesAny(healthAtRest(layoutFor(1), 1))).toBe(0);
  expect(survivesAny(healthAtRest(layoutFor(1_000), 1_000))).toBe(65);
});

test("where only some devices have room, they are enough to survive any half of all, or the code is that of all", () => {
  for (let devices = 1; devices <= 131; devices++) {
    for (let withRoom = 0; withRoom <= devices; withRoom++) {
      const layout = layoutAmong(devices, withRoom);
      if (holdersWanted(layout) === holdersWanted(layoutFor(devices))) continue;
      expect(holdersWanted(layout)).toBeLessThanOrEqual(withRoom);
      expect(survivesAny(healthAtRest(layout, withRoom))).toBeGreaterThanOrEqual(halfOf(devices));
    }
  }
  expect([layoutAmong(8, 7), layoutAmong(3, 2), layoutAmong(8, 5)].map(holdersWanted)).toEqual([7, 2, 8]);
});

test("beyond that the chance to lose one with a random half is as promised", () => {
  const chanceAt = (devices: number): string => {
    const layout = layoutFor(devices);
    return lossChance(healthAtRest(layout, devices), devices).toExponential(1);
  };
  expect([132, 200, 400, 1_000].map(chanceAt)).toEqual(["4.7e-21", "1.6e-10", "1.5e-7", "1.5e-6"]);
  // Other codes on 200 devices: four copies and 16 of 64, which cost as much, 3 of 10 and 29 of 80, which cost less.
  const others: [number, number][] = [
    [1, 4],
    [16, 64],
    [3, 10],
    [29, 80],
  ];
  const chances = others.map(([k, n]) => lossChance({ k, living: [0, n], wholes: 0 }, 200).toExponential(0));
  expect(chances).toEqual(["6e-2", "2e-7", "5e-2", "4e-4"]);
});

test("it costs at most 4.58 times the size, and 4 in large swarms", () => {
  for (let devices = 1; devices <= 5_000; devices++) {
    const layout = layoutFor(devices);
    expect(storageFactor(layout)).toBeLessThanOrEqual(STORAGE_FACTOR_MAX);
    expect(holdersWanted(layout)).toBeLessThanOrEqual(devices);
    if (devices > 128) expect(storageFactor(layout)).toBe(4);
  }
  const small = [1, 2, 3, 5, 8, 9, 32, 33, 40, 64, 128].map((devices) => Object.values(layoutFor(devices)).join(" "));
  expect(small).toEqual([
    ...["1 1 1 0", "1 2 1 0", "1 3 1 0", "1 4 1 0", "2 7 1 1", "3 8 1 1", "9 31 1 1"],
    ...["9 32 1 1", "11 39 1 1", "14 32 2 0", "28 64 2 0"],
  ]);
});

test("urgent is what a random half may take with more than one in a million", () => {
  const chances = new LossChances();
  const isUrgent = (singles: number, devices: number): boolean =>
    chances.isUrgent(
      { k: 32, living: [0, singles, 64 - singles], wholes: 0 },
      healthAtRest(layoutFor(devices), devices),
      devices,
    );
  expect([0, 8, 12, 16].map((singles) => isUrgent(singles, 200))).toEqual([false, false, false, true]);
  // Healthy is above a millionth here, which repair could not better.
  expect([0, 2, 8].map((singles) => isUrgent(singles, 1_000))).toEqual([false, false, true]);
  expect(chances.ofHalf({ k: 2, living: [7, 1], wholes: 0 }, 5)).toBe(1);
  expect(survivesAny({ k: 2, living: [7, 1], wholes: 0 })).toBe(-1);
});

test("a code that no longer survives any half is called broken, and what was just written fresh", () => {
  const sizes = [...Array(24).keys()].map((i) => i + 1).concat([31, 32, 33, 34, 47, 64, 90, 127, 128, 140, 200, 400]);
  const wrong: string[] = [];
  for (const written of sizes) {
    const layout = layoutFor(written);
    for (const devices of sizes) {
      const found = staleness(layout, devices);
      const isBroken = lossChance(healthAtRest(layout, devices), devices) > 1e-6;
      const isRight = devices === written ? found === "fresh" : (found === "broken") === isBroken;
      if (!isRight) wrong.push(`written in ${written}, now ${devices}: ${found}`);
    }
  }
  expect(wrong).toEqual([]);
  const rewritten = [...Array(450).keys()].map((i) => i + 1).filter((n) => staleness(layoutFor(n), n) !== "fresh");
  expect(rewritten).toEqual([]);
});

test("a code that a sixth less would break is tight where another would stand it", () => {
  const few: Layout = { k: 4, n: 13, copies: 1, wholes: 1 };
  expect([9, 8, 7, 6].map((devices) => staleness(few, devices))).toEqual(["loose", "tight", "tight", "broken"]);
});

test("a swarm that swings between 6 and 9 codes its stripes again a few times only; one that grows, about twenty", () => {
  const recodings = (sizes: readonly number[]): number => {
    let layout = layoutFor(sizes[0] ?? 1);
    let count = 0;
    for (const devices of sizes) {
      if (staleness(layout, devices) === "fresh") continue;
      layout = layoutFor(devices);
      count++;
    }
    return count;
  };
  const swing = [6, 7, 8, 9, 8, 7];
  for (const first of swing.keys()) {
    const sizes = Array.from({ length: 600 }, (_, i) => swing[(first + i) % swing.length] ?? 0);
    expect(recodings(sizes)).toBeLessThanOrEqual(3);
  }
  const growth = Array.from({ length: 1_000 }, (_, i) => i + 1);
  expect(recodings(growth)).toBeLessThanOrEqual(22);
  expect(recodings([...growth].reverse())).toBeLessThanOrEqual(22);
});

test("the loss of as many machines as it says is survived, whichever they are, and is not said too small", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 24 }),
      fc.integer({ min: 1, max: 6 }),
      fc.infiniteStream(fc.nat(5)),
      (devices, machines, draw) => {
        const code = layoutFor(devices);
        const hosts = Array.from({ length: devices }, () => (draw.next().value ?? 0) % machines);
        // Slot by slot, as a stripe lies when all are there.
        const holders: string[][] = Array.from({ length: code.n + code.wholes }, () => []);
        for (let slot = 0; slot < Math.min(devices, holdersWanted(code)); slot++) {
          holders[code.copies === 1 ? slot : slot % code.n]?.push(String(slot));
        }
        const hostOf = (device: string): string => String(hosts[Number(device)]);
        const says = survivesAnyMachines(code, holders, hostOf);
        const lives = (dead: ReadonlySet<string>): boolean => {
          const left = holders.map((those) => those.filter((device) => !dead.has(hostOf(device))));
          const shards = left.slice(0, code.n).filter((those) => those.length > 0).length;
          return shards >= code.k || (left[code.n]?.length ?? 0) > 0;
        };
        let least = machines;
        for (let set = 0; set < 1 << machines; set++) {
          const dead = new Set([...Array(machines).keys()].filter((host) => (set >> host) & 1).map(String));
          if (!lives(dead)) least = Math.min(least, dead.size);
        }
        // Where every shard has one holder it is exact, up to 63 devices.
        expect(says).toBe(least - 1);
      },
    ),
  );
});

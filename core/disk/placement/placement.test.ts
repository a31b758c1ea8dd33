import * as fc from "fast-check";
import { expect, test } from "vitest";
import { holdersWanted, layoutFor } from "../code/layout.ts";
import {
  chooseHolders,
  type Holders,
  overMachines,
  partitionOf,
  PARTITIONS,
  Placement,
  repairersOf,
  weightOf,
} from "./placement.ts";

const anywhere = (): boolean => true;

function devices(count: number, from = 0): { id: string }[] {
  return Array.from({ length: count }, (_, i) => ({ id: `device-${from + i}` }));
}

/** Sets of distinct ids of any kind, as devices. */
const swarms = fc
  .uniqueArray(fc.string({ unit: "binary", minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 150 })
  .map((ids) => ids.map((id) => ({ id })));
const partitions = fc.nat(PARTITIONS - 1);

function placed(placement: Placement, partition: number): Holders {
  return chooseHolders(layoutFor(placement.size), placement.order(partition), [], anywhere).holders;
}

test("the order of a partition has every device once, whatever order they are told in", () => {
  fc.assert(
    fc.property(swarms, partitions, fc.infiniteStream(fc.nat()), (swarm, partition, noise) => {
      const order = new Placement(swarm).order(partition);
      expect([...order].sort()).toEqual(swarm.map(({ id }) => id).sort());
      const shuffled = swarm
        .map((device) => ({ device, at: noise.next().value ?? 0 }))
        .sort((a, b) => a.at - b.at)
        .map(({ device }) => device);
      expect(new Placement(shuffled).order(partition)).toEqual(order);
    }),
  );
});

test("a device that comes or goes moves nothing but its own place", () => {
  fc.assert(
    fc.property(swarms, partitions, fc.nat(), (swarm, partition, which) => {
      const gone = swarm[which % swarm.length]?.id ?? "";
      const before = new Placement(swarm).order(partition);
      const after = new Placement(swarm.filter(({ id }) => id !== gone)).order(partition);
      expect(after).toEqual(before.filter((id) => id !== gone));
    }),
  );
});

test("a change of weight moves nothing but that device's place", () => {
  fc.assert(
    fc.property(swarms, partitions, fc.nat(), fc.integer({ min: 2, max: 4 }), (swarm, partition, which, weight) => {
      const heavy = swarm[which % swarm.length]?.id ?? "";
      const others = (order: readonly string[]): string[] => order.filter((id) => id !== heavy);
      const before = new Placement(swarm).order(partition);
      const after = new Placement(swarm.map(({ id }) => (id === heavy ? { id, weight } : { id }))).order(partition);
      expect(others(after)).toEqual(others(before));
      expect(after.indexOf(heavy)).toBeLessThanOrEqual(before.indexOf(heavy));
    }),
  );
});

test("every shard has as many holders as the layout wants, all of them distinct", () => {
  fc.assert(
    fc.property(swarms, partitions, (swarm, partition) => {
      const layout = layoutFor(swarm.length);
      const holders = placed(new Placement(swarm), partition);
      expect(holders).toHaveLength(layout.n + layout.wholes);
      for (const those of holders) expect(those).toHaveLength(layout.copies);
      expect(new Set(holders.flat()).size).toBe(holdersWanted(layout));
    }),
  );
});

test("departures move only what was lost, and never to a device that holds something already", () => {
  fc.assert(
    fc.property(swarms, partitions, fc.infiniteStream(fc.boolean()), (swarm, partition, coins) => {
      const layout = layoutFor(swarm.length);
      const before = placed(new Placement(swarm), partition);
      const staying = new Set(swarm.flatMap(({ id }) => (coins.next().value === true ? [id] : [])));
      const left = before.map((those) => those.filter((id) => staying.has(id)));
      const newcomers = devices(20);
      const there = new Placement([...newcomers, ...swarm.filter(({ id }) => staying.has(id))]);
      const { holders, added } = chooseHolders(layout, there.order(partition), left, anywhere);
      const vacancies = holdersWanted(layout) - left.flat().length;
      expect(added).toHaveLength(Math.min(vacancies, there.size - left.flat().length));
      for (const [shard, those] of left.entries()) expect(holders[shard]?.slice(0, those.length)).toEqual(those);
      expect(new Set(holders.flat()).size).toBe(holders.flat().length);
      expect(holders.flat()).toHaveLength(left.flat().length + added.length);
      // Shards without any holder come before twins.
      const empty = left.filter((those) => those.length === 0).length;
      for (const [i, { shard }] of added.entries()) expect(left[shard]?.length === 0 && i < empty).toBe(i < empty);
    }),
  );
});

test("who has come back counts again, and costs nothing more", () => {
  const there = new Placement(devices(8));
  const before = placed(there, 5);
  const lost = before.map((those) => those.filter((id) => id !== "device-3"));
  const replaced = chooseHolders(layoutFor(8), [...there.order(5), "device-9"], lost, (id) => id !== "device-3");
  expect(replaced.added).toEqual([{ shard: expect.any(Number), device: "device-9" }]);
  const shard = replaced.added[0]?.shard ?? -1;
  const back = replaced.holders.map((those, i) => (i === shard ? [...those, "device-3"] : those));
  expect(chooseHolders(layoutFor(8), there.order(5), back, anywhere)).toEqual({ holders: back, added: [] });
});

test("devices without room are passed over; what finds no place stays without holder", () => {
  const layout = layoutFor(64);
  const order = new Placement(devices(64)).order(7);
  const full = new Set(order.slice(0, 27));
  const { holders, added } = chooseHolders(layout, order, [], (id) => !full.has(id));
  expect(holders.map((those) => those.length)).toEqual([...Array<number>(5).fill(2), ...Array<number>(27).fill(1)]);
  expect(added.map(({ device }) => device)).toEqual(order.slice(27));
});

test("load is even: partitions fall on devices as by chance, and no worse", () => {
  for (const count of [5, 33, 200, 1_000]) {
    const placement = new Placement(devices(count));
    const load = new Map<string, number>();
    const firsts = new Map<string, number>();
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const holders = placed(placement, partition).flat();
      for (const id of holders) load.set(id, (load.get(id) ?? 0) + 1);
      const first = placement.order(partition)[0] ?? "";
      firsts.set(first, (firsts.get(first) ?? 0) + 1);
    }
    const wanted = holdersWanted(layoutFor(count));
    const mean = (PARTITIONS * wanted) / count;
    // Each device is in a partition's holders with the same chance: binomial. Five deviations happen to 1 in 3 million.
    const deviation = Math.sqrt(mean * (1 - wanted / count));
    for (const { id } of devices(count)) {
      expect(Math.abs((load.get(id) ?? 0) - mean), `load of ${id} of ${count}`).toBeLessThanOrEqual(5 * deviation);
      expect(firsts.get(id) ?? 0).toBeLessThanOrEqual(PARTITIONS / count + 6 * Math.sqrt(PARTITIONS / count));
    }
  }
});

test("ids that differ in one character are as far apart as any", () => {
  const ids = ["aaaaaaaa", "aaaaaaab", "baaaaaaa", "a", "aa", "\u0000", "\u0000\u0000", "é", "e\u0301"];
  const placement = new Placement(ids.map((id) => ({ id })));
  for (const one of ids) {
    for (const other of ids) {
      if (one === other) continue;
      let before = 0;
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const order = placement.order(partition);
        if (order.indexOf(one) < order.indexOf(other)) before++;
      }
      expect(Math.abs(before - PARTITIONS / 2)).toBeLessThan(5 * Math.sqrt(PARTITIONS / 4));
    }
  }
});

test("twice the weight, twice the shards; weights grow with free space", () => {
  const swarm = devices(300).map(({ id }, i) => ({ id, weight: i < 100 ? 2 : 1 }));
  const placement = new Placement(swarm);
  const heavy = new Set(swarm.flatMap(({ id, weight }) => (weight === 2 ? [id] : [])));
  let first = 0;
  for (let partition = 0; partition < PARTITIONS; partition++) {
    if (heavy.has(placement.order(partition)[0] ?? "")) first++;
  }
  // 200 of 400 tickets.
  expect(Math.abs(first / PARTITIONS - 0.5)).toBeLessThan(5 * Math.sqrt(0.25 / PARTITIONS));
  expect([0, 2 ** 30, 20 * 2 ** 30, 2 ** 40].map(weightOf)).toEqual([1, 1, 2, 4]);
});

test("partitions come from the root's first ten bits", () => {
  expect(partitionOf(Uint8Array.of(0, 0))).toBe(0);
  expect(partitionOf(Uint8Array.of(0xff, 0xff))).toBe(PARTITIONS - 1);
  expect(partitionOf(Uint8Array.of(0x01, 0x80))).toBe(6);
});

test("repairers take turns, and repair is spread over all holders", () => {
  const ids = devices(20).map(({ id }) => id);
  const turns = new Map<string, number>();
  const stripes = 2_000;
  for (let i = 0; i < stripes; i++) {
    const order = repairersOf(Uint8Array.of(i >> 8, i & 255, 3, 4), ids);
    expect(new Set(order).size).toBe(ids.length);
    expect(repairersOf(Uint8Array.of(i >> 8, i & 255, 3, 4), [...ids].reverse())).toEqual(order);
    turns.set(order[0] ?? "", (turns.get(order[0] ?? "") ?? 0) + 1);
  }
  for (const id of ids) expect(Math.abs((turns.get(id) ?? 0) - 100)).toBeLessThan(5 * Math.sqrt(100));
});

test("the order goes over the machines in turn, from those that have had the fewest turns on", () => {
  const hostOf = (device: string): string => device.slice(0, 1);
  const order = ["a1", "a2", "b1", "a3", "c1", "b2"];
  expect(overMachines(order, hostOf, [])).toEqual(["a1", "b1", "c1", "a2", "b2", "a3"]);
  expect(overMachines(order, hostOf, ["a9", "a8", "b9"])).toEqual(["c1", "b1", "a1", "b2", "a2", "a3"]);
  // Each on its own machine, nothing changes.
  expect(overMachines(order, (device) => device, ["x"])).toEqual(order);
});

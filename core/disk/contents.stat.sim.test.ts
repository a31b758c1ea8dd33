/** `stat` tells the truth: whoever dies, as long as they are no more than it says, everything reads back. */
import { expect, test } from "vitest";
import { type DiskNode, DiskSwarm } from "../../test/sim/contents.ts";
import { SeededRandom } from "../../test/sim/random.ts";
import { seeds } from "../../test/sim/seeds.ts";
import { SimWorld } from "../../test/sim/world.ts";
import type { ContentRef } from "./types.ts";

const KIB = 1024;
const NODES = 6;
const KILL_SETS = 50;

test.each(seeds(1, 10))(
  "fifty random sets of devices, as many as it says, are killed at one instant, seed %i",
  async (seed) => {
    const random = new SeededRandom(`stat/${seed}`);
    const swarm = new DiskSwarm(new SimWorld({ seed }));
    await swarm.grow(NODES);
    const all: [ContentRef, Uint8Array][] = [];
    for (const size of [20 * KIB, 600 * KIB]) {
      const bytes = swarm.bytes(size);
      all.push([await swarm.put(swarm.node("m1"), bytes), bytes]);
    }
    const told = new Map<number, number>();
    for (let i = 0; i < KILL_SETS; i++) {
      // Some are away already, whom the others await.
      const away = swarm.halfOf(Math.floor(random.real() * 3));
      for (const name of away) swarm.crash(name);
      await swarm.world.runUntil(
        () => swarm.nodes.every(({ contents }) => contents.offers().length === swarm.nodes.length),
        { withinMs: 60_000, everyMs: 100, what: "all know who is away" },
      );
      const [asked] = swarm.nodes as [DiskNode];
      const stats = await swarm.settle(Promise.all(all.map(([ref]) => asked.contents.stat(ref))));
      const survives = Math.min(...stats.map(({ survivesAny }) => survivesAny));
      told.set(survives, (told.get(survives) ?? 0) + 1);
      const killed = swarm.halfOf(survives);
      for (const name of killed) swarm.crash(name);
      await swarm.readsBack(swarm.nodes.slice(0, 1), all);
      for (const name of [...away, ...killed]) await swarm.settle(swarm.up({ name, kind: "node" }));
      await swarm.acquainted();
    }
    // It was asked in different states, and did not always give a low number to be safe.
    expect(told.size).toBeGreaterThan(1);
    expect(Math.max(...told.keys())).toBe(4);
    expect(Math.min(...told.keys())).toBeGreaterThanOrEqual(2);
  },
);

/** How many devices are on each machine, and how many machines may be lost, whichever they are. */
const MACHINES: readonly { readonly sizes: readonly number[]; readonly survives: number }[] = [
  // Four copies among five devices: one of them is on the other machine.
  { sizes: [4, 1], survives: 1 },
  { sizes: [2, 1, 1, 1], survives: 3 },
  { sizes: [3, 3, 2], survives: 2 },
];

test.each(MACHINES)("machines of $sizes devices: any $survives of them may be lost", async ({ sizes, survives }) => {
  const swarm = new DiskSwarm(new SimWorld({ seed: 1 }));
  const machineOf = sizes.flatMap((size, machine) => Array<number>(size).fill(machine));
  await swarm.grow(machineOf.length, (index) => ({ host: `host-${machineOf[index]}` }));
  const all: [ContentRef, Uint8Array][] = [];
  for (let i = 0; i < 12; i++) {
    const bytes = swarm.bytes((20 + i) * KIB);
    all.push([await swarm.put(swarm.node("m0"), bytes), bytes]);
  }
  const { contents } = swarm.node("m0");
  const stats = await swarm.settle(Promise.all(all.map(([ref]) => contents.stat(ref))));
  for (const stat of stats) expect([stat.machines, stat.devices]).toEqual([sizes.length, machineOf.length]);
  expect(Math.min(...stats.map(({ survivesAnyMachines }) => survivesAnyMachines))).toBe(survives);
  // The largest ones go.
  for (const [i, machine] of machineOf.entries()) if (machine < survives) swarm.crash(`m${i}`);
  await swarm.readsBack(swarm.nodes.slice(0, 1), all);
});

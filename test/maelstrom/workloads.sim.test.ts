/**
 * Maelstrom's workloads in virtual time: all nodes add and read while the network is cut in every way that Jepsen cuts it, and each history is checked as Jepsen checks it.  */
import { describe, expect, test } from "vitest";
import { pick, sample } from "../../core/ports/random.ts";
import { quantile } from "../sim/many-writers.ts";
import { MapSwarm } from "../sim/maps.ts";
import type { SeededRandom } from "../sim/random.ts";
import { seeds } from "../sim/seeds.ts";
import { SimWorld } from "../sim/world.ts";
import { checkCounter, checkSet, type CounterHistory, type SetRead } from "./checkers.ts";
import { type Cut, majority, ring, single } from "./cuts.ts";
import { Counter, Elements } from "./workloads.ts";

const CUTS: readonly ((order: readonly number[]) => Cut)[] = [majority, ring, single];
const CUT_MS = 10_000;
const WHOLE_MS = 5_000;
/** The pause after the last heal, before the final reads. Jepsen's own pause is ten seconds too. */
const QUIET_MS = 10_000;
const CLOSED: Cut = () => false;

interface Story {
  readonly swarm: MapSwarm;
  readonly random: SeededRandom;
  /** Runs operations at random moments through each kind of cut, and then until all is quiet. */
  readonly run: (operationsPerSecond: number, operate: (node: number) => void) => Promise<void>;
}

async function storyOf(seed: number, size: number): Promise<Story> {
  const world = new SimWorld({ seed, path: { loss: 0.01 } });
  const swarm = new MapSwarm(world);
  const nodes = await swarm.found(size);
  const random = world.random.fork("maelstrom");
  const numbers = nodes.map((_, i) => i);
  const number = new Map(nodes.map(({ machine }, i) => [machine.name, i]));
  const partition = (cut: Cut): void =>
    world.partition((from, to) => cut(number.get(from.name) ?? 0, number.get(to.name) ?? 0));
  return {
    swarm,
    random,
    run: async (operationsPerSecond, operate) => {
      for (const cutOf of sample(random, CUTS)) {
        for (const [cut, forMs] of [
          [CLOSED, WHOLE_MS],
          [cutOf(sample(random, numbers)), CUT_MS],
        ] as const) {
          partition(cut);
          const endMs = world.nowMs + forMs;
          while (world.nowMs < endMs) {
            operate(pick(random, numbers) ?? 0);
            await world.runFor((-1_000 / operationsPerSecond) * Math.log(1 - random.real()));
          }
        }
      }
      world.heal();
      await world.runFor(QUIET_MS);
    },
  };
}

describe("a set that grows on every node, under cuts", () => {
  test.each(seeds(1, 20))("loses nothing (seed %i)", async (seed) => {
    for (const [size, perSecond] of [
      [5, 20],
      [25, 20],
    ] as const) {
      const { swarm, random, run } = await storyOf(seed, size);
      const sets = swarm.nodes.map(({ map }) => new Elements(map));
      const added = new Map<number, number>();
      const reads: SetRead[] = [];
      const read = (node: number, isFinal: boolean): void => {
        const elements = new Set(sets[node]?.read());
        reads.push({ node, atMs: swarm.world.nowMs, elements, isFinal });
      };
      await run(perSecond, (node) => {
        if (random.real() < 0.5) return read(node, false);
        sets[node]?.add(added.size);
        added.set(added.size, swarm.world.nowMs);
      });
      sets.forEach((_, node) => read(node, true));
      const { faults, stableMs } = checkSet({ added, reads });
      expect(faults).toEqual([]);
      expect(added.size).toBeGreaterThan(200);
      // Cuts take two thirds of the time. An element that was added in a cut is everywhere soon after it.
      expect(quantile(stableMs, 1)).toBeLessThan(CUT_MS + 6_000);
    }
  });
});

describe("a counter that all nodes add to, under cuts", () => {
  test.each(seeds(1, 20))("is the sum of all (seed %i)", async (seed) => {
    for (const size of [5, 25]) {
      const { swarm, random, run } = await storyOf(seed, size);
      const counters = swarm.nodes.map(({ map, machine }) => new Counter(map, machine.name));
      const adds: CounterHistory["adds"][number][] = [];
      const reads: CounterHistory["reads"][number][] = [];
      const read = (node: number, isFinal: boolean): void =>
        void reads.push({ node, atMs: swarm.world.nowMs, value: counters[node]?.read() ?? Number.NaN, isFinal });
      await run(20, (node) => {
        if (random.real() < 0.5) return read(node, false);
        const delta = Math.floor(random.real() * 11) - 5;
        counters[node]?.add(delta);
        adds.push({ atMs: swarm.world.nowMs, delta });
      });
      counters.forEach((_, node) => read(node, true));
      expect(checkCounter({ adds, reads })).toEqual([]);
    }
  });
});

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
    // It was asked in different states, and did not say little to be safe.
    expect(told.size).toBeGreaterThan(1);
    expect(Math.max(...told.keys())).toBe(4);
    expect(Math.min(...told.keys())).toBeGreaterThanOrEqual(2);
  },
);

/**
 * A swarm of real nodes with real bytes that grows and shrinks again: the code follows, and nothing is lost meanwhile.
 */
import { expect, test } from "vitest";
import { type DiskNode, DiskSwarm } from "../../test/sim/contents.ts";
import { isLong, seeds } from "../../test/sim/seeds.ts";
import { SimWorld } from "../../test/sim/world.ts";
import type { ContentRef } from "./types.ts";

const KIB = 1024;
const FEW = 4;
const MANY = isLong ? 64 : 10;
const LEFT = isLong ? 8 : 5;
/** Devices come and go one by one, at this interval. */
const PACE_MS = 30_000;
const SETTLED_MS = 15 * 60_000;
/** Real time, because each of sixty-four nodes has links, maps and a disk. */
const TIMEOUT_MS = 900_000;

test.each(seeds(1, 3))(
  `from ${FEW} devices to ${MANY} and back to ${LEFT}, seed %i`,
  { timeout: TIMEOUT_MS },
  async (seed) => {
    const swarm = new DiskSwarm(new SimWorld({ seed }));
    await swarm.grow(FEW);
    const all: [ContentRef, Uint8Array][] = [];
    for (const size of [20 * KIB, 900 * KIB]) {
      const bytes = swarm.bytes(size);
      all.push([await swarm.put(swarm.node("m1"), bytes), bytes]);
    }
    /** How many devices there were, and how many of them could be spared, whichever they are. */
    const plot: [number, number][] = [];
    const look = async (): Promise<void> => {
      const [node] = swarm.nodes as [DiskNode];
      const stats = await swarm.settle(Promise.all(all.map(([ref]) => node.contents.stat(ref))));
      const survivesAny = Math.min(...stats.map((stat) => stat.survivesAny));
      plot.push([swarm.nodes.length, survivesAny]);
      expect(survivesAny).toBeGreaterThanOrEqual(0);
    };
    while (swarm.nodes.length < MANY) {
      await swarm.grow(1);
      await swarm.world.runFor(PACE_MS);
      await look();
    }
    await swarm.until(all, ({ safety, survivesAny }) => safety === "safe" && survivesAny >= MANY / 2, SETTLED_MS);
    while (swarm.nodes.length > LEFT) {
      for (const name of swarm.halfOf(1)) swarm.crash(name);
      await swarm.world.runFor(PACE_MS);
      await look();
    }
    await swarm.until(all, ({ survivesAny }) => survivesAny >= Math.floor(LEFT / 2), SETTLED_MS);
    console.log(`seed ${seed}: ${plot.map(([devices, any]) => `${any}/${devices}`).join(" ")}`);
    for (const name of swarm.halfOf()) swarm.crash(name);
    await swarm.readsBack(swarm.nodes, all);
  },
);

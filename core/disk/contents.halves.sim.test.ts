/** Forty devices: twin shards, and a random half of them killed at one instant. */
import { expect, test } from "vitest";
import { DiskSwarm } from "../../test/sim/contents.ts";
import { seeds } from "../../test/sim/seeds.ts";
import { SimWorld } from "../../test/sim/world.ts";
import type { ContentRef } from "./types.ts";

const KIB = 1024;

test.each(seeds(1, 5))("twenty of forty are killed, and all reads back, seed %i", async (seed) => {
  const swarm = new DiskSwarm(new SimWorld({ seed }));
  await swarm.grow(40);
  const all: [ContentRef, Uint8Array][] = [];
  for (const size of [5 * KIB, 64 * KIB, 300 * KIB, 3_000 * KIB]) {
    const bytes = swarm.bytes(size);
    const node = swarm.node(`m${all.length * 7}`);
    all.push([await swarm.put(node, bytes), bytes]);
  }
  await swarm.until(all, ({ safety, code }) => safety === "safe" && code?.n === 20 && code.copies === 2, 1_000);
  const content = all.reduce((sum, [, { length }]) => sum + length, 0);
  expect(swarm.storedBytes / content).toBeLessThan(4.6);
  for (const name of swarm.halfOf()) swarm.crash(name);
  await swarm.readsBack(swarm.nodes.slice(0, 4), all);
});

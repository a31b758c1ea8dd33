/** Larger swarms, in both of their codes, and a random half of them killed at one instant. */
import { expect, test } from "vitest";
import { DiskSwarm } from "../../test/sim/contents.ts";
import { seeds } from "../../test/sim/seeds.ts";
import { SimWorld } from "../../test/sim/world.ts";
import type { ContentRef } from "./types.ts";

const KIB = 1024;

const swarms = seeds(1, 5).flatMap((seed) => [
  { seed, devices: 40, code: { k: 11, n: 39, copies: 1, wholes: 1 } },
  { seed, devices: 64, code: { k: 14, n: 32, copies: 2, wholes: 0 } },
]);

test.each(swarms)("half of $devices are killed, and all reads back, seed $seed", async ({ seed, devices, code }) => {
  const swarm = new DiskSwarm(new SimWorld({ seed }));
  await swarm.grow(devices);
  const all: [ContentRef, Uint8Array][] = [];
  for (const size of [5 * KIB, 64 * KIB, 300 * KIB, 3_000 * KIB]) {
    const bytes = swarm.bytes(size);
    const node = swarm.node(`m${all.length * 7}`);
    all.push([await swarm.put(node, bytes), bytes]);
  }
  await swarm.until(all, (stat) => stat.safety === "safe", 1_000);
  for (const [ref] of all) expect((await swarm.settle(swarm.node("m0").contents.stat(ref))).code).toEqual(code);
  const content = all.reduce((sum, [, { length }]) => sum + length, 0);
  expect(swarm.storedBytes / content).toBeLessThan(4.6);
  for (const name of swarm.halfOf()) swarm.crash(name);
  await swarm.readsBack(swarm.nodes.slice(0, 4), all);
});

/** Stories of a swarm that loses halves, grows, and gets its old members back: what was safe is never lost. */
import { expect, test } from "vitest";
import { DiskSwarm } from "../../test/sim/contents.ts";
import { SeededRandom } from "../../test/sim/random.ts";
import { seeds } from "../../test/sim/seeds.ts";
import { SimWorld } from "../../test/sim/world.ts";
import type { ContentRef } from "./types.ts";

const KIB = 1024;
const DEVICES_MAX = 10;
const CHAPTERS = 6;

test.each(seeds(2, 40))("halves die, others come, some come back, seed %i", async (seed) => {
  const random = new SeededRandom(`disk story/${seed}`);
  const upTo = (bound: number): number => Math.floor(random.real() * bound);
  const swarm = new DiskSwarm(new SimWorld({ seed }), { graceMs: 20_000 });
  await swarm.grow(3 + upTo(6));
  const all: [ContentRef, Uint8Array][] = [];
  const away: string[] = [];
  for (let chapter = 0; chapter < CHAPTERS; chapter++) {
    for (let i = 0; i < 3; i++) {
      const bytes = swarm.bytes(5 * KIB + upTo(i === 0 ? 1_500 * KIB : 200 * KIB));
      const node = swarm.nodes[upTo(swarm.nodes.length)];
      if (node !== undefined) all.push([await swarm.put(node, bytes), bytes]);
    }
    for (const name of swarm.halfOf(upTo(1 + swarm.nodes.length / 2))) {
      swarm.crash(name);
      away.push(name);
    }
    await swarm.readsBack(swarm.nodes.slice(0, 2), all);
    while (away.length > 0 && random.real() < 0.5) {
      const name = away.splice(upTo(away.length), 1)[0] ?? "";
      await swarm.settle(swarm.up({ name, kind: "node" }));
    }
    await swarm.grow(upTo(Math.max(1, Math.min(4, DEVICES_MAX - swarm.nodes.length))));
    const half = Math.floor(swarm.nodes.length / 2);
    await swarm.until(all, ({ survivesAny }) => survivesAny >= half, 240_000);
  }
  await swarm.readsBack(swarm.nodes, all);
  expect(all).toHaveLength(3 * CHAPTERS);
});

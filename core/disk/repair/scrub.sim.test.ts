/** The scrubber in virtual time: it finds all damage within a week, gently, and makes way. */
import { describe, expect, it } from "vitest";
import { SeededRandom } from "../../../test/sim/random.ts";
import { seeds } from "../../../test/sim/seeds.ts";
import type { SimNode } from "../../../test/sim/node.ts";
import { SimWorld } from "../../../test/sim/world.ts";
import { SCRUB_BYTES_PER_MS_MAX, SCRUB_PASS_MS, SCRUB_SHARD_MS_MAX, Scrubber } from "./scrub.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

interface Bench {
  readonly world: SimWorld;
  readonly node: SimNode;
  readonly damaged: string[];
}

async function fill(seed: number, count: number, bytes: number): Promise<Bench> {
  const world = new SimWorld({ seed });
  const node = world.spawn({ name: "a", kind: "node" });
  const { shards } = node.ports;
  const damaged: string[] = [];
  shards.onDamaged((id) => damaged.push(id));
  for (let i = 0; i < count; i += 100) {
    const some = Array.from({ length: Math.min(100, count - i) }, (_, j) => `s-${i + j}`);
    await world.settle(Promise.all(some.map((id) => shards.put(id, new Uint8Array(bytes).fill(1)))), {
      withinMs: 60_000,
    });
  }
  return { world, node, damaged };
}

function start(node: SimNode, isBusy: () => boolean = () => false): Scrubber {
  return new Scrubber({ ...node.ports, isBusy });
}

describe("the scrubber", () => {
  it.each(seeds(1, 50))(
    "finds all damage within a week, and tells of nothing that is sound (seed %i)",
    async (seed) => {
      const { world, node, damaged } = await fill(seed, 20_000, 100);
      const random = new SeededRandom(`damage/${seed}`);
      const scrubber = start(node);
      const expected = new Set<string>();
      for (let i = 0; i < 40; i++) expected.add(`s-${Math.floor(random.real() * 20_000)}`);
      for (const [i, id] of [...expected].entries()) {
        if (i % 2 === 0) node.shardDisk.flip(id, random);
        else node.shardDisk.truncate(id, random);
      }
      await world.runFor(SCRUB_PASS_MS / 2);
      // Evenly over the week.
      expect(scrubber.stat().shards / 10_000).toBeGreaterThan(0.95);
      expect(scrubber.stat().shards / 10_000).toBeLessThan(1.05);
      await world.runFor(SCRUB_PASS_MS / 2 + MINUTE_MS);
      expect(damaged.toSorted()).toEqual([...expected].sort());
      expect(scrubber.stat().passes).toBe(1);
      expect(node.ports.shards.usage().damaged).toBe(expected.size);
    },
  );

  it("reads a little within hours, and again what was put meanwhile", async () => {
    const { world, node, damaged } = await fill(1, 100, 100);
    const scrubber = start(node);
    await world.settle(node.ports.shards.put("new", new Uint8Array(10)), { withinMs: 1_000 });
    node.shardDisk.tamper("new", () => undefined);
    await world.runFor(100 * SCRUB_SHARD_MS_MAX + MINUTE_MS);
    expect(scrubber.stat()).toMatchObject({ passes: 1 });
    await world.runFor(102 * SCRUB_SHARD_MS_MAX);
    expect(damaged).toEqual(["new"]);
  });

  it("makes way for the busy, and then catches up without haste", async () => {
    const { world, node } = await fill(1, 50, 200_000);
    let isBusy = true;
    const scrubber = start(node, () => isBusy);
    await world.runFor(HOUR_MS);
    expect(scrubber.stat().shards).toBe(0);
    isBusy = false;
    // Ten minutes' worth are made up for, each after the time that the most bytes a second demand.
    await world.runFor(3_000);
    const { bytes, shards } = scrubber.stat();
    expect(shards).toBeGreaterThanOrEqual(10);
    expect(bytes).toBeLessThanOrEqual(3_000 * SCRUB_BYTES_PER_MS_MAX);
    await world.runFor(10 * SCRUB_SHARD_MS_MAX);
    expect(scrubber.stat().shards).toBeLessThanOrEqual(shards + 10);
  });

  it("waits for shards where there are none, and ends when it is told to, or the store is closed", async () => {
    const { world, node } = await fill(1, 0, 0);
    const one = start(node);
    const other = start(node);
    await world.runFor(HOUR_MS);
    expect(one.stat()).toEqual({ shards: 0, bytes: 0, passes: 0 });
    await world.settle(node.ports.shards.put("a", new Uint8Array(10)), { withinMs: 1_000 });
    await world.runFor(3 * MINUTE_MS);
    expect(one.stat().shards).toBeGreaterThan(0);
    await world.settle(Promise.resolve(one[Symbol.asyncDispose]()), { withinMs: 1_000 });
    await world.settle(Promise.resolve(node.ports.shards[Symbol.asyncDispose]()), { withinMs: 1_000 });
    const before = world.scheduler.events;
    await world.runFor(HOUR_MS);
    expect(world.scheduler.events - before).toBeLessThan(10);
    await world.settle(Promise.resolve(other[Symbol.asyncDispose]()), { withinMs: 1_000 });
  });
});

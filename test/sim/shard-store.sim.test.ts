/** Shards in virtual time: what a crash leaves of puts that were under way, and faults that tests put in. */
import { expect, it } from "vitest";
import type { ShardStore } from "../../core/ports/shard-store.ts";
import { SeededRandom } from "./random.ts";
import { seeds } from "./seeds.ts";
import { SimWorld } from "./world.ts";

const IDS = 12;
const bytesOf = (i: number): Uint8Array => new Uint8Array(1000 + i).fill(i);

it.each(seeds(6, 300))(
  "keeps over crashes what was durable, and of the rest all or nothing (seed %i)",
  async (seed) => {
    const world = new SimWorld({ seed });
    const node = world.spawn({ name: "a", kind: "node" });
    const random = new SeededRandom(`crash/${seed}`);
    const durable = new Map<number, number>();
    const tried = new Map<number, number>();
    let next = 0;
    const putAll = async (shards: ShardStore): Promise<void> => {
      for (;;) {
        const i = next++;
        tried.set(i % IDS, i);
        await shards.put(`s-${i % IDS}`, bytesOf(i));
        durable.set(i % IDS, i);
      }
    };
    for (let life = 0; life < 10; life++) {
      for (let writer = 0; writer < 5; writer++) void putAll(node.ports.shards);
      await world.runFor(random.real() * 20);
      world.crash(node);
      const { shards } = world.restart(node).ports;
      for (const { id, bytes } of shards.ids()) {
        const slot = Number(id.slice(2));
        const i = bytes - 1000;
        expect([durable.get(slot), tried.get(slot)]).toContain(i);
        expect(await world.settle(shards.get(id), { withinMs: 1000 })).toEqual(bytesOf(i));
        durable.set(slot, i);
      }
      expect([...durable.keys()].every((slot) => shards.has(`s-${slot}`))).toBe(true);
      expect(node.shardDisk.frames.size).toBe(durable.size);
    }
    expect(durable.size).toBe(IDS);
  },
);

it("takes injected faults: flipped, truncated, full", async () => {
  const world = new SimWorld({ seed: 1 });
  await using _driver = world.drive();
  const node = world.spawn({ name: "a", kind: "node" });
  const random = new SeededRandom("1");
  const { shards } = node.ports;
  for (const id of ["flip", "cut", "sound"]) await shards.put(id, bytesOf(1));
  node.shardDisk.flip("flip", random);
  node.shardDisk.truncate("cut", random);
  node.shardDisk.roomBytes = 2000;
  expect(await shards.get("flip")).toBeUndefined();
  expect(await shards.get("cut")).toBeUndefined();
  await expect(shards.put("more", bytesOf(1))).rejects.toMatchObject({ code: "full" });
  expect(await shards.get("sound")).toEqual(bytesOf(1));
  expect(shards.usage().damaged).toBe(2);
});

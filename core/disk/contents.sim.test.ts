/** Contents on simulated nodes: what is put is read back, whatever half is left. */
import { describe, expect, test } from "vitest";
import { chunksOf, type DiskNode, DiskSwarm, type DiskSwarmOptions } from "../../test/sim/contents.ts";
import { seeds } from "../../test/sim/seeds.ts";
import { SimWorld } from "../../test/sim/world.ts";
import { equal } from "../base/bytes.ts";
import { holdersWanted, layoutFor } from "./code/layout.ts";
import type { ContentRef } from "./types.ts";

const KIB = 1024;

async function swarmOf(count: number, seed: number, options: DiskSwarmOptions = {}): Promise<DiskSwarm> {
  const swarm = new DiskSwarm(new SimWorld({ seed }), options);
  await swarm.grow(count);
  return swarm;
}

test("every node knows what each offers and has free, and hears at once of another offer", async () => {
  const swarm = await swarmOf(3, 5);
  const offered = (of: string, by: string): number | undefined => {
    const peer = swarm.node(by).net.self;
    return swarm
      .node(of)
      .contents.offers()
      .find((offer) => offer.peer === peer)?.offeredBytes;
  };
  await swarm.world.runUntil(() => offered("m0", "m1") !== undefined, { withinMs: 5_000 });
  swarm.node("m1").contents.offer(5_000_000);
  expect(offered("m1", "m1")).toBe(5_000_000);
  await swarm.world.runUntil(() => offered("m0", "m1") === 5_000_000, { withinMs: 2_000 });
  // It becomes full on the way; either of the two others is enough.
  await swarm.put(swarm.node("m0"), swarm.bytes(9_000_000));
  expect(swarm.node("m1").contents.use().usedBytes).toBeLessThanOrEqual(5_000_000);
});

test("who offers nothing keeps what it puts itself while nobody else does, and nothing of others", async () => {
  const swarm = await swarmOf(1, 6);
  const alone = swarm.node("m0");
  alone.contents.offer(0, 10_000_000);
  const [small, large] = [swarm.bytes(20 * KIB), swarm.bytes(700 * KIB)];
  const all: [ContentRef, Uint8Array][] = [];
  for (const bytes of [small, large]) all.push([await swarm.put(alone, bytes), bytes]);
  for (const [ref] of all) {
    expect(await swarm.settle(alone.contents.stat(ref))).toMatchObject({ safety: "here", survivesAny: 0 });
  }
  await swarm.readsBack([alone], all);
  const usedBytes = (): number => alone.contents.use().usedBytes;
  const own = usedBytes();
  await swarm.grow(2);
  await swarm.until(all, ({ safety }) => safety === "safe", 60_000);
  const theirs = swarm.bytes(300 * KIB);
  all.push([await swarm.put(swarm.node("m1"), theirs), theirs]);
  expect(usedBytes()).toBe(own);
  expect(alone.contents.use().offeredBytes).toBe(0);
  // With an offer it is a holder like any other.
  alone.contents.offer(10_000_000, 10_000_000);
  const isHeard = (): boolean =>
    swarm
      .node("m1")
      .contents.offers()
      .some(({ peer, offeredBytes }) => peer === alone.net.self && offeredBytes === 10_000_000);
  await swarm.world.runUntil(isHeard, { withinMs: 60_000, what: "the offer is heard" });
  const more = swarm.bytes(200 * KIB);
  all.push([await swarm.put(swarm.node("m1"), more), more]);
  expect(usedBytes()).toBeGreaterThan(own);
  await swarm.readsBack(swarm.nodes, all);
});

describe("content", () => {
  for (const count of [1, 2, 3, 5, 8]) {
    test.each(seeds(1, 5))(`on ${count} nodes reads back after any half is gone, seed %i`, async (seed) => {
      const swarm = await swarmOf(count, seed);
      const all: [ContentRef, Uint8Array][] = [];
      for (const size of [5 * KIB, 100 * KIB, 256 * KIB, 256 * KIB + 1, 1300 * KIB]) {
        const bytes = swarm.bytes(size);
        all.push([await swarm.put(swarm.node(`m${all.length % count}`), bytes), bytes]);
      }
      await swarm.readsBack(swarm.nodes, all);
      const [first] = all;
      const stat = first && (await swarm.settle(swarm.node("m0").contents.stat(first[0])));
      expect(stat?.safety).toBe(count === 1 ? "here" : "safe");
      expect(stat?.shardHolders.map((shards) => new Set(shards.flat()).size)).toEqual([
        holdersWanted(layoutFor(count)),
      ]);
      const content = all.reduce((sum, [, { length }]) => sum + length, 0);
      expect(swarm.storedBytes / content).toBeLessThan(4.6);
      for (const name of swarm.halfOf()) swarm.crash(name);
      await swarm.readsBack(swarm.nodes, all);
    });
  }

  test("is read from those who are there as long as others are only suspected to be gone", async () => {
    const swarm = await swarmOf(8, 4);
    const [reader, other] = swarm.nodes.slice(-2) as [DiskNode, DiskNode];
    const bytes = swarm.bytes(1300 * KIB);
    const ref = await swarm.put(other, bytes);
    const { clock } = reader.machine.ports;
    const read = async (): Promise<number> => {
      const fromMs = clock.monotonic();
      expect(equal(await swarm.read(reader, ref), bytes)).toBe(true);
      return clock.monotonic() - fromMs;
    };
    const beforeMs = await read();
    const crashed = swarm.nodes.slice(0, -2);
    for (const { machine } of crashed) swarm.crash(machine.machine.name);
    const isSuspected = ({ net }: DiskNode): boolean => reader.net.member(net.self)?.status === "suspect";
    await swarm.world.runUntil(() => crashed.every(isSuspected), { withinMs: 20_000 });
    // A dial to somebody who is gone takes seconds.
    expect(await read()).toBeLessThan(beforeMs + 200);
  });

  test("shows which shards are missing, stripe by stripe", async () => {
    const swarm = await swarmOf(6, 3);
    const ref = await swarm.put(swarm.node("m0"), swarm.bytes(1300 * KIB));
    const holders = async (): Promise<number[]> => {
      const stat = await swarm.settle(swarm.node("m0").contents.stat(ref));
      expect([stat.stripes, stat.code]).toEqual([3, { k: 2, n: 5, copies: 1, wholes: 1 }]);
      return stat.shardHolders.map((shards) => shards.filter(({ length }) => length === 1).length);
    };
    expect(await holders()).toEqual([6, 6, 6]);
    swarm.crash("m3");
    await swarm.world.runUntil(() => swarm.node("m0").contents.offers().length === 5, { withinMs: 60_000 });
    expect(await holders()).toEqual([5, 5, 5]);
  });

  test.each(seeds(2, 50))("put by a newcomer is safe only when the others hold it too, seed %i", async (seed) => {
    const swarm = await swarmOf(3, seed);
    const bytes = swarm.bytes(600 * KIB);
    const late = await swarm.settle(swarm.up({ name: "late", kind: "tab" }));
    await swarm.world.runUntil(() => late.net.isTimeKnown(), { withinMs: 10_000, everyMs: 1 });
    // It has not heard yet what they offer.
    expect(late.contents.offers()).toHaveLength(1);
    const { ref, safe } = await swarm.settle(late.contents.put(chunksOf(bytes), {}));
    await swarm.settle(safe);
    const stat = await swarm.settle(late.contents.stat(ref));
    expect([stat.safety, stat.survivesAny >= 2]).toEqual(["safe", true]);
    swarm.crash("late");
    swarm.crash("m1");
    await swarm.readsBack(swarm.nodes, [[ref, bytes]]);
  });

  test("is not called safe where half of a grown swarm may take it", async () => {
    const swarm = await swarmOf(1, 9);
    const ref = await swarm.put(swarm.node("m0"), swarm.bytes(600 * KIB));
    const safety = async (): Promise<string> => (await swarm.settle(swarm.node("m0").contents.stat(ref))).safety;
    expect(await safety()).toBe("here");
    await swarm.grow(3);
    expect(await safety()).toBe("placing");
    await swarm.world.runFor(120_000);
    expect(await safety()).toBe("safe");
  });

  test("goes the same way, event for event, from the same seed", async () => {
    const run = async (): Promise<string> => {
      const swarm = await swarmOf(4, 77);
      const bytes = swarm.bytes(900 * KIB);
      const ref = await swarm.put(swarm.node("m1"), bytes);
      swarm.crash("m2");
      await swarm.readsBack(swarm.nodes, [[ref, bytes]]);
      await swarm.world.runFor(60_000);
      return swarm.world.traceHash();
    };
    expect(await run()).toBe(await run());
  });
});

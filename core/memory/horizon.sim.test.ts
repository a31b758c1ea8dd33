/**
 * Nodes and halves that were away for longer than deletions are remembered: what was deleted meanwhile does not come
 * back, what was written meanwhile is kept, and nothing newer is overwritten. With a horizon of a minute instead of a
 * month.
 */
import { describe, expect, test } from "vitest";
import { MapSwarm } from "../../test/sim/maps.ts";
import { seeds } from "../../test/sim/seeds.ts";
import { SimWorld } from "../../test/sim/world.ts";

const HORIZON_MS = 60_000;
/** Time for everybody to reconcile with everybody; after it, it is known what all have had. */
const QUIET_MS = 90_000;

async function swarmOf(seed: number, count: number): Promise<MapSwarm> {
  const swarm = new MapSwarm(new SimWorld({ seed }), { horizonMs: HORIZON_MS, isKept: true });
  await swarm.found(count);
  return swarm;
}

describe("after a separation longer than the horizon", () => {
  test.each(seeds(2, 100))("two halves become one, and no deletion is undone (seed %i)", async (seed) => {
    const swarm = await swarmOf(seed, 8);
    const { random } = swarm.world;
    const expected = new Map<string, number | undefined>();
    for (let i = 0; i < 200; i++) {
      swarm.nodes[i % 8]?.map.set(`k${i}`, i);
      expected.set(`k${i}`, i);
    }
    await swarm.world.runFor(QUIET_MS);
    swarm.world.partition([["m0", "m1", "m2", "m3"]]);
    await swarm.world.runFor(30_000);
    // Each key is touched on one side at the most, so that it is plain what has to become of it.
    for (let i = 0; i < 200; i++) {
      const { map } = swarm.node(`m${Math.floor(random.real() * 8)}`);
      const fate = random.real();
      if (fate < 0.3) {
        map.delete(`k${i}`);
        expected.set(`k${i}`, undefined);
      } else if (fate < 0.5) {
        map.set(`k${i}`, 1_000 + i);
        expected.set(`k${i}`, 1_000 + i);
      } else if (fate < 0.6) {
        map.set(`new${i}`, i);
        expected.set(`new${i}`, i);
      }
    }
    await swarm.world.runFor(3 * HORIZON_MS);
    expect(swarm.nodes.every(({ map }) => map.stat().tombstones === 0)).toBe(true);
    swarm.world.heal();
    await swarm.equal(60_000);
    await swarm.world.runFor(QUIET_MS);
    expect(swarm.difference()).toBeUndefined();
    for (const { map } of swarm.nodes) {
      for (const [key, value] of expected) expect([key, map.get(key)]).toEqual([key, value]);
      expect(map.stat().unionedOld).toBe(0);
    }
  });

  test.each(seeds(2, 50))(
    "a node that was switched off brings nothing back, and its own last words count (seed %i)",
    async (seed) => {
      const swarm = await swarmOf(seed, 5);
      for (let i = 0; i < 40; i++) swarm.node("m1").map.set(`k${i}`, i);
      await swarm.world.runFor(QUIET_MS);
      swarm.world.partition([["m4"]]);
      await swarm.world.runFor(20_000);
      swarm.node("m4").map.set("last words", "of m4");
      swarm.node("m4").map.set("k7", "changed by m4");
      await swarm.settle(swarm.node("m4").map.sync());
      swarm.crash("m4");
      for (let i = 0; i < 20; i++) swarm.node("m2").map.delete(`k${i * 2}`);
      swarm.node("m2").map.set("k9", "changed by m2");
      await swarm.world.runFor(3 * HORIZON_MS);
      swarm.world.heal();
      const { map } = await swarm.start({ name: "m4", kind: "node" });
      await swarm.equal(60_000);
      expect(map.count("k")).toBe(20);
      for (const node of swarm.nodes) {
        expect([node.map.get("last words"), node.map.get("k7"), node.map.get("k9"), node.map.get("k8")]).toEqual([
          "of m4",
          "changed by m4",
          "changed by m2",
          undefined,
        ]);
      }
    },
  );

  test("a newcomer who never knew the others' past spreads nothing that they have deleted", async () => {
    const swarm = await swarmOf(5, 6);
    for (let i = 0; i < 20; i++) swarm.node("m0").map.set(`k${i}`, i);
    await swarm.world.runFor(QUIET_MS);
    const left = ["m0", "m1", "m2", "late"];
    swarm.world.partition([left.slice(0, 3)]);
    await swarm.world.runFor(30_000);
    for (let i = 0; i < 10; i++) swarm.node("m4").map.delete(`k${i}`);
    await swarm.start({ name: "late", kind: "node" });
    swarm.world.partition([left]);
    await swarm.world.runUntil(() => swarm.node("late").map.count() === 20, { withinMs: 30_000 });
    await swarm.world.runFor(3 * HORIZON_MS);
    swarm.world.heal();
    await swarm.equal(60_000);
    expect(swarm.node("late").map.count()).toBe(10);
  });

  test("two swarms' worth of unknown past are put together, and that is said", async () => {
    const swarm = await swarmOf(6, 2);
    swarm.node("m0").map.set("old", 1);
    await swarm.world.runFor(QUIET_MS);
    await swarm.start({ name: "stranger", kind: "node" });
    swarm.world.partition([["stranger"]]);
    // Nobody tells it the time, so after a while its own is the time.
    await swarm.world.runFor(15_000);
    swarm.node("stranger").map.set("mine", 2);
    await swarm.world.runFor(3 * HORIZON_MS);
    swarm.world.heal();
    await swarm.equal(60_000);
    for (const { map } of swarm.nodes) expect([map.get("old"), map.get("mine")]).toEqual([1, 2]);
  });
});

describe("expiry under skewed clocks", () => {
  test.each(seeds(2, 50))("makes no two nodes differ for ever (seed %i)", async (seed) => {
    const swarm = new MapSwarm(new SimWorld({ seed }), { horizonMs: 20_000 });
    const { random } = swarm.world;
    await swarm.found(6, () => ({ skewMs: (random.real() - 0.5) * 60_000 }));
    await swarm.world.runFor(10_000);
    for (let round = 0; round < 30; round++) {
      const { map } = swarm.node(`m${Math.floor(random.real() * 6)}`);
      for (let i = 0; i < 20; i++) map.set(`k${round}-${i}`, i, { expiresInMs: 200 + random.real() * 20_000 });
      if (round % 7 === 3) swarm.world.partition([["m0", "m1"]]);
      if (round % 7 === 5) swarm.world.heal();
      await swarm.world.runFor(2_000);
    }
    swarm.world.heal();
    await swarm.world.runFor(25_000);
    await swarm.equal(20_000);
    await swarm.world.runFor(60_000);
    for (const { map } of swarm.nodes) expect(map.stat()).toMatchObject({ entries: 0, tombstones: 0 });
    const before = swarm.nodes.map(({ map }) => map.stat().reconciliations.divergent);
    await swarm.world.runFor(60_000);
    expect(swarm.nodes.map(({ map }) => map.stat().reconciliations.divergent)).toEqual(before);
  });
});

/** Replicated maps on simulated nodes: writes spread, gaps heal, halves meet, what is kept survives. */
import { describe, expect, test } from "vitest";
import { MapSwarm } from "../../test/sim/maps.ts";
import { SimWorld } from "../../test/sim/world.ts";
import { isStarfishError } from "../base/errors.ts";
import type { MapChange } from "./types.ts";

async function swarmOf(
  count: number,
  seed: number,
  options: ConstructorParameters<typeof MapSwarm>[1] = {},
): Promise<MapSwarm> {
  const swarm = new MapSwarm(new SimWorld({ seed }), options);
  await swarm.found(count);
  return swarm;
}

describe("a map", () => {
  test("alone is a map", async () => {
    const swarm = await swarmOf(1, 1);
    const { map } = swarm.node("m0");
    map.set("a", { list: [1, "two", null], bytes: Uint8Array.of(1, 2) });
    expect(map.get("a")).toEqual({ list: [1, "two", null], bytes: Uint8Array.of(1, 2) });
    map.batch([
      { key: "b/1", value: 1 },
      { key: "b/2", value: 2 },
      { key: "a", deleted: true },
    ]);
    expect([...map.entries("b/")].map(({ key, value }) => [key, value])).toEqual([
      ["b/1", 1],
      ["b/2", 2],
    ]);
    expect(map.get("a")).toBeUndefined();
    expect(map.delete("b/1")).toEqual(expect.objectContaining({ stamp: expect.any(Number) }));
    expect([map.delete("b/1"), map.count()]).toEqual([undefined, 1]);
    await swarm.settle(map.sync());
  });

  test("spreads a write to all at once, and tells watchers", async () => {
    const swarm = await swarmOf(10, 2);
    const seen = new Map<string, MapChange[]>();
    for (const { machine, map } of swarm.nodes) {
      const changes: MapChange[] = [];
      seen.set(machine.name, changes);
      map.watch("k", (change) => changes.push(change));
    }
    swarm.node("m3").map.set("key", "value");
    swarm.node("m3").map.set("other", "unwatched");
    const ms = await swarm.equal(2_000);
    expect(ms).toBeLessThan(500);
    for (const [name, changes] of seen) {
      expect(changes.map(({ key, entry, isLocal }) => [key, entry?.value, isLocal])).toEqual([
        ["key", "value", name === "m3"],
      ]);
    }
  });

  test("refuses what it can't keep, and then has changed nothing", async () => {
    const swarm = await swarmOf(1, 3, { bytesMax: 100_000 });
    const { map } = swarm.node("m0");
    const code = (work: () => unknown): string => {
      try {
        work();
      } catch (error) {
        return isStarfishError(error) ? error.code : "another error";
      }
      return "none";
    };
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    expect(code(() => map.set("x".repeat(1_025), 1))).toBe("too-large");
    expect(code(() => map.set("é".repeat(513), 1))).toBe("too-large");
    expect(code(() => map.set("é".repeat(512), 1))).toBe("none");
    expect(code(() => map.set("\ud800", 1))).toBe("malformed");
    expect(code(() => map.set("v", new Uint8Array(65_536)))).toBe("too-large");
    expect(code(() => map.set("v", undefined))).toBe("malformed");
    expect(code(() => map.set("v", () => 1))).toBe("malformed");
    expect(code(() => map.set("v", cyclic))).toBe("malformed");
    expect(code(() => map.set("v", 1, { expiresInMs: -1 }))).toBe("malformed");
    expect(code(() => map.set("big", new Uint8Array(60_000)))).toBe("none");
    expect(code(() => map.set("big2", new Uint8Array(60_000)))).toBe("full");
    expect(
      code(() =>
        map.batch([
          { key: "fine", value: 1 },
          { key: "big2", value: new Uint8Array(60_000) },
        ]),
      ),
    ).toBe("full");
    expect(map.get("fine")).toBeUndefined();
    expect(code(() => map.set("big", new Uint8Array(60_001)))).toBe("none");
    expect(map.count()).toBe(2);
  });

  test("lets entries expire everywhere without a message", async () => {
    const swarm = await swarmOf(4, 4);
    swarm.node("m0").map.set("soon", 1, { expiresInMs: 5_000 });
    swarm.node("m0").map.set("later", 2, { expiresInMs: 3_600_000 });
    const gone: string[] = [];
    swarm.node("m2").map.watch("", ({ key, entry }) => void (entry === undefined && gone.push(key)));
    await swarm.equal(2_000);
    expect(swarm.node("m3").map.get("soon")).toBe(1);
    await swarm.world.runFor(7_000);
    for (const { map } of swarm.nodes) expect([map.get("soon"), map.get("later")]).toEqual([undefined, 2]);
    expect(gone).toEqual(["soon"]);
    expect(swarm.node("m1").map.stat()).toMatchObject({ entries: 1, tombstones: 1 });
  });
});

describe("what gossip misses", () => {
  test("a newcomer gets whole, however much it is", async () => {
    const swarm = await swarmOf(2, 5);
    const { map } = swarm.node("m0");
    for (let i = 0; i < 20_000; i++) map.set(`item/${i}`, { i, text: "some text that makes it longer" });
    await swarm.equal(20_000);
    const late = await swarm.start({ name: "late", kind: "tab" });
    const ms = await swarm.equal(10_000);
    expect(ms).toBeLessThan(5_000);
    expect(late.map.count()).toBe(20_000);
    await swarm.world.runUntil(() => late.map.stat().reconciliations.entriesReceived === 20_000, { withinMs: 2_000 });
  });

  test("is found after a cut; of two writes the later one is kept on both sides", async () => {
    const swarm = await swarmOf(8, 6);
    for (const { map, machine } of swarm.nodes) map.set(`before/${machine.name}`, 1);
    await swarm.equal(3_000);
    const left = new Set(["m0", "m1", "m2", "m3"]);
    swarm.world.partition([[...left]]);
    await swarm.world.runFor(30_000);
    for (const { map, machine } of swarm.nodes) {
      map.set("same", machine.name);
      map.set(`of/${machine.name}`, 2);
    }
    swarm.node("m0").map.delete("before/m7");
    swarm.node("m7").map.delete("before/m0");
    await swarm.world.runFor(1_000);
    swarm.node("m5").map.set("same", "the last");
    await swarm.world.runFor(5_000);
    const sides = [swarm.nodes.filter(({ machine }) => left.has(machine.name)), swarm.nodes.slice(4)];
    for (const side of sides) expect(swarm.difference(side)).toBeUndefined();
    expect(swarm.difference()).toBeDefined();
    swarm.world.heal();
    await swarm.equal(15_000);
    const { map } = swarm.node("m2");
    expect([map.get("same"), map.count("of/"), map.count("before/")]).toEqual(["the last", 8, 6]);
  });

  test("is looked for as often after many sessions at once as after one", async () => {
    const swarm = await swarmOf(12, 7);
    const { nodes, world } = swarm;
    const machines = nodes.map(({ machine }) => machine);
    world.partition([machines.slice(0, 6), machines.slice(6)]);
    for (const half of [0, 6]) for (let i = 0; i < 100; i++) nodes[half]?.map.set(`${half}/${i}`, i);
    await world.runFor(30_000);
    world.heal();
    await swarm.equal(60_000);
    await world.runFor(2_000);
    const complete = (): number[] => nodes.map(({ map }) => map.stat().reconciliations.complete);
    const before = complete();
    await world.runFor(15_000);
    // One that a node begins and one that it is asked for, at least.
    for (const [i, count] of complete().entries()) expect(count - (before[i] ?? 0)).toBeGreaterThanOrEqual(2);
  });

  test("when a session breaks off half-way, is brought by the next", async () => {
    const swarm = await swarmOf(2, 7);
    const { map } = swarm.node("m0");
    swarm.world.partition([["m0"]]);
    await swarm.world.runFor(40_000);
    for (let i = 0; i < 50_000; i++) map.set(`item/${i}`, "x".repeat(50));
    swarm.world.heal();
    await swarm.world.runUntil(() => swarm.node("m1").map.count() > 1_000, { withinMs: 60_000 });
    expect(swarm.node("m1").map.count()).toBeLessThan(50_000);
    swarm.world.partition([["m0"]]);
    await swarm.world.runFor(40_000);
    const had = swarm.node("m1").map.count();
    expect(had).toBeGreaterThan(1_000);
    swarm.world.heal();
    await swarm.equal(60_000);
    expect(swarm.node("m1").map.stat().reconciliations.brokenOff).toBeGreaterThan(0);
  });
});

describe("sync", () => {
  test("resolves when more than half hold it, and what it acknowledged outlives the writer", async () => {
    const swarm = await swarmOf(5, 8);
    const { map } = swarm.node("m0");
    map.set("kept", "safe");
    await swarm.settle(map.sync());
    expect(swarm.nodes.filter((node) => node.map.get("kept") === "safe").length).toBeGreaterThanOrEqual(3);
    swarm.crash("m0");
    await swarm.equal(5_000);
    expect(swarm.node("m4").map.get("kept")).toBe("safe");
  });

  test("tells when the others can't be reached, and the write stays", async () => {
    const swarm = await swarmOf(4, 9);
    swarm.world.partition([["m0"]]);
    const { map } = swarm.node("m0");
    map.set("lonely", 1);
    const failure = await swarm.failure(map.sync({ timeoutMs: 2_000 }));
    expect(failure).toMatchObject({ code: "timeout", retryable: true });
    swarm.world.heal();
    await swarm.equal(15_000);
    await swarm.settle(map.sync());
    expect(swarm.node("m2").map.get("lonely")).toBe(1);
  });

  test("of much at once pushes what gossip could not carry", async () => {
    const swarm = await swarmOf(3, 10);
    const { map } = swarm.node("m1");
    for (let i = 0; i < 3_000; i++) map.set(`big/${i}`, "y".repeat(1_000));
    await swarm.settle(map.sync({ timeoutMs: 60_000 }), 60_000);
    const holders = swarm.nodes.filter((node) => node.map.count() === 3_000);
    expect(holders.length).toBeGreaterThanOrEqual(2);
  });
});

describe("a kept map", () => {
  test("has after a crash at any moment all that was acknowledged, and goes on", async () => {
    for (let seed = 20; seed < 28; seed++) {
      const swarm = await swarmOf(1, seed, { isKept: true });
      const node = swarm.node("m0");
      let acknowledged = -1;
      const writing = (async () => {
        for (let i = 0; i < 1_000; i++) {
          node.map.set(`n/${i % 300}`, i);
          if (i % 7 !== 0) continue;
          await node.map.sync();
          acknowledged = i;
        }
      })();
      writing.catch(() => {});
      await swarm.world.runFor(50 + swarm.world.random.real() * 400);
      expect(acknowledged).toBeGreaterThan(0);
      swarm.crash("m0");
      const again = await swarm.start({ name: "m0", kind: "node" });
      for (let i = Math.max(0, acknowledged - 299); i <= acknowledged; i++) {
        expect(again.map.get(`n/${i % 300}`)).toBeGreaterThanOrEqual(i);
      }
      const version = again.map.set("n/0", "newer");
      expect(again.map.entry("n/0")?.version).toEqual(version);
    }
  });

  test("is written anew from time to time, so that its segments stay few", async () => {
    const swarm = await swarmOf(1, 30, { isKept: true });
    const { map, machine } = swarm.node("m0");
    for (let i = 0; i < 400; i++) {
      for (let j = 0; j < 20; j++) map.set(`n/${(i * 7 + j) % 500}`, i);
      await swarm.settle(map.sync());
    }
    const segments = await swarm.settle(machine.ports.store.keys("memory/"));
    expect(segments.length).toBeLessThan(140);
    const before = [...map.entries()];
    swarm.crash("m0");
    const again = await swarm.start({ name: "m0", kind: "node" });
    expect([...again.map.entries()]).toEqual(before);
  });
});

/** What happens when everybody writes: how soon writes are on other nodes, at what cost, and how soon after a cut. */
import { describe, expect, test } from "vitest";
import { messages, quantile, type Spread, writeFromMany } from "../../test/sim/many-writers.ts";
import { MapSwarm } from "../../test/sim/maps.ts";
import { seeds } from "../../test/sim/seeds.ts";
import { SimWorld } from "../../test/sim/world.ts";

const SIZE = 25;
const FOR_MS = process.env["LONG"] === undefined ? 20_000 : 60_000;

async function swarmOf(seed: number): Promise<MapSwarm> {
  const swarm = new MapSwarm(new SimWorld({ seed }));
  await swarm.found(SIZE);
  await swarm.world.runFor(20_000);
  return swarm;
}

function expectSoonAndCheap({ writes, each, all, gossip, reconciling }: Spread): void {
  expect(all.length).toBe(writes);
  expect(quantile(each, 0.5)).toBeLessThan(150);
  expect(quantile(each, 0.95)).toBeLessThan(400);
  expect(quantile(all, 0.5)).toBeLessThan(250);
  expect(gossip).toBeLessThanOrEqual(30);
  expect(reconciling).toBeGreaterThan(0);
}

describe("with 25 writers", () => {
  test.each(seeds(1, 20))("a write is soon on all nodes, in few messages (seed %i)", async (seed) => {
    for (const writesPerSecond of [5, 50]) {
      const swarm = await swarmOf(seed);
      expectSoonAndCheap(await writeFromMany(swarm, { writers: SIZE, writesPerSecond, forMs: FOR_MS }));
    }
  });
});

describe("after a cut of 10 s", () => {
  test.each(seeds(1, 20))("what was written meanwhile is soon on the other side (seed %i)", async (seed) => {
    const swarm = await swarmOf(seed);
    const { world, nodes } = swarm;
    const left = new Set(nodes.flatMap(({ machine }, i) => (i % 2 === 0 ? [machine.name] : [])));
    const sides = new Map<string, boolean>();
    const crossedMs: number[] = [];
    let healedMs = Infinity;
    for (const { machine, map } of nodes) {
      map.watch("w/", ({ key }) => {
        if (sides.get(key) !== left.has(machine.name)) crossedMs.push(world.nowMs - healedMs);
      });
    }
    const random = world.random.fork("writers");
    world.partition([[...left]]);
    const endMs = world.nowMs + 10_000;
    while (world.nowMs < endMs) {
      const node = nodes[Math.floor(random.real() * SIZE)];
      const key = `w/${sides.size}`;
      sides.set(key, left.has(node?.machine.name ?? ""));
      node?.map.set(key, 1);
      await world.runFor(-200 * Math.log(1 - random.real()));
    }
    healedMs = world.nowMs;
    world.heal();
    await swarm.equal(10_000);
    const onLeft = [...sides.values()].filter((isLeft) => isLeft).length;
    expect(crossedMs.length).toBe(onLeft * 12 + (sides.size - onLeft) * 13);
    expect(Math.min(...crossedMs)).toBeGreaterThan(0);
    expect(quantile(crossedMs, 0.5)).toBeLessThan(1_500);
  });
});

describe("sync at 25 members", () => {
  test.each(seeds(1, 20))("costs at most 40 messages, and makes no links (seed %i)", async (seed) => {
    const swarm = await swarmOf(seed);
    const { world, nodes } = swarm;
    const tookMs: number[] = [];
    const before = messages(nodes);
    let links = 0;
    for (const [i, { map, net }] of nodes.entries()) {
      map.set(`key/${i}`, i);
      const linked = new Set(net.links().map(({ peer }) => peer));
      const beganMs = world.nowMs;
      await swarm.settle(map.sync());
      tookMs.push(world.nowMs - beganMs);
      if (net.links().some(({ peer }) => !linked.has(peer))) links++;
      expect(nodes.filter((node) => node.map.get(`key/${i}`) === i).length).toBeGreaterThan(SIZE / 2);
    }
    const asked = (messages(nodes).acks - before.acks) / SIZE;
    // Twelve others have to say yes, so a smaller count would be wrong.
    expect(asked).toBeGreaterThanOrEqual(24);
    expect(asked).toBeLessThanOrEqual(40);
    expect(links).toBeLessThanOrEqual(2);
    expect(quantile(tookMs, 0.5)).toBeLessThan(400);
  });

  // It needs 13 of the 14 that are left, while nobody knows yet who they are. The others count as gone only after 7 s.
  test.each(seeds(1, 20))("does not wait for members that were cut off a moment ago (seed %i)", async (seed) => {
    const swarm = await swarmOf(seed);
    const { world, nodes } = swarm;
    world.partition([nodes.slice(0, 11).map(({ machine }) => machine.name)]);
    for (const { map, machine } of nodes.slice(-3)) {
      const beganMs = world.nowMs;
      map.set(`key/${machine.name}`, 1);
      await swarm.settle(map.sync());
      expect(world.nowMs - beganMs).toBeLessThan(5_000);
    }
  });
});

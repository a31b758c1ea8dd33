/** Common time in whole swarms: clocks that are wrong or jump, losses, churn, cuts, and swarms that meet. */
import { describe, expect, test } from "vitest";
import { Churn } from "../../../test/sim/churn.ts";
import { Crowd, type CrowdNode } from "../../../test/sim/crowd.ts";
import { Swarm } from "../../../test/sim/nets.ts";
import { isLong, seeds } from "../../../test/sim/seeds.ts";
import { SimWorld } from "../../../test/sim/world.ts";

const HOUR_MS = 3_600_000;
/** Wrong, but near enough that common time may make up for it. */
const FAR_MS = 4 * 60_000;
/** Parts above rely on 5 s. Most of it is round trips that losses made long. */
const SPREAD_MS_MAX = 1_500;
/** A node counts when it has been linked for so long. */
const JOINED_MS = 3_000;
const LOOK_MS = 250;
/** Of swarms that are cut in halves. */
const HALVED_SIZE = isLong ? 40 : 20;

/** By how much the times of these are apart, ms. */
function spread(nodes: readonly CrowdNode[]): number {
  const times = nodes.map(({ time }) => time.now());
  return times.length === 0 ? 0 : Math.max(...times) - Math.min(...times);
}

/** By then a newcomer has been told the time, or knows that its links are silent and nobody will. */
const KNOWS_MS = 12_000;

/** Looks several times a second how far apart the times of those are that have been linked for a while. */
class TimeChecker {
  readonly #crowd: Crowd;
  readonly #sinceMs = new Map<CrowdNode, number>();
  worstMs = 0;
  looks = 0;
  readonly troubles: string[] = [];
  /** Whether troubles are forgiven now. */
  isPatient = false;

  constructor(crowd: Crowd) {
    this.#crowd = crowd;
    this.#look();
  }

  #look(): void {
    const { world, nodes } = this.#crowd;
    const joined: CrowdNode[] = [];
    for (const node of nodes) {
      if (node.links.all().length === 0) this.#sinceMs.delete(node);
      const sinceMs = this.#sinceMs.get(node) ?? world.nowMs;
      if (node.links.all().length > 0) this.#sinceMs.set(node, sinceMs);
      if (world.nowMs - sinceMs < JOINED_MS) continue;
      joined.push(node);
      const trouble = this.isPatient || world.nowMs - sinceMs < KNOWS_MS ? undefined : node.time.trouble();
      if (trouble !== undefined) this.troubles.push(`${world.nowMs}: ${node.machine.name}: ${trouble}`);
    }
    this.worstMs = Math.max(this.worstMs, spread(joined));
    this.looks += joined.length;
    world.scheduler.after(LOOK_MS, "look", () => this.#look());
  }
}

function numberOf(name: string): number {
  return Number(name.slice(1));
}

/** Clocks off by up to 30 s, one by minutes, and one that jumps back by an hour; a cut in halves and a heal. */
async function troubled(seed: number, size: number): Promise<{ checker: TimeChecker; trace: string }> {
  const world = new SimWorld({ seed, path: { loss: 0.05 } });
  const crowd = new Crowd(world);
  const skews = world.random.fork("skews");
  const skewMs = (index: number): number => (index === 5 ? FAR_MS : Math.round((skews.real() - 0.5) * 60_000));
  const churn = new Churn(crowd, { medianSessionMs: 120_000, pauseMs: 3_000, returning: 0.5, skewMs });
  const checker = new TimeChecker(crowd);
  await churn.grow(size, 100);
  await world.runFor(30_000);
  crowd.nodes[Math.floor(size / 5)]?.machine.jumpClock(-HOUR_MS);
  // Until its neighbours have told it anew, whoever set its clock is not sure.
  checker.isPatient = true;
  await world.runFor(2_000);
  checker.isPatient = false;
  await world.runFor(28_000);
  crowd.cut((name) => numberOf(name) % 2);
  await world.runFor(45_000);
  crowd.heal();
  await world.runFor(30_000);
  return { checker, trace: world.traceHash() };
}

describe("under churn, loss, cuts, and with clocks that are wrong", () => {
  const size = isLong ? 100 : 40;
  test.each(seeds(1, 20))(`${size} members agree on the time within 1.5 s (seed %i)`, async (seed) => {
    const { checker } = await troubled(seed, size);
    expect(checker.looks).toBeGreaterThan(size * 400);
    expect(checker.worstMs).toBeLessThan(SPREAD_MS_MAX);
    expect(checker.troubles).toEqual([]);
  });

  test("the same seed gives the same run", async () => {
    const { trace } = await troubled(1, 12);
    expect((await troubled(1, 12)).trace).toBe(trace);
  });
});

describe("a small swarm", () => {
  test.each([1, 2, 3])("of two, the second minutes ahead, goes by the first one's time (seed %i)", async (seed) => {
    const world = new SimWorld({ seed, path: { loss: 0.05 } });
    const crowd = new Crowd(world);
    const first = crowd.add({ name: "a", kind: "node" });
    await world.runFor(1_000);
    const late = crowd.add({ name: "b", kind: "tab", skewMs: FAR_MS });
    await world.runUntil(() => late.links.all().length > 0, { withinMs: 5_000 });
    await world.runFor(JOINED_MS);
    const errors = [first, late].map(({ time }) => Math.abs(time.now() - first.machine.ports.clock.now()));
    expect(errors[0]).toBe(0);
    expect(errors[1]).toBeLessThan(500);
    late.machine.jumpClock(-FAR_MS);
    await world.runFor(10_000);
    expect(spread([first, late])).toBeLessThan(500);
    expect([first.time.trouble(), late.time.trouble()]).toEqual([undefined, undefined]);
  });

  test("of three nets has one time, told by each, also when a clock is set", async () => {
    const swarm = new Swarm(4, { path: { loss: 0.05 } });
    const a = await swarm.up("a");
    const nets = [a];
    for (const [name, skewMs] of [
      ["b", 25_000],
      ["c", -28_000],
    ] as const) {
      nets.push(await swarm.start(swarm.world.spawn({ name, kind: "tab", skewMs }), { invite: a.invite() }));
    }
    await swarm.agreement(10_000);
    await swarm.world.runFor(JOINED_MS);
    const apart = (): number => {
      const times = nets.map((net) => net.correctedNow());
      return Math.max(...times) - Math.min(...times);
    };
    expect(apart()).toBeLessThan(500);
    const before = a.correctedNow();
    swarm.world.node("a").jumpClock(HOUR_MS);
    expect(a.correctedNow()).toBe(before);
    await swarm.world.runFor(20_000);
    expect(apart()).toBeLessThan(500);
    expect(Math.abs(a.correctedNow() - before - 20_000)).toBeLessThan(1_000);
    expect(nets.map((net) => net.clockTrouble())).toEqual([undefined, undefined, undefined]);
  });
});

describe("two swarms that differ become one and stay it", () => {
  /** Runs until all agree, sees that they go on to, and returns how long it took. */
  async function agreed(crowd: Crowd, withinMs: number): Promise<number> {
    const { world } = crowd;
    const isOne = (): boolean => spread(crowd.nodes) < SPREAD_MS_MAX;
    const ms = await world.runUntil(isOne, { withinMs, everyMs: 250, what: "they have one time" });
    for (let i = 0; i < 60; i++) {
      await world.runFor(1_000);
      expect(spread(crowd.nodes)).toBeLessThan(SPREAD_MS_MAX);
    }
    expect(crowd.nodes.flatMap(({ time }) => time.trouble() ?? [])).toEqual([]);
    return ms;
  }

  test.each([
    [1, 20_000],
    [2, FAR_MS],
    [3, -FAR_MS],
  ])("when they were cut and all clocks of one half were set (seed %i, by %i ms)", async (seed, apartMs) => {
    const world = new SimWorld({ seed, path: { loss: 0.02 } });
    const crowd = new Crowd(world);
    for (let i = 0; i < HALVED_SIZE; i++) {
      crowd.add({ name: `m${i}`, kind: i % 4 < 2 ? "node" : "tab" });
      await world.runFor(100);
    }
    await world.runFor(30_000);
    crowd.cut((name) => numberOf(name) % 2);
    await world.runFor(45_000);
    for (const { machine } of crowd.nodes) if (numberOf(machine.name) % 2 === 1) machine.jumpClock(apartMs);
    await world.runFor(30_000);
    expect(spread(crowd.nodes)).toBeGreaterThan(Math.abs(apartMs) - SPREAD_MS_MAX);
    crowd.heal();
    expect(await agreed(crowd, 60_000)).toBeGreaterThan(1_000);
  });

  test("when they had never heard of each other and one of them links to the other", async () => {
    const world = new SimWorld({ seed: 4, path: { loss: 0.02 } });
    const crowd = new Crowd(world);
    crowd.side = (name) => numberOf(name) % 2;
    world.partition((from, to) => crowd.side(from.name) !== crowd.side(to.name));
    for (let i = 0; i < HALVED_SIZE; i++) {
      const skewMs = i === 1 ? 20_000 : 0;
      crowd.add({ name: `m${i}`, kind: i % 4 < 2 ? "node" : "tab", skewMs });
      await world.runFor(200);
    }
    await world.runFor(30_000);
    expect(spread(crowd.nodes)).toBeGreaterThan(19_000);
    crowd.heal();
    const linked = crowd.node("m1").links.dial({ addresses: ["sim:m0"] }, { signal: new AbortController().signal });
    await world.settle(linked, { withinMs: 5_000 });
    // At first there is one link across, then some; the overlay makes more as it goes.
    await agreed(crowd, 600_000);
  });
});

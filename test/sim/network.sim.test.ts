/** The simulated network treats messages as it is told to: latency, bandwidth, loss, cuts, crashes, relays. */
import { describe, expect, it } from "vitest";
import { isStarfishError } from "../../core/base/errors.ts";
import type { Channel, Link } from "../../core/ports/network.ts";
import type { SimNode } from "./node.ts";
import { SimWorld, type WorldOptions } from "./world.ts";

const PROTOCOL = "/test";
const MEGABYTE = 1_000_000;

/** A world in which nothing is left to chance: 50 ms each way, 1 MB/s. */
function exactWorld(options: Partial<WorldOptions> = {}): SimWorld {
  return new SimWorld({ seed: 1, path: { latencyMs: 50, jitterMs: 0, loss: 0, bytesPerSecond: MEGABYTE }, ...options });
}

interface Conversation {
  readonly link: Link;
  readonly near: Channel;
  readonly far: Channel;
}

async function converse(world: SimWorld, from: SimNode, to: SimNode): Promise<Conversation> {
  const accepted = new Promise<Channel>((resolve) => void to.ports.network.handle(PROTOCOL, resolve));
  const opened = (async () => {
    const link = await from.ports.network.dial({ peer: to.peer, addresses: [`sim:${to.name}`] });
    return { link, near: await link.open(PROTOCOL), far: await accepted };
  })();
  return world.settle(opened, { withinMs: 60_000 });
}

/** The times at which messages of the channel arrive. */
function arrivals(world: SimWorld, channel: Channel): number[] {
  const timesMs: number[] = [];
  channel.onMessage(() => void timesMs.push(world.nowMs));
  return timesMs;
}

function pairOf(world: SimWorld): [SimNode, SimNode] {
  const a = world.spawn({ name: "a", kind: "node" });
  const b = world.spawn({ name: "b", kind: "node" });
  void b.ports.network;
  return [a, b];
}

describe("paths", () => {
  it("take their latency and the time that the bytes need", async () => {
    const world = exactWorld();
    const { near, far } = await converse(world, ...pairOf(world));
    const timesMs = arrivals(world, far);
    const beganMs = world.nowMs;
    near.send(new Uint8Array(100_000));
    near.send(new Uint8Array(100_000));
    await world.runFor(1000);
    expect(timesMs.map((timeMs) => Math.round(timeMs - beganMs))).toEqual([150, 250]);
  });

  it("share what a machine can send", async () => {
    const world = exactWorld();
    const a = world.spawn({ name: "a", kind: "node", uplinkBytesPerSecond: MEGABYTE / 10 });
    const others = ["b", "c"].map((name) => world.spawn({ name, kind: "node" }));
    others.forEach((other) => void other.ports.network);
    const beganMs: number[] = [];
    const timesMs: number[][] = [];
    const channels: Channel[] = [];
    for (const other of others) {
      const { near, far } = await converse(world, a, other);
      timesMs.push(arrivals(world, far));
      channels.push(near);
    }
    beganMs.push(world.nowMs);
    for (const channel of channels) channel.send(new Uint8Array(10_000));
    await world.runFor(1000);
    expect(timesMs.flat().map((timeMs) => Math.round((timeMs - (beganMs[0] ?? 0)) / 10) * 10)).toEqual([150, 250]);
  });

  it("may differ in their directions", async () => {
    const world = exactWorld({ paths: (from) => ({ latencyMs: from.name === "a" ? 10 : 300 }) });
    const { near, far } = await converse(world, ...pairOf(world));
    const there = arrivals(world, far);
    const back = arrivals(world, near);
    const beganMs = world.nowMs;
    near.send(new Uint8Array(1));
    far.send(new Uint8Array(1));
    await world.runFor(1000);
    expect([...there, ...back].map((timeMs) => Math.round(timeMs - beganMs))).toEqual([10, 300]);
  });

  it("delay what is lost, and neither lose nor reorder it", async () => {
    const world = exactWorld();
    const { near, far } = await converse(world, ...pairOf(world));
    world.fabric.setPaths({ path: { latencyMs: 50, jitterMs: 20, loss: 0.1, bytesPerSecond: MEGABYTE } });
    const got: number[] = [];
    far.onMessage(([number]) => void got.push(number ?? -1));
    const delaysMs: number[] = [];
    for (let i = 0; i < 200; i++) {
      const sentMs = world.nowMs;
      near.send(Uint8Array.of(i));
      await world.runUntil(() => got.length > i, { withinMs: 10_000, everyMs: 0 });
      delaysMs.push(world.nowMs - sentMs);
    }
    expect(got).toEqual(Array.from({ length: 200 }, (_, i) => i));
    const late = delaysMs.filter((delayMs) => delayMs > 200).length;
    expect(late).toBeGreaterThan(8);
    expect(late).toBeLessThan(35);
    expect(Math.min(...delaysMs)).toBeGreaterThanOrEqual(50);
  });

  it("break when nothing gets through any more", async () => {
    const world = exactWorld();
    const { link, near } = await converse(world, ...pairOf(world));
    let closed = false;
    link.onClose(() => (closed = true));
    world.fabric.setPaths({ path: { latencyMs: 50, jitterMs: 0, loss: 1, bytesPerSecond: MEGABYTE } });
    near.send(Uint8Array.of(1));
    await world.runFor(1000);
    expect(closed).toBe(true);
  });
});

describe("cuts", () => {
  it("hold back what is under way, and let it on in order when they heal", async () => {
    const world = exactWorld();
    const [a, b] = pairOf(world);
    const { near, far } = await converse(world, a, b);
    const got: number[] = [];
    far.onMessage(([number]) => void got.push(number ?? -1));
    for (let i = 0; i < 10; i++) near.send(Uint8Array.of(i));
    world.partition([[a], [b]]);
    await world.runFor(20_000);
    for (let i = 10; i < 20; i++) near.send(Uint8Array.of(i));
    await world.runFor(5000);
    expect(got).toEqual([]);
    world.heal();
    near.send(Uint8Array.of(20));
    await world.runFor(5000);
    expect(got).toEqual(Array.from({ length: 21 }, (_, i) => i));
  });

  it("break links after a while, at both ends, and let no dial through", async () => {
    const world = exactWorld({ breakAfterMs: 10_000 });
    const [a, b] = pairOf(world);
    const { near, far } = await converse(world, a, b);
    const closed: unknown[] = [];
    near.onClose((error) => void closed.push(error));
    far.onClose((error) => void closed.push(error));
    world.partition([["a"], ["b"]]);
    await world.runFor(9900);
    expect(closed).toHaveLength(0);
    await world.runFor(200);
    expect(closed.every((error) => isStarfishError(error, "link-closed"))).toBe(true);
    expect(closed).toHaveLength(2);
    expect([a.ports.network.links(), b.ports.network.links()]).toEqual([[], []]);
    const dial = a.ports.network.dial({ peer: b.peer, addresses: ["sim:b"] });
    await expect(world.settle(dial, { withinMs: 60_000 })).rejects.toSatisfy((error) =>
      isStarfishError(error, "timeout"),
    );
    world.heal();
    await converse(world, a, b);
  });

  it("leave alone what is on one side, and put who is in no group together", async () => {
    const world = exactWorld();
    const nodes = ["a", "b", "c", "d"].map((name) => world.spawn({ name, kind: "node" }));
    for (const node of nodes) void node.ports.network;
    const [a, b, c, d] = nodes as [SimNode, SimNode, SimNode, SimNode];
    world.partition([[a, b]]);
    await converse(world, a, b);
    await converse(world, c, d);
    await expect(converse(world, a, c)).rejects.toSatisfy((error) => isStarfishError(error, "timeout"));
  });

  it("may go one way only", async () => {
    const world = exactWorld();
    const { near, far } = await converse(world, ...pairOf(world));
    const there = arrivals(world, far);
    const back = arrivals(world, near);
    world.partition((from) => from.name === "a");
    near.send(Uint8Array.of(1));
    far.send(Uint8Array.of(1));
    await world.runFor(1000);
    expect([there.length, back.length]).toEqual([0, 1]);
  });
});

describe("crashes", () => {
  it("show as closed links at once, or after the time-out when silent", async () => {
    for (const [silent, seenWithinMs] of [
      [false, 60],
      [true, 30_100],
    ] as const) {
      const world = exactWorld();
      const [a, b] = pairOf(world);
      const { link } = await converse(world, a, b);
      let closed = false;
      link.onClose(() => (closed = true));
      world.crash(b, { silent });
      await world.runFor(seenWithinMs - 200);
      expect(closed).toBe(false);
      await world.runFor(300);
      expect(closed).toBe(true);
    }
  });

  it("refuse dials, or let them time out when silent", async () => {
    const world = exactWorld();
    const [a, b] = pairOf(world);
    const target = { peer: b.peer, addresses: ["sim:b"] };
    world.crash(b);
    const beganMs = world.nowMs;
    const refused = world.settle(a.ports.network.dial(target), { withinMs: 60_000 });
    await expect(refused).rejects.toSatisfy((error) => isStarfishError(error, "unreachable"));
    expect(world.nowMs - beganMs).toBe(100);
    world.restart(b);
    world.crash(b, { silent: true });
    const ignored = world.settle(a.ports.network.dial(target), { withinMs: 60_000 });
    await expect(ignored).rejects.toSatisfy((error) => isStarfishError(error, "timeout"));
  });

  it("end everything the program did, and keep its disk and identity", async () => {
    const world = exactWorld();
    const [a, b] = pairOf(world);
    const { near, far } = await converse(world, a, b);
    const { peer, ports } = b;
    let fired = 0;
    ports.clock.timer(100, () => fired++);
    far.onMessage(() => fired++);
    await world.settle(ports.store.set("key", Uint8Array.of(1)), { withinMs: 100 });
    near.send(Uint8Array.of(1));
    world.crash(b);
    far.send(Uint8Array.of(1));
    await world.runFor(1000);
    expect(fired).toBe(0);
    world.restart(b);
    expect(b.peer).toBe(peer);
    expect(b.ports).not.toBe(ports);
    expect(await world.settle(b.ports.store.get("key"), { withinMs: 100 })).toEqual(Uint8Array.of(1));
    void b.ports.network;
    await converse(world, a, b);
  });

  it("leave a write that was under way as it was before or after", async () => {
    const found = new Set<number>();
    for (let seed = 0; seed < 20; seed++) {
      const world = new SimWorld({ seed });
      const node = world.spawn({ name: "a", kind: "node" });
      await world.settle(node.ports.store.set("key", Uint8Array.of(1)), { withinMs: 100 });
      void node.ports.store.set("key", Uint8Array.of(2));
      world.crash(node);
      world.restart(node);
      const [value] = (await world.settle(node.ports.store.get("key"), { withinMs: 100 })) ?? [];
      found.add(value ?? 0);
    }
    expect(found).toEqual(new Set([1, 2]));
  });

  it("are noticed when a silent one comes back", async () => {
    const world = exactWorld();
    const [a, b] = pairOf(world);
    const { link } = await converse(world, a, b);
    let closed = false;
    link.onClose(() => (closed = true));
    world.crash(b, { silent: true });
    await world.runFor(1000);
    world.restart(b);
    await world.runFor(100);
    expect(closed).toBe(true);
  });
});

describe("frozen machines", () => {
  it("neither run nor answer until they thaw", async () => {
    const world = exactWorld();
    const [a, b] = pairOf(world);
    const { near, far } = await converse(world, a, b);
    const timesMs = arrivals(world, far);
    let fired = 0;
    b.ports.clock.timer(1000, () => fired++);
    world.freeze(b);
    near.send(Uint8Array.of(1));
    await world.runFor(10_000);
    expect([timesMs.length, fired]).toEqual([0, 0]);
    world.thaw(b);
    await world.runFor(10_000);
    expect([timesMs.length, fired]).toEqual([1, 1]);
  });
});

describe("clocks", () => {
  it("are skewed, jump and drift as told", async () => {
    const world = exactWorld();
    const right = world.spawn({ name: "right", kind: "node" });
    const wrong = world.spawn({ name: "wrong", kind: "node", skewMs: -5000, drift: 1.01 });
    await world.runFor(100_000);
    expect(wrong.ports.clock.now() - right.ports.clock.now()).toBe(-4000);
    expect(wrong.ports.clock.monotonic()).toBeCloseTo(101_000);
    wrong.jumpClock(3_600_000);
    expect(wrong.ports.clock.now() - right.ports.clock.now()).toBe(3_596_000);
    expect(wrong.ports.clock.monotonic()).toBeCloseTo(101_000);
  });

  it("fire once a second on hidden tabs", async () => {
    const world = exactWorld();
    const { clock } = world.spawn({ name: "a", kind: "tab", throttled: true }).ports;
    const firedMs: number[] = [];
    for (const delayMs of [10, 900, 1500, 2000]) clock.timer(delayMs, () => void firedMs.push(world.nowMs));
    await world.runFor(5000);
    expect(firedMs).toEqual([1000, 1000, 2000, 2000]);
  });
});

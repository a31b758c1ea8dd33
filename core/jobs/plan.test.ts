import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  add,
  type Intervals,
  interval,
  NONE,
  pack,
  pieces,
  sizeOf,
  subtract,
  take,
  union,
  unionAll,
} from "./intervals.ts";
import { INTERVALS_BYTES_MAX } from "./limits.ts";
import { type Lane, Order, type Peer, plan, type View } from "./plan.ts";

const KEY = 12_345;

interface Worker {
  readonly id: string;
  readonly cores: number;
  readonly taskMs: number;
  claimed: Intervals;
  /** Of the cores: what each runs, and until when. */
  running: Map<number, number>;
  held: Intervals;
  done: number;
  /** What the others have heard of it. */
  told: { claimed: Intervals; held: Intervals };
  progressAtMs: number;
  isAlive: boolean;
}

/**
 * Nodes that each plan for themselves, know of the others what was true a second before, and go in steps of 100 ms.
 * Some die in the middle. Returns how long it took and how much was run in all.
 */
function story(total: number, workers: readonly { cores: number; taskMs: number; diesAtMs?: number }[]) {
  const ids = workers.map((_, i) => `node${i}`);
  const sharing = workers.map(({ cores }, i) => ({ id: ids[i] ?? "", cores }));
  const all = workers.map(({ cores, taskMs }, i): Worker => ({
    id: ids[i] ?? "",
    cores,
    taskMs,
    claimed: NONE,
    running: new Map(),
    held: NONE,
    done: 0,
    told: { claimed: NONE, held: NONE },
    progressAtMs: 0,
    isAlive: true,
  }));
  let runs = 0;
  let entryBytes = 0;
  let orders = new Map(ids.map((id) => [id, new Order(total, sharing, id, KEY)]));
  for (let nowMs = 0; nowMs < 600_000; nowMs += 100) {
    workers.forEach(({ diesAtMs }, i) => {
      const worker = all[i];
      if (worker === undefined || diesAtMs === undefined || nowMs < diesAtMs || !worker.isAlive) return;
      worker.isAlive = false;
      const living = all.filter(({ isAlive }) => isAlive);
      orders = new Map(living.map(({ id }) => [id, new Order(total, living, id, KEY)]));
    });
    const living = all.filter(({ isAlive }) => isAlive);
    for (const worker of living) {
      for (const [task, untilMs] of worker.running) {
        if (untilMs > nowMs) continue;
        worker.running.delete(task);
        worker.held = add(worker.held, task);
        worker.done++;
        runs++;
      }
      const peers: Peer[] = living
        .filter((other) => other !== worker)
        .map(({ id, cores, told, progressAtMs }) => ({ id, cores, claimed: told.claimed, progressAtMs }));
      const done = unionAll([worker.held, ...living.filter((other) => other !== worker).map(({ told }) => told.held)]);
      if (sizeOf(done) === total) return { ms: nowMs, runs, entryBytes, done };
      const order = orders.get(worker.id);
      if (order === undefined) throw new Error("no order");
      let started: Intervals = NONE;
      for (const task of worker.running.keys()) started = add(started, task);
      const view: View = { order, done, ready: interval(0, total), peers, barred: NONE };
      const lane: Lane = {
        cores: worker.cores,
        started,
        queued: worker.claimed,
        taskMs: worker.done === 0 ? undefined : worker.taskMs,
        done: worker.done,
        tellMs: 1_000,
      };
      const { claim, drop, cancel } = plan(view, lane, nowMs);
      expect(sizeOf(union(claim, done))).toBe(sizeOf(claim) + sizeOf(done));
      for (const [from, to] of pieces(cancel)) for (let task = from; task < to; task++) worker.running.delete(task);
      worker.claimed = union(subtract(worker.claimed, drop), claim);
      while (worker.running.size < worker.cores && worker.claimed.length > 0) {
        const next = take(worker.claimed, 1);
        worker.claimed = subtract(worker.claimed, next);
        worker.running.set(next[0] ?? 0, nowMs + worker.taskMs);
      }
      // A node with free cores finds a task as long as there is one that nobody is known to run.
      const known = unionAll([done, ...peers.map(({ claimed }) => claimed)]);
      const own = union(
        worker.claimed,
        [...worker.running.keys()].reduce((set: Intervals, task) => add(set, task), NONE),
      );
      const free = subtract(interval(0, total), union(known, own));
      if (free.length > 0) expect(worker.running.size).toBe(worker.cores);
    }
    if (nowMs % 1_000 === 0) {
      for (const worker of living) {
        let claimed = worker.claimed;
        for (const task of worker.running.keys()) claimed = add(claimed, task);
        if (sizeOf(subtract(worker.held, worker.told.held)) > 0) worker.progressAtMs = nowMs;
        worker.told = { claimed, held: worker.held };
        entryBytes = Math.max(entryBytes, pack(claimed, 1e9).length + pack(worker.held, 1e9).length);
      }
    }
  }
  throw new Error("It does not end");
}

describe("what nodes plan, each for itself", () => {
  test("gives every node its share, in proportion to its cores", () => {
    const cores = fc.array(fc.integer({ min: 1, max: 16 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), cores, (total, each) => {
        const nodes = each.map((count, i) => ({ id: `node${i}`, cores: count }));
        const all = each.reduce((sum, count) => sum + count, 0);
        const shares = nodes.map(({ id }) => new Order(total, nodes, id, KEY).share);
        shares.forEach((share, i) => {
          const size = share.reduce((sum, [from, to]) => sum + to - from, 0);
          expect(Math.abs(size - (total * (each[i] ?? 0)) / all)).toBeLessThanOrEqual(1);
        });
        expect(sizeOf(unionAll(shares.flatMap((share) => share.map(([from, to]) => interval(from, to)))))).toBe(total);
      }),
      { numRuns: 30 },
    );
  });

  test("moves little of the others' shares when a node comes", () => {
    const nodes = Array.from({ length: 20 }, (_, i) => ({ id: `node${i}`, cores: 1 }));
    const sharesOf = (some: typeof nodes): Intervals[] =>
      some.map(({ id }) => unionAll(new Order(10_000, some, id, KEY).share.map(([from, to]) => interval(from, to))));
    const [before, after] = [sharesOf(nodes), sharesOf([...nodes, { id: "node20", cores: 1 }])];
    const stays = before.reduce((sum, share, i) => sum + sizeOf(share) - sizeOf(subtract(share, after[i] ?? NONE)), 0);
    expect(stays).toBeGreaterThan(10_000 / 2);
  });

  test("covers every task exactly, whoever dies, and leaves nothing lying", () => {
    const worker = fc.record({
      cores: fc.integer({ min: 1, max: 4 }),
      taskMs: fc.constantFrom(100, 300, 1_000, 2_500),
      diesAtMs: fc.option(fc.integer({ min: 0, max: 8_000 }), { nil: undefined }),
    });
    const steady = fc.record({ cores: fc.integer({ min: 1, max: 2 }), taskMs: fc.constantFrom(100, 500) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.array(worker, { maxLength: 5 }), steady, (total, some, last) => {
        const { done } = story(total, [
          ...some.map(({ diesAtMs, ...rest }) => ({ ...rest, ...(diesAtMs && { diesAtMs }) })),
          last,
        ]);
        expect(done).toEqual([0, total]);
      }),
      { numRuns: 20 },
    );
  });

  test("keeps all cores busy to the end, and runs little twice", () => {
    const workers = Array.from({ length: 10 }, () => ({ cores: 2, taskMs: 1_000 }));
    const { ms, runs, entryBytes } = story(500, workers);
    // 25 s of work for each core.
    expect(ms).toBeLessThan(25_000 * 1.03);
    expect(runs).toBeLessThan(500 * 1.05);
    expect(entryBytes).toBeLessThan(INTERVALS_BYTES_MAX / 10);
  });

  test("lets the fast do more, and nobody wait for the slow", () => {
    const workers = [...Array.from({ length: 9 }, () => ({ cores: 1, taskMs: 500 })), { cores: 1, taskMs: 10_000 }];
    const { ms } = story(360, workers);
    expect(ms).toBeLessThan((360 * 500) / 9.05 + 6_000);
  });

  test("has the tasks of one that is there and silent run by another", () => {
    const { ms } = story(20, [
      { cores: 1, taskMs: 500 },
      { cores: 1, taskMs: 500_000 },
    ]);
    expect(ms).toBeLessThan(20_000);
  });
});

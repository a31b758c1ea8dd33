/** Jobs that no node leads, over simulated swarms. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { hostile, joiner, mirror } from "../../test/fixtures/wasm.ts";
import { JobLab } from "../../test/sim/job-lab.ts";
import { seeds } from "../../test/sim/seeds.ts";
import { text, utf8 } from "../base/bytes.ts";
import { numbersOf } from "./intervals.ts";
import { STATE_EVERY_MS } from "./limits.ts";
import type { JobSpec } from "./spec.ts";
import type { JobEvent } from "./types.ts";

const TASK_MS = 100;
/** Twice the time between two looks at what others hold, and the time of a message. */
const IN_FLIGHT_MS = 2_500;
/** Read beforehand: virtual time does not wait for a disk. */
const JAVASCRIPT = new Uint8Array(readFileSync("node_modules/quickjs-wasi/quickjs.wasm"));

function job(count: number, more: Partial<JobSpec> = {}): JobSpec {
  return {
    title: "mirror",
    program: { kind: "bytes", module: { bytes: mirror() } },
    inputs: { from: "range", lo: 0, hi: count, count },
    combine: { how: "concat" },
    limits: { memoryBytesMax: 2 ** 20, timeMsMax: 60_000 },
    ...more,
  };
}

function backwards(line: string): string {
  return text(utf8(line).toReversed());
}

/** The result of `job`: each task's input, backwards. */
function mirrored(count: number): string {
  return Array.from({ length: count }, (_, i) => backwards(`${i} ${i + 1}`)).join("");
}

describe("a job of the swarm", () => {
  test("is run by all, finished by one, and read by anybody", async () => {
    const lab = new JobLab({ seed: 1 });
    const node = await lab.grow(6);
    const beganMs = lab.world.nowMs;
    const id = await lab.submit(node, job(120));
    expect(await lab.outcome(id)).toMatchObject({ is: "done", failed: 0 });
    // The ideal is a second; it takes another until all have heard of all.
    expect(lab.world.nowMs - beganMs).toBeLessThan(3_000);
    expect(lab.state(id)?.nodes.size).toBe(6);
    const outcome = lab.state(id)?.outcome;
    const shares = outcome?.is === "done" ? outcome.shares : undefined;
    expect(shares?.nodes.map(({ peer }) => peer).toSorted()).toEqual(lab.nodes.map(({ net }) => net.self).toSorted());
    expect(shares?.nodes.reduce((sum, { tasks }) => sum + tasks, 0)).toBe(120);
    expect(shares?.parts.every((part) => part < 6)).toBe(true);
    for (const each of lab.nodes) expect(await lab.result(id, each)).toBe(mirrored(120));
  });

  test("needs no submitter: it goes on without, and a newcomer reads the result", async () => {
    const lab = new JobLab({ seed: 2 }, true);
    const node = await lab.grow(5);
    const inputs = await lab.world.settle(
      node.jobs.listOf(Array.from({ length: 100 }, (_, i) => utf8(`${"input ".repeat(100)}${i}`))),
      { withinMs: 20_000 },
    );
    const id = await lab.submit(node, job(100, { inputs, combine: { how: "none" } }));
    await lab.world.runFor(1_000);
    lab.crash("n0");
    expect(await lab.outcome(id)).toMatchObject({ is: "done" });
    await lab.up("late");
    await lab.world.runUntil(() => lab.node("late").jobs.state(id)?.outcome !== undefined, { withinMs: 20_000 });
    const result = await lab.result(id, lab.node("late"));
    expect(result).toBe(Array.from({ length: 100 }, (_, i) => backwards(`${"input ".repeat(100)}${i}`)).join(""));
  });

  test("is run by a lone node that lends nothing, if it has submitted it", async () => {
    const lab = new JobLab({ seed: 3 });
    const node = await lab.grow(1, { lent: 0 });
    const id = await lab.submit(node, job(10));
    expect(await lab.outcome(id)).toMatchObject({ is: "done" });
    expect(await lab.result(id)).toBe(mirrored(10));
  });

  test("is told to whoever watches it, each result once", async () => {
    const lab = new JobLab({ seed: 4 });
    const node = await lab.grow(4);
    const id = await lab.submit(node, job(80));
    const watcher = lab.node("n3");
    await lab.world.runUntil(() => watcher.jobs.state(id) !== undefined, { withinMs: 5_000 });
    const events = await lab.world.settle(Array.fromAsync(watcher.jobs.attach(id, { results: true })), {
      withinMs: 60_000,
    });
    const results = events.filter((event): event is Extract<JobEvent, { is: "result" }> => event.is === "result");
    const inOrder = results.toSorted((a, b) => a.task - b.task);
    expect(inOrder.map(({ task }) => task)).toEqual(Array.from({ length: 80 }, (_, i) => i));
    expect(inOrder.map(({ output }) => text(output)).join("")).toBe(mirrored(80));
    expect(events.at(-1)).toMatchObject({ is: "outcome", outcome: { is: "done" } });
    const done = events.flatMap((event) => (event.is === "state" ? [event.state.tasks.done] : []));
    expect(done).toEqual(done.toSorted((a, b) => a - b));
    expect(done.length).toBeGreaterThan(3);
  });

  test("gives its first result at once where nobody is busy, and then a few times a second", async () => {
    const lab = new JobLab({ seed: 17, tasks: () => 10 });
    const node = await lab.grow(4);
    const seen: { readonly is: string; readonly atMs: number }[] = [];
    const beganMs = lab.world.nowMs;
    const id = await lab.submit(node, job(400));
    const watching = async (): Promise<void> => {
      for await (const { is } of node.jobs.attach(id, { results: true })) seen.push({ is, atMs: lab.world.nowMs });
    };
    await lab.world.settle(watching(), { withinMs: 60_000 });
    const first = seen.find(({ is }) => is === "result");
    expect((first?.atMs ?? Infinity) - beganMs).toBeLessThan(150);
    const states = seen.filter(({ is, atMs }) => is === "state" && atMs > (first?.atMs ?? 0)).map(({ atMs }) => atMs);
    // The first may follow at once, and the end is told at once.
    const gaps = states.slice(1, -1).map((atMs, i) => atMs - (states[i] ?? 0));
    expect(gaps.slice(1).filter((gap) => gap < STATE_EVERY_MS)).toEqual([]);
    // Four nodes agree soon that all is done.
    const againMs = lab.world.nowMs;
    await lab.outcome(await lab.submit(node, job(17)));
    expect(lab.world.nowMs - againMs).toBeLessThan(600);
  });

  test("bound to nodes is run by these alone", async () => {
    const lab = new JobLab({ seed: 5 });
    const node = await lab.grow(4);
    const on = [lab.node("n2").net.self];
    const id = await lab.submit(node, job(20, { on }));
    await lab.world.runUntil(() => (lab.state(id)?.tasks.done ?? 0) > 5, { withinMs: 20_000 });
    const claiming = [...(lab.state(id)?.nodes ?? [])].filter(([, { running }]) => running.length > 0);
    expect(claiming.map(([peer]) => peer)).toEqual(on);
    expect(await lab.outcome(id)).toMatchObject({ is: "done" });
    expect(await lab.result(id)).toBe(mirrored(20));
  });

  test.each([1, 2, 37, 64])("of %i tasks makes one result of two until one is left, in order", async (count) => {
    const lab = new JobLab({ seed: 16 });
    const node = await lab.grow(4);
    const program = { kind: "bytes", module: { bytes: joiner() } } as const;
    const id = await lab.submit(node, job(count, { combine: { how: "reduce", program } }));
    expect(await lab.outcome(id)).toMatchObject({ is: "done" });
    expect(await lab.result(id)).toBe(mirrored(count));
    expect(lab.state(id)?.tasks.total).toBe(2 * count - 1);
  });

  test("runs scripts, whose reduction is a script's too", async () => {
    const lab = new JobLab({ seed: 17 }, true);
    const node = await lab.grow(3);
    const module = await lab.world.settle(node.jobs.content(JAVASCRIPT), { withinMs: 20_000 });
    const source = { bytes: utf8("(line) => line.split(' ').map(Number).reduce((a, b) => a + b)") };
    const reduce = { bytes: utf8("(a, b) => a + b") };
    const program = { kind: "javascript", module, source, reduce } as const;
    const combine = { how: "reduce", program: { ...program, entry: "reduce" } } as const;
    const limits = { memoryBytesMax: 2 ** 25, timeMsMax: 60_000 };
    const id = await lab.submit(node, job(20, { program, combine, limits }));
    expect(await lab.outcome(id)).toMatchObject({ is: "done" });
    // Of each i: i + (i + 1).
    expect(await lab.result(id, lab.node("n2"))).toBe("400\n");
  });

  test("keeps what is too large for messages on the disk", async () => {
    const lab = new JobLab({ seed: 6 }, true);
    const node = await lab.grow(3);
    const large = Array.from({ length: 6 }, (_, i) => new Uint8Array(300_000).fill(0x61 + i));
    const inputs = await lab.world.settle(node.jobs.listOf(large), { withinMs: 20_000 });
    const limits = { memoryBytesMax: 2 ** 24, timeMsMax: 60_000 };
    const id = await lab.submit(node, job(6, { inputs, limits }));
    expect(await lab.outcome(id)).toMatchObject({ is: "done" });
    expect(await lab.result(id, lab.node("n2"))).toBe(large.map((bytes) => text(bytes)).join(""));
  });
});

describe("the end of a job", () => {
  test("cancelled by anybody, it frees every core within a second", async () => {
    const lab = new JobLab({ seed: 7, tasks: () => 30_000 });
    const node = await lab.grow(6);
    const id = await lab.submit(node, job(100));
    const busy = (): number => lab.nodes.reduce((sum, { cpu }) => sum + cpu.running().length, 0);
    await lab.world.runUntil(() => busy() === 12, { withinMs: 10_000 });
    expect(lab.node("n4").jobs.cancel(id)).toBe(true);
    await lab.world.runUntil(() => busy() === 0, { withinMs: 1_000 });
    expect(await lab.outcome(id)).toMatchObject({ is: "cancelled", by: lab.node("n4").net.self });
    expect(node.jobs.cancel(id)).toBe(false);
    await lab.up("late");
    await lab.world.runUntil(() => lab.node("late").jobs.state(id)?.state === "cancelled", { withinMs: 20_000 });
    await lab.world.runFor(2_000);
    expect(busy()).toBe(0);
  });

  test("a task that fails on two nodes ends it, and is named", async () => {
    const lab = new JobLab({ seed: 8 });
    const node = await lab.grow(4);
    const id = await lab.submit(node, job(40, { program: { kind: "bytes", module: { bytes: hostile.trap() } } }));
    expect(await lab.outcome(id)).toMatchObject({ is: "failed", failure: { code: "wasm-trap" } });
    await expect(lab.result(id)).rejects.toMatchObject({ code: "wasm-trap" });
  });

  test("with keepGoing it is done without the tasks that fail, and tells how many", async () => {
    const never = (input: Uint8Array): boolean => text(input).startsWith("7 ") || text(input).startsWith("31 ");
    const lab = new JobLab({ seed: 9, tasks: ({ input }) => (never(input) ? Infinity : TASK_MS) });
    const node = await lab.grow(4);
    const limits = { memoryBytesMax: 2 ** 20, timeMsMax: 1_000 };
    const id = await lab.submit(node, job(40, { limits, keepGoing: true }));
    expect(await lab.outcome(id)).toMatchObject({ is: "done", failed: 2 });
    const all = Array.from({ length: 40 }, (_, i) => i).filter((i) => i !== 7 && i !== 31);
    expect(await lab.result(id)).toBe(all.map((i) => backwards(`${i} ${i + 1}`)).join(""));
  });

  test("a task of a lone node fails without anybody to confirm it", async () => {
    const lab = new JobLab({ seed: 10 });
    const node = await lab.grow(1);
    const id = await lab.submit(node, job(4, { program: { kind: "bytes", module: { bytes: utf8("no module") } } }));
    expect(await lab.outcome(id)).toMatchObject({ is: "failed", failure: { code: "not-wasm" } });
  });

  test("results that can't be combined fail it", async () => {
    const lab = new JobLab({ seed: 11 });
    const node = await lab.grow(2);
    const id = await lab.submit(node, job(4, { combine: { how: "sum" } }));
    expect(await lab.outcome(id)).toMatchObject({ is: "failed", failure: { task: 0, code: "malformed" } });
  });
});

describe("jobs beside each other", () => {
  test("share the cores: a short one does not wait behind a long one", async () => {
    const lab = new JobLab({ seed: 12 });
    const node = await lab.grow(4);
    const began = (): number => lab.world.nowMs;
    const aloneBeganMs = began();
    const other = { from: "range", lo: 1_000_000, hi: 1_000_040, count: 40 } as const;
    await lab.outcome(await lab.submit(node, job(40, { inputs: other })));
    const aloneMs = began() - aloneBeganMs;
    const long = await lab.submit(lab.node("n1"), job(4_000));
    await lab.world.runFor(5_000);
    const besideBeganMs = began();
    const short = await lab.submit(node, job(40));
    await lab.outcome(short);
    expect(began() - besideBeganMs).toBeLessThan(3 * aloneMs);
    expect(lab.state(long)?.state).toBe("running");
    for (const { jobs } of lab.nodes) jobs.cancel(long);
    await lab.outcome(long);
  });

  test.each(["a long map of one node", "a long job"])(
    "a short map or job takes three times as long beside %s at most",
    async (beside) => {
      const lab = new JobLab({ seed: 21 });
      await lab.grow(4);
      const [a, b] = [lab.node("n0"), lab.node("n1")];
      const { signal } = new AbortController();
      const inputs = (count: number, what: string): Uint8Array[] =>
        Array.from({ length: count }, (_, i) => utf8(`${what} ${i}`));
      const short = async (what: string): Promise<number> => {
        const beganMs = lab.world.nowMs;
        const map = { title: "short", module: mirror(), inputs: inputs(40, what) };
        await lab.world.settle(Array.fromAsync(a.cpu.map(map, { signal })), { withinMs: 60_000 });
        const mappedMs = lab.world.nowMs;
        const range = { from: "range", lo: 5_000, hi: 5_040, count: 40 } as const;
        const limits = { memoryBytesMax: 2 ** (what === "alone" ? 20 : 21), timeMsMax: 60_000 };
        await lab.outcome(await lab.submit(a, job(40, { inputs: range, limits })));
        return Math.max(mappedMs - beganMs, lab.world.nowMs - mappedMs);
      };
      const aloneMs = await short("alone");
      const stop = new AbortController();
      if (beside === "a long job") await lab.submit(b, job(20_000));
      else {
        const map = { title: "long", module: mirror(), inputs: inputs(20_000, "long") };
        void Array.fromAsync(b.cpu.map(map, { signal: stop.signal })).catch(() => {});
      }
      await lab.world.runFor(3_000);
      expect(await short("beside")).toBeLessThan(3 * aloneMs);
      stop.abort();
    },
  );

  test("the same again is remembered by those who did it, whoever submits it", async () => {
    let begun = 0;
    const tasks = (): number => {
      begun++;
      return 1_000;
    };
    const lab = new JobLab({ seed: 18, tasks });
    const node = await lab.grow(4);
    const firstBeganMs = lab.world.nowMs;
    await lab.outcome(await lab.submit(node, job(160)));
    const firstMs = lab.world.nowMs - firstBeganMs;
    expect(begun).toBeGreaterThanOrEqual(160);
    begun = 0;
    const againBeganMs = lab.world.nowMs;
    const again = await lab.submit(lab.node("n3"), job(160));
    await lab.outcome(again);
    expect(await lab.result(again, lab.node("n2"))).toBe(mirrored(160));
    // A node may now reach tasks of its own blocks that another has taken.
    expect(begun).toBeLessThan(80);
    expect(lab.world.nowMs - againBeganMs).toBeLessThan(firstMs / 2);
    begun = 0;
    await lab.outcome(await lab.submit(node, job(20, { limits: { memoryBytesMax: 2 ** 21, timeMsMax: 60_000 } })));
    expect(begun).toBeGreaterThanOrEqual(20);
  });

  test("old ones make room for new ones, and are kept for a week", async () => {
    const lab = new JobLab({ seed: 13 });
    const node = await lab.grow(2);
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      const id = await lab.submit(node, job(4));
      await lab.outcome(id);
      ids.push(id);
    }
    expect(node.jobs.list().map(({ id }) => id)).toEqual(ids.toReversed());
    expect(await lab.result(ids[0] ?? "")).toBe(mirrored(4));
    await lab.world.runFor(8_000);
    expect(lab.node("n1").jobs.state(ids[0] ?? "")?.outcome).toMatchObject({ is: "done" });
  });
});

describe("under churn and cuts", () => {
  test.each(seeds(2, 100))("of a half that dies only what was in flight is run again (seed %i)", async (seed) => {
    const firstAtMs = new Map<string, number>();
    const begun = new Map<string, number>();
    const tasks = ({ input }: { readonly input: Uint8Array }): number => {
      begun.set(text(input), (begun.get(text(input)) ?? 0) + 1);
      if (!firstAtMs.has(text(input))) firstAtMs.set(text(input), lab.world.nowMs);
      return 200;
    };
    const lab = new JobLab({ seed, tasks });
    const node = await lab.grow(8);
    const id = await lab.submit(node, job(640));
    await lab.world.runUntil(() => (lab.state(id)?.tasks.done ?? 0) > 300, { withinMs: 60_000 });
    const before = new Map(begun);
    const diedAtMs = lab.world.nowMs;
    const victims = ["n1", "n3", "n4", "n6"];
    const nodes = lab.state(id)?.nodes ?? new Map<string, { running: number[]; held: number[] }>();
    // What the living nodes know: none of them holds the result, or one of them runs the task.
    const dead = new Set(victims.map((name) => lab.node(name).net.self));
    const kept = new Set([...nodes].flatMap(([peer, { held }]) => (dead.has(peer) ? [] : [...numbersOf(held)])));
    const running = new Set([...nodes].flatMap(([, each]) => [...numbersOf(each.running)]));
    for (const name of victims) lab.crash(name);
    expect(await lab.outcome(id)).toMatchObject({ is: "done" });
    expect(await lab.result(id)).toBe(mirrored(640));
    const again = [...begun].filter(
      ([input, count]) => (before.get(input) ?? 0) > 0 && count > (before.get(input) ?? 0),
    );
    const tasksAgain = again.map(([input]) => parseInt(input, 10));
    expect(tasksAgain.filter((task) => kept.has(task) && !running.has(task))).toEqual([]);
    // Tasks that began this long before were done and told, and more than half of the nodes had copies.
    const isOver = (task: number): boolean =>
      (firstAtMs.get(`${task} ${task + 1}`) ?? Infinity) < diedAtMs - 200 - IN_FLIGHT_MS;
    expect([...before.keys()].filter((input) => isOver(parseInt(input, 10))).length).toBeGreaterThan(100);
    expect(tasksAgain.filter(isOver)).toEqual([]);
    // Half of the nodes, with two cores each: two seconds of work that they had claimed, and two that nobody had copied
    // yet.
    expect(tasksAgain.length).toBeLessThanOrEqual(4 * 2 * (4_000 / 200));
  });

  test.each(seeds(2, 200))("every job ends once, with the exact cover (seed %i)", async (seed) => {
    const lab = new JobLab({ seed, path: { latencyMs: 20, jitterMs: 20 } });
    await lab.grow(8);
    const { world } = lab;
    const random = world.random.fork("story");
    const count = 150 + Math.floor(random.real() * 150);
    const id = await lab.submit(lab.node("n0"), job(count));
    let next = 8;
    for (let step = 0; step < 6; step++) {
      await world.runFor(300 + random.real() * 700);
      const names = [...lab.running.keys()];
      const victim = names[Math.floor(random.real() * names.length)] ?? "";
      const what = random.real();
      if (what < 0.4 && names.length > 3) lab.crash(victim, { silent: random.real() < 0.5 });
      else if (what < 0.6) await lab.up(`n${next++}`);
      else if (what < 0.8) {
        const half = names.filter(() => random.real() < 0.5);
        world.partition([half]);
      } else world.heal();
    }
    // Each half that is there by itself finishes it; then they meet.
    await world.runFor(random.real() * 30_000);
    world.heal();
    await lab.outcome(id, 240_000);
    await lab.world.runFor(5_000);
    const outcomes = lab.nodes.map(({ jobs }) => jobs.state(id)?.outcome);
    for (const outcome of outcomes) expect(outcome).toEqual(outcomes[0]);
    expect(outcomes[0]).toMatchObject({ is: "done", failed: 0 });
    for (const each of lab.nodes) expect(await lab.result(id, each)).toBe(mirrored(count));
  });

  test("halves that are cut each finish it, and agree on one result", async () => {
    const lab = new JobLab({ seed: 14 }, true);
    await lab.grow(6);
    const id = await lab.submit(lab.node("n0"), job(200));
    await lab.world.runFor(800);
    lab.world.partition([["n0", "n1", "n2"]]);
    const isDone = (): boolean => lab.nodes.every(({ jobs }) => jobs.state(id)?.outcome !== undefined);
    await lab.world.runUntil(isDone, { withinMs: 120_000, everyMs: 100 });
    lab.world.heal();
    await lab.world.runFor(20_000);
    const outcomes = lab.nodes.map(({ jobs }) => jobs.state(id)?.outcome);
    for (const outcome of outcomes) expect(outcome).toEqual(outcomes[0]);
    for (const each of lab.nodes) expect(await lab.result(id, each)).toBe(mirrored(200));
  });
});

test("the same seed gives the same run", async () => {
  const hashes: string[] = [];
  for (let i = 0; i < 2; i++) {
    const lab = new JobLab({ seed: 15 });
    const id = await lab.submit(await lab.grow(4), job(60));
    await lab.outcome(id);
    hashes.push(lab.world.traceHash());
  }
  expect(hashes[0]).toBe(hashes[1]);
});

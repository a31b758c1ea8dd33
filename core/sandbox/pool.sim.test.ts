/**
 * The pool of workers in virtual time: which task runs when, what the end of a worker costs, and how the cores of a
 * device are shared.
 */
import { expect, test } from "vitest";
import { mirror } from "../../test/fixtures/wasm.ts";
import { SimWorld } from "../../test/sim/world.ts";
import { text, utf8 } from "../base/bytes.ts";
import type { Sandbox } from "../ports/sandbox.ts";
import { type CoreBudget, unsharedCores } from "./core-budget.ts";
import { BATCH_TASKS_MAX, WORKER_IDLE_MS } from "./limits.ts";
import { Pool, type PoolResult, type PoolTask } from "./pool.ts";
import { prepareModule } from "./wasm/prepare.ts";

const TASK_MS = 100;
const forever = new AbortController().signal;

function modelOf(input: string): number {
  if (input === "endless") return Infinity;
  return input.startsWith("short") ? 1 : TASK_MS;
}

/** What the module gives. */
function backwards(input: string): string {
  return text(utf8(input).toReversed());
}

class Bench {
  readonly world = new SimWorld({ seed: 1, tasks: ({ input }) => modelOf(text(input)) });
  readonly node = this.world.spawn({ name: "a", kind: "node", cores: 2 });
  /** How many tasks each message to a worker had. */
  readonly sent: number[] = [];
  spawned = 0;
  ended = 0;
  readonly order: string[] = [];

  /** The node's sandbox, its workers counted. */
  readonly sandbox: Sandbox = {
    cores: 2,
    spawn: async () => {
      this.spawned++;
      const worker = await this.node.ports.sandbox.spawn();
      return {
        compile: (bytes, memoryBytesMax) => worker.compile(bytes, memoryBytesMax),
        run: (tasks, ran) => {
          this.sent.push(tasks.inputs.length);
          return worker.run(tasks, ran);
        },
        terminate: () => {
          this.ended++;
          worker.terminate();
        },
      };
    },
  };

  pool(budget: CoreBudget = unsharedCores): Pool {
    return new Pool({ sandbox: this.sandbox, clock: this.node.ports.clock, budget });
  }

  readonly #module = new WebAssembly.Module(prepareModule(mirror(), 2 ** 22));

  async start(
    pool: Pool,
    input: string,
    own: boolean,
    signal: AbortSignal = forever,
    fuelMax = 1_000_000_000,
  ): Promise<PoolResult> {
    const task: PoolTask = {
      job: "j",
      for: "somebody",
      own,
      moduleId: "mirror",
      module: this.#module,
      input: utf8(input),
      fuelMax,
      timeMsMax: 1_000,
    };
    const result = await pool.run(task, signal);
    this.order.push(input);
    return result;
  }

  settle<T>(promise: Promise<T>): Promise<T> {
    return this.world.settle(promise, { withinMs: 60_000 });
  }
}

test("others get the cores that are lent, the node's own tasks all of them, and first", async () => {
  const bench = new Bench();
  const pool = bench.pool();
  const lent = ["l1", "l2", "l3", "l4"].map((input) => bench.start(pool, input, false));
  await bench.world.runFor(1_000);
  expect(pool.running()).toEqual([]);
  pool.lend(1);
  await bench.world.runFor(TASK_MS / 2);
  expect(pool.running().map(({ own }) => own)).toEqual([false]);
  const own = ["o1", "o2", "o3"].map((input) => bench.start(pool, input, true));
  await bench.settle(Promise.all([...lent, ...own]));
  expect(bench.order.slice(0, 4).toSorted()).toEqual(["l1", "o1", "o2", "o3"]);
  expect(bench.spawned).toBe(2);
});

test("a task that outlasts its time costs its worker, and a spare takes over", async () => {
  const bench = new Bench();
  const pool = bench.pool();
  const endless = await bench.settle(bench.start(pool, "endless", true));
  expect(endless).toMatchObject({ ok: false, code: "timeout" });
  expect(bench.ended).toBe(1);
  await bench.world.runFor(500);
  const beganMs = bench.world.nowMs;
  expect(await bench.settle(bench.start(pool, "ab", true))).toMatchObject({ ok: true, output: utf8("ba") });
  // No worker had to be started for it: compiling takes 5 ms in the simulator, starting one 30.
  expect(bench.world.nowMs - beganMs).toBeLessThan(TASK_MS + 20);
});

test("cancelling takes waiting tasks out, ends running ones, and leaves the others alone", async () => {
  const bench = new Bench();
  const pool = bench.pool();
  const controllers = [0, 1, 2, 3].map(() => new AbortController());
  const codes: (string | boolean)[] = [];
  const running = controllers.map(({ signal }, i) =>
    bench.start(pool, i === 0 ? "endless" : `t${i}`, true, signal).then(
      ({ ok }) => (codes[i] = ok),
      (error: { code: string }) => (codes[i] = error.code),
    ),
  );
  await bench.world.runFor(50);
  controllers[0]?.abort();
  controllers[3]?.abort();
  await bench.settle(Promise.all(running));
  expect(codes).toEqual(["cancelled", true, true, "cancelled"]);
  expect(bench.ended).toBe(1);
});

test("idle workers are ended after a while", async () => {
  const bench = new Bench();
  const pool = bench.pool();
  await bench.settle(Promise.all([bench.start(pool, "a", true), bench.start(pool, "b", true)]));
  await bench.world.runFor(WORKER_IDLE_MS - 100);
  expect(bench.ended).toBe(0);
  await bench.world.runFor(200);
  expect(bench.ended).toBe(2);
});

test("closing ends what runs and refuses what waits", async () => {
  const bench = new Bench();
  const pool = bench.pool();
  const codes: string[] = [];
  const all = ["endless", "endless", "waits"].map((input) =>
    bench.start(pool, input, true).catch((error: { code: string }) => codes.push(error.code)),
  );
  await bench.world.runFor(100);
  pool.close();
  await bench.settle(Promise.all(all));
  expect(codes).toEqual(["closed", "closed", "closed"]);
  expect(bench.ended).toBe(bench.spawned);
});

test("two nodes of one device never run more than its cores, and both get on", async () => {
  const bench = new Bench();
  let free = 1;
  const waiting: (() => void)[] = [];
  let running = 0;
  // One core between them, handed on after every task.
  const budget: CoreBudget = {
    acquire: async () => {
      if (free > 0) free--;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      expect(++running).toBe(1);
      return {
        wanted: () => waiting.length > 0,
        release: () => {
          running--;
          const next = waiting.shift();
          if (next === undefined) free++;
          else next();
        },
      };
    },
  };
  const pools = [bench.pool(budget), bench.pool(budget)];
  const all = pools.flatMap((pool, p) => [0, 1, 2, 3, 4].map((i) => bench.start(pool, `${p}/${i}`, true)));
  await bench.settle(Promise.all(all));
  const firstHalf = new Set(bench.order.slice(0, 5).map((name) => name[0]));
  expect(firstHalf.size).toBe(2);
  expect([free, running]).toEqual([1, 0]);
});

test("short tasks go to a worker together, and each gets its own result", async () => {
  const bench = new Bench();
  const pool = bench.pool();
  const names = Array.from({ length: 200 }, (_, i) => `short${i}`);
  const results = await bench.settle(Promise.all(names.map((name) => bench.start(pool, name, true))));
  expect(results.map((result) => result.ok && text(result.output))).toEqual(names.map(backwards));
  expect(bench.sent.reduce((sum, count) => sum + count, 0)).toBe(200);
  // The first ones tell how long such tasks take.
  expect(bench.sent.slice(0, 2)).toEqual([1, 1]);
  expect(bench.sent.length).toBeLessThan(40);
  expect(Math.max(...bench.sent)).toBeLessThanOrEqual(BATCH_TASKS_MAX);
  expect(pool.ended).toBe(200);
  // Together with what the messages took, they took the time that passed.
  expect(results.every((result) => result.ok && result.runMs > 0 && result.runMs < 3)).toBe(true);
  // A long task goes alone, however many short ones there were before.
  bench.sent.length = 0;
  const longer = ["long1", "long2", "long3", "long4", "long5", "long6"].map((name) => bench.start(pool, name, true));
  await bench.settle(Promise.all(longer));
  await bench.settle(Promise.all(["long7", "long8", "long9"].map((name) => bench.start(pool, name, true))));
  expect(bench.sent.slice(-3)).toEqual([1, 1, 1]);
});

test("a task that hangs in a batch ends only itself", async () => {
  const bench = new Bench();
  const pool = bench.pool();
  const warm = Array.from({ length: 40 }, (_, i) => bench.start(pool, `short${i}`, true));
  await bench.settle(Promise.all(warm));
  bench.sent.length = 0;
  const names = Array.from({ length: 12 }, (_, i) => (i === 3 ? "endless" : `shortly${i}`));
  const results = await bench.settle(Promise.all(names.map((name) => bench.start(pool, name, true))));
  expect(Math.max(...bench.sent)).toBeGreaterThan(1);
  expect(results.map((result) => (result.ok ? text(result.output) : result.code))).toEqual(
    names.map((name) => (name === "endless" ? "timeout" : backwards(name))),
  );
});

test("of a batch that fails, the tasks after the failure are run again", async () => {
  const bench = new Bench();
  const pool = bench.pool();
  const warm = Array.from({ length: 40 }, (_, i) => bench.start(pool, `short${i}`, true));
  await bench.settle(Promise.all(warm));
  bench.sent.length = 0;
  const names = Array.from({ length: 12 }, (_, i) => (i === 3 ? `short${"y".repeat(10_000)}` : `short${i}`));
  const results = await bench.settle(Promise.all(names.map((name) => bench.start(pool, name, true, forever, 5_000))));
  expect(Math.max(...bench.sent)).toBeGreaterThan(1);
  expect(results.map((result) => (result.ok ? text(result.output) : result.code))).toEqual(
    names.map((name, i) => (i === 3 ? "out-of-fuel" : backwards(name))),
  );
});

test("a batch of which nobody waits for anything is ended; one that somebody waits for goes on", async () => {
  const bench = new Bench();
  const pool = bench.pool();
  const warm = Array.from({ length: 40 }, (_, i) => bench.start(pool, `short${i}`, true));
  await bench.settle(Promise.all(warm));
  const [all, one] = [new AbortController(), new AbortController()];
  const settled = (name: string, signal: AbortSignal): Promise<string | boolean> =>
    bench.start(pool, name, true, signal).then(
      ({ ok }) => ok,
      (error: { code: string }) => error.code,
    );
  const half = Array.from({ length: 12 }, (_, i) => settled(`short${i}`, i === 2 ? one.signal : forever));
  await bench.world.runFor(1);
  one.abort();
  expect(await bench.settle(Promise.all(half))).toEqual(
    Array.from({ length: 12 }, (_, i) => (i === 2 ? "cancelled" : true)),
  );
  expect(bench.ended).toBe(0);
  const whole = Array.from({ length: 12 }, (_, i) => settled(i < 2 ? "endless" : `short${i}`, all.signal));
  await bench.world.runFor(1);
  all.abort();
  expect(await bench.settle(Promise.all(whole))).toEqual(Array.from({ length: 12 }, () => "cancelled"));
  expect(bench.ended).toBeGreaterThan(0);
  await bench.world.runFor(100);
  expect(pool.running()).toEqual([]);
});

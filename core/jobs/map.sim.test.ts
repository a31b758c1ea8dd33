/** Jobs over simulated swarms: the result is the same whichever nodes leave, fail, stand still or are slow. */
import { describe, expect, test } from "vitest";
import { hostile, mirror } from "../../test/fixtures/wasm.ts";
import { Swarm } from "../../test/sim/nets.ts";
import { seeds } from "../../test/sim/seeds.ts";
import type { WorldOptions } from "../../test/sim/world.ts";
import { equal, text, utf8 } from "../base/bytes.ts";
import type { StarfishError } from "../base/errors.ts";
import type { Net } from "../net/types.ts";
// Loaded with the first map; virtual time does not wait for imports.
import "./borrower.ts";
import "./dispatcher.ts";
import { createCpu } from "./cpu.ts";
import { JOB_BYTES_MAX } from "./limits.ts";
import { CPU_PROTOCOL, cpuRequest } from "./protocol.ts";
import type { ChunkResult, Cpu, JobProgress, MapJob } from "./types.ts";

const LENT = 2;
/** What a task takes in the simulator unless said otherwise. */
const TASK_MS = 100;

class Lab {
  readonly swarm: Swarm;
  readonly cpus = new Map<string, Cpu>();

  constructor(seed: number, options: Omit<WorldOptions, "seed"> = {}) {
    this.swarm = new Swarm(seed, options);
  }

  /** Machines n0, n1, …; the first is the founder and submits. */
  async grow(count: number, lent: number = LENT, slow: Readonly<Record<string, number>> = {}): Promise<Cpu> {
    for (let i = 0; i < count; i++) await this.join(`n${i}`, i === 0 ? 0 : lent, slow[`n${i}`] ?? 1);
    await this.swarm.agreement(30_000);
    const submitter = this.swarm.net("n0");
    const lending = (): number => submitter.members().filter(({ record }) => record.coresLent > 0).length;
    await this.swarm.world.runUntil(() => lending() === (lent > 0 ? count - 1 : 0), { withinMs: 30_000 });
    return this.cpu("n0");
  }

  async join(name: string, lent: number, speed: number): Promise<Net> {
    const founder = this.swarm.nets.get("n0");
    const node = this.swarm.world.spawn({ name, kind: "node", cores: LENT, speed });
    const net = await this.swarm.start(node, founder === undefined ? {} : { invite: founder.invite() });
    this.cpus.set(name, createCpu({ coresLent: lent })({ ...node.ports, net }));
    return net;
  }

  cpu(name: string): Cpu {
    const cpu = this.cpus.get(name);
    if (cpu === undefined) throw new Error(`No processor called ${name}`);
    return cpu;
  }

  busy(): number {
    return [...this.cpus]
      .filter(([name]) => this.swarm.world.node(name).running)
      .reduce((sum, [, cpu]) => sum + cpu.running().length, 0);
  }
}

function job(chunks: number, more: Partial<MapJob> = {}): MapJob {
  return {
    title: "mirror",
    module: mirror(),
    inputs: Array.from({ length: chunks }, (_, i) => utf8(`chunk ${i}`)),
    ...more,
  };
}

class Run {
  readonly results: ChunkResult[] = [];
  readonly controller = new AbortController();
  progress: JobProgress | undefined;
  readonly done: Promise<StarfishError | undefined>;

  constructor(cpu: Cpu, what: MapJob) {
    this.done = this.#collect(cpu, what).then(
      () => undefined,
      (error: unknown) => error as StarfishError,
    );
  }

  async #collect(cpu: Cpu, what: MapJob): Promise<void> {
    const onProgress = (progress: JobProgress): void => {
      this.progress = progress;
    };
    for await (const result of cpu.map(what, { signal: this.controller.signal, onProgress })) this.results.push(result);
  }

  /** Each chunk is there once, and right. */
  check(chunks: number): void {
    const sorted = this.results.toSorted((a, b) => a.index - b.index);
    expect(sorted.map(({ index }) => index)).toEqual(Array.from({ length: chunks }, (_, i) => i));
    for (const { index, output } of sorted) expect(text(output)).toBe(text(utf8(`chunk ${index}`).toReversed()));
  }
}

describe("map in a swarm", () => {
  test("a lone node that lends nothing runs its own jobs", async () => {
    const lab = new Lab(1);
    const run = new Run(await lab.grow(1), job(20));
    expect(await lab.swarm.settle(run.done)).toBeUndefined();
    run.check(20);
    expect(run.progress).toMatchObject({ chunksDone: 20, chunksTotal: 20, chunksRunning: 0, reissued: 0 });
  });

  test("twenty nodes share the work, and keep their cores busy", async () => {
    const lab = new Lab(2);
    const cpu = await lab.grow(20);
    const run = new Run(cpu, job(800));
    const beganMs = lab.swarm.world.nowMs;
    expect(await lab.swarm.settle(run.done)).toBeUndefined();
    run.check(800);
    const idealMs = (800 * TASK_MS) / (20 * LENT);
    expect(run.progress?.byPeer.size).toBe(20);
    // On both sides a worker starts that checks the module.
    expect(lab.swarm.world.nowMs - beganMs).toBeLessThan(idealMs * 1.3 + 2 * 30);
    await lab.swarm.world.runUntil(() => lab.busy() === 0, { withinMs: 1_000 });
  });

  test.each(seeds(2, 50))("nodes crash and leave half-way, and the result is the same (seed %i)", async (seed) => {
    const lab = new Lab(seed, { path: { loss: 0.02, latencyMs: 30, jitterMs: 20 } });
    const run = new Run(await lab.grow(20), job(600));
    const { world } = lab.swarm;
    await world.runUntil(() => run.results.length > 100, { withinMs: 30_000 });
    for (const name of ["n1", "n2", "n3"]) lab.swarm.crash(name);
    world.crash("n4", { silent: true });
    world.crash("n5", { silent: true });
    void lab.swarm.net("n6").leave();
    await world.runUntil(() => run.results.length > 300, { withinMs: 60_000 });
    world.crash("n7", { silent: true });
    expect(await lab.swarm.settle(run.done, 120_000)).toBeUndefined();
    run.check(600);
  });

  test("a node ten times slower gets less, and holds nobody up", async () => {
    const lab = new Lab(3);
    const run = new Run(await lab.grow(5, LENT, { n2: 0.1 }), job(200));
    const beganMs = lab.swarm.world.nowMs;
    expect(await lab.swarm.settle(run.done)).toBeUndefined();
    run.check(200);
    const idealMs = (200 * TASK_MS) / (4.1 * LENT);
    expect(lab.swarm.world.nowMs - beganMs).toBeLessThan(idealMs + 7 * TASK_MS);
    expect(run.progress?.byPeer.get(lab.swarm.net("n2").self) ?? 0).toBeLessThan(12);
  });

  test("a node that joins half-way helps", async () => {
    const lab = new Lab(4);
    const run = new Run(await lab.grow(2), job(300));
    await lab.swarm.world.runUntil(() => run.results.length > 50, { withinMs: 30_000 });
    const net = await lab.join("late", LENT, 1);
    expect(await lab.swarm.settle(run.done)).toBeUndefined();
    run.check(300);
    expect(run.progress?.byPeer.get(net.self) ?? 0).toBeGreaterThan(20);
  });

  test("liars who never answer, answer nonsense, or claim that the task traps, cost time only", async () => {
    const lab = new Lab(5);
    const cpu = await lab.grow(4);
    const liars: readonly (() => Promise<unknown>)[] = [
      () => new Promise(() => {}),
      async () => ({ is: "done", output: "much", runMs: -1 }),
      async () => ({ is: "need", blobs: ["ab".repeat(32)] }),
      async () => null,
      async () => ({ is: "failed", code: "wasm-trap", message: "unreachable" }),
    ];
    for (const [i, serve] of liars.entries()) {
      const node = lab.swarm.world.spawn({ name: `liar${i}`, kind: "node" });
      const net = await lab.swarm.start(node, { invite: lab.swarm.net("n0").invite() });
      net.handle(CPU_PROTOCOL, cpuRequest, serve);
      net.update({ coresLent: 8 });
    }
    const founder = lab.swarm.net("n0");
    await lab.swarm.world.runUntil(
      () => founder.members().filter(({ record }) => record.coresLent === 8).length === liars.length,
      { withinMs: 30_000 },
    );
    const run = new Run(cpu, job(200));
    const beganMs = lab.swarm.world.nowMs;
    expect(await lab.swarm.settle(run.done, 60_000)).toBeUndefined();
    run.check(200);
    expect(lab.swarm.world.nowMs - beganMs).toBeLessThan(10_000);
  });
});

describe("payloads", () => {
  test("inputs and outputs larger than a message arrive whole", async () => {
    const lab = new Lab(6, { tasks: () => 2_000 });
    const cpu = await lab.grow(3);
    const inputs = Array.from({ length: 12 }, (_, i) => new Uint8Array(450_000).map((_, j) => (i + j) % 251));
    const run = new Run(cpu, job(0, { inputs }));
    expect(await lab.swarm.settle(run.done, 120_000)).toBeUndefined();
    expect(run.results.length).toBe(12);
    expect(new Set(run.results.map(({ by }) => by)).size).toBeGreaterThan(1);
    for (const { index, output } of run.results)
      expect(equal(output, inputs[index]?.toReversed() ?? utf8(""))).toBe(true);
  });

  test("a source is read with a bounded lead", async () => {
    const lab = new Lab(7);
    const cpu = await lab.grow(3);
    let read = 0;
    async function* source(): AsyncGenerator<Uint8Array> {
      for (; read < 300; read++) yield utf8(`chunk ${read}`);
    }
    const run = new Run(cpu, job(0, { inputs: source() }));
    await lab.swarm.world.runUntil(() => run.results.length > 20, { withinMs: 10_000 });
    expect(read - run.results.length).toBeLessThan(100);
    expect(await lab.swarm.settle(run.done)).toBeUndefined();
    run.check(300);
  });
});

test("results in order that wait for the first one are bounded, and nothing is computed or read beyond", async () => {
  const bytes = 400_000;
  const lab = new Lab(9, { tasks: ({ input }) => (input.length === 1 ? 50_000 : 100) });
  const cpu = await lab.grow(3);
  let read = 0;
  async function* source(): AsyncGenerator<Uint8Array> {
    for (; read < 400; read++) yield read === 0 ? utf8("0") : new Uint8Array(bytes).fill(read);
  }
  const run = new Run(cpu, job(0, { inputs: source(), ordered: true }));
  await lab.swarm.world.runFor(45_000);
  expect(run.results).toEqual([]);
  expect((run.progress?.chunksDone ?? 0) * bytes).toBeGreaterThan(JOB_BYTES_MAX / 2);
  expect(read * bytes).toBeLessThan(1.5 * JOB_BYTES_MAX);
  expect(await lab.swarm.settle(run.done, 300_000)).toBeUndefined();
  expect(run.results.map(({ index }) => index)).toEqual(Array.from({ length: 400 }, (_, i) => i));
});

describe("ending a job", () => {
  test("cancelling frees every core in the swarm", async () => {
    const lab = new Lab(8, { tasks: () => 30_000 });
    const cpu = await lab.grow(6);
    const run = new Run(cpu, job(100));
    await lab.swarm.world.runUntil(() => lab.busy() >= 12, { withinMs: 10_000 });
    expect(cpu.jobs().map(({ title }) => title)).toEqual(["mirror"]);
    expect(cpu.cancel(cpu.jobs()[0]?.id ?? "")).toBe(true);
    expect(await lab.swarm.settle(run.done)).toMatchObject({ code: "cancelled" });
    await lab.swarm.world.runUntil(() => lab.busy() === 0, { withinMs: 2_000 });
    expect(cpu.jobs()).toEqual([]);
    expect(cpu.cancel("nothing")).toBe(false);
  });

  test("a trap ends the job with its reason", async () => {
    const lab = new Lab(9);
    const run = new Run(await lab.grow(3), job(10, { module: hostile.trap() }));
    expect(await lab.swarm.settle(run.done)).toMatchObject({ code: "wasm-trap" });
    await lab.swarm.world.runUntil(() => lab.busy() === 0, { withinMs: 2_000 });
  });

  test("a task that never ends is a timeout only when a second node has seen it too", async () => {
    const lab = new Lab(10, { tasks: ({ input }) => (text(input) === "chunk 5" ? Infinity : TASK_MS) });
    const cpu = await lab.grow(3);
    const beganMs = lab.swarm.world.nowMs;
    const run = new Run(cpu, job(10, { limits: { timeMsMax: 1_000 } }));
    expect(await lab.swarm.settle(run.done)).toMatchObject({ code: "timeout" });
    expect(lab.swarm.world.nowMs - beganMs).toBeGreaterThan(1_000);
    expect(run.results.length).toBe(9);
    await lab.swarm.world.runUntil(() => lab.busy() === 0, { withinMs: 2_000 });
  });

  test("a slow machine's timeout is made good by a fast one", async () => {
    const lab = new Lab(11, { tasks: () => 400 });
    const run = new Run(await lab.grow(3, LENT, { n1: 0.1 }), job(30, { limits: { timeMsMax: 1_000 } }));
    expect(await lab.swarm.settle(run.done)).toBeUndefined();
    run.check(30);
  });

  test("what is wrong with a module is said before anybody is asked", async () => {
    const lab = new Lab(12);
    const run = new Run(await lab.grow(1), job(3, { module: utf8("no module") }));
    expect(await lab.swarm.settle(run.done)).toMatchObject({ code: "not-wasm" });
  });
});

test("the same seed gives the same run", async () => {
  const hashes: string[] = [];
  for (let i = 0; i < 2; i++) {
    const lab = new Lab(13, { path: { loss: 0.02 } });
    const run = new Run(await lab.grow(6), job(100));
    await lab.swarm.settle(run.done);
    hashes.push(lab.swarm.world.traceHash());
  }
  expect(hashes[0]).toBe(hashes[1]);
});

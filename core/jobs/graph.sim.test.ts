/** Jobs whose tasks take other tasks' results, and jobs whose tasks return further tasks. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { mirror } from "../../test/fixtures/wasm.ts";
import { JobLab } from "../../test/sim/job-lab.ts";
import { seeds } from "../../test/sim/seeds.ts";
import { text, utf8 } from "../base/bytes.ts";
import type { JobSpec, Program } from "./spec.ts";
import type { GraphOptions, GraphTask } from "./types.ts";

/** Read beforehand: virtual time does not wait for a disk. */
const JAVASCRIPT = new Uint8Array(readFileSync("node_modules/quickjs-wasi/quickjs.wasm"));
const LIMITS = { memoryBytesMax: 2 ** 25, timeMsMax: 60_000 };

/**
 * Four rows of tasks, each of which needs its neighbours in the row above; and the result, computed here by the same
 * rule.
 */
function lattice(width: number): { readonly tasks: GraphTask[]; readonly result: string } {
  let row: { readonly task: GraphTask; readonly output: string }[] = [];
  const tasks: GraphTask[] = [];
  for (let depth = 0; depth < 4; depth++) {
    const above = row;
    row = Array.from({ length: width }, (_, i) => {
      const needs = depth === 0 ? [] : [above[i], above[(i + 1) % width]].filter((each) => each !== undefined);
      const own = `${depth}.${i} `;
      const task = { input: utf8(own), needs: needs.map((each) => each.task) };
      const input = `${needs.map(({ output }) => output).join("")}${own}`;
      return { task, output: text(utf8(input).toReversed()) };
    });
    tasks.push(...row.map(({ task }) => task));
  }
  return { tasks, result: row.map(({ output }) => output).join("") };
}

test.each([undefined, { runs: 3, agree: 2 }])(
  "a graph runs as its inputs appear, although nodes die (verify: %j)",
  async (verify) => {
    const lab = new JobLab({ seed: 1 });
    const node = await lab.grow(5);
    const { tasks, result } = lattice(8);
    const inputs = await lab.world.settle(node.jobs.graphOf(tasks), { withinMs: 10_000 });
    const program = { kind: "bytes", module: { bytes: mirror() } } as const;
    const spec: JobSpec = { title: "graph", program, inputs, combine: { how: "concat" }, limits: LIMITS, verify };
    const id = await lab.submit(node, spec);
    await lab.world.runUntil(() => (lab.state(id)?.tasks.done ?? 0) > 6, { withinMs: 20_000 });
    lab.crash("n0");
    lab.crash("n3", { silent: true });
    expect(await lab.outcome(id, 240_000)).toMatchObject({ is: "done" });
    expect(await lab.result(id)).toBe(result);
  },
);

interface ScriptLab {
  readonly lab: JobLab;
  /** A function of JavaScript that takes a task's whole input. */
  readonly script: (source: string) => Program;
}

async function labOf(seed: number, nodes: number): Promise<ScriptLab> {
  const lab = new JobLab({ seed });
  const node = await lab.grow(nodes);
  const module = await lab.world.settle(node.jobs.content(JAVASCRIPT), { withinMs: 10_000 });
  return { lab, script: (source) => ({ kind: "javascript", form: "text", module, source: { bytes: utf8(source) } }) };
}

/** Five nodes and a job of these tasks, which has begun to return tasks when two of the nodes die. */
async function grown(
  lab: JobLab,
  more: Pick<JobSpec, "program" | "verify">,
  tasks: readonly GraphTask[],
  options: GraphOptions = {},
): Promise<string> {
  const node = lab.firstNode();
  const inputs = await lab.world.settle(node.jobs.graphOf(tasks, options), { withinMs: 10_000 });
  const id = await lab.submit(node, { title: "graph", inputs, combine: { how: "concat" }, limits: LIMITS, ...more });
  await lab.world.runUntil(() => (lab.state(id)?.tasks.total ?? 0) > 10, { withinMs: 60_000 });
  lab.crash("n0");
  lab.crash("n3", { silent: true });
  return id;
}

const FIBONACCI = `(text) => {
  const n = Number(text);
  if (n < 2) return n + "\\n";
  const both = [n - 1, n - 2].map((less) => ({ input: String(less), grows: true }));
  return { tasks: [...both, { needs: [0, 1], program: 1 }] };
}`;
const ADDED = `(text) => text.trim().split("\\n").reduce((sum, each) => sum + Number(each), 0) + "\\n"`;

const QUICKSORT = `(text) => {
  const all = text.split(" ").filter(Boolean).map(Number);
  if (all.length < 6) return all.sort((a, b) => a - b).map((each) => each + "\\n").join("");
  const [pivot, ...rest] = all;
  const part = (numbers) => ({ input: numbers.join(" "), grows: true });
  return { tasks: [part(rest.filter((each) => each < pivot)), part([pivot]), part(rest.filter((each) => each >= pivot))] };
}`;

test.each([undefined, { runs: 3, agree: 2 }].flatMap((verify) => seeds(1, 30).map((seed) => ({ verify, seed }))))(
  "tasks return tasks of two programs, which become part of the job, although nodes die (%j)",
  async ({ verify, seed }) => {
    const { lab, script } = await labOf(seed, 5);
    const added = script(ADDED);
    const tasks = [5, 4].map((n) => ({ input: utf8(String(n)), grows: true }));
    const total = { needs: tasks, program: 1 };
    const options = { programs: [added] };
    const id = await grown(lab, { program: script(FIBONACCI), verify }, [...tasks, total, { ...total }], options);
    // A node that comes later gives the tasks the same numbers, from their results alone.
    await lab.up("late");
    const outcome = await lab.outcome(id, 240_000);
    // Each fib(n) with n > 1 returns three tasks.
    const calls = (n: number): number => (n < 2 ? 1 : 2 + calls(n - 1) + calls(n - 2));
    expect(outcome).toMatchObject({ is: "done", failed: 0, tasks: calls(5) + calls(4) + 2 });
    const done = calls(5) + calls(4) + 2;
    for (const each of lab.nodes) {
      expect(await lab.result(id, each)).toBe("8\n8\n");
      expect(lab.state(id, each)?.tasks).toEqual({ total: done, done, running: 0, failed: 0 });
    }
  },
);

test("in a verified job a liar's answer is no list of tasks that counts, and it is named", async () => {
  const { lab, script } = await labOf(7, 5);
  const liar = await lab.up("liar", { lies: (input) => input.length < 3 });
  await lab.acquainted();
  const [node, programs] = [lab.firstNode(), [script(ADDED)]];
  const graph = node.jobs.graphOf([{ input: utf8("5"), grows: true }], { programs });
  const inputs = await lab.world.settle(graph, { withinMs: 10_000 });
  const rest = { combine: { how: "concat" }, limits: LIMITS, verify: { runs: 3, agree: 2 } } as const;
  const id = await lab.submit(node, { title: "graph", program: script(FIBONACCI), inputs, ...rest });
  expect(await lab.outcome(id, 240_000)).toMatchObject({ is: "done", named: [{ peer: liar.net.self }] });
  expect(await lab.result(id)).toBe("5\n");
});

test("a list's tasks stand in the place of the one that returned it, in order", async () => {
  const { lab, script } = await labOf(4, 5);
  const numbers = Array.from({ length: 60 }, (_, i) => (i * 37) % 61);
  const id = await grown(lab, { program: script(QUICKSORT), verify: undefined }, [
    { input: utf8(numbers.join(" ")), grows: true },
    { input: utf8("100 99") },
  ]);
  expect(await lab.outcome(id, 240_000)).toMatchObject({ is: "done" });
  const sorted = [...numbers.toSorted((a, b) => a - b), 99, 100];
  expect(await lab.result(id)).toBe(sorted.map((each) => `${each}\n`).join(""));
});

test("a module of ABI 1 returns tasks as JSON, with bytes in base64", async () => {
  const lab = new JobLab({ seed: 6 });
  const node = await lab.grow(3);
  const told = '{"tasks":[{"base64":"Y2Jh"},{"input":"fed"},{"input":"ihg","needs":[1]}]}';
  // The module gives its input backwards.
  const tasks = [{ input: utf8("zy") }, { input: utf8(told).toReversed(), grows: true }];
  const inputs = await lab.world.settle(node.jobs.graphOf(tasks), { withinMs: 10_000 });
  const program = { kind: "bytes", module: { bytes: mirror() } } as const;
  const id = await lab.submit(node, { title: "graph", program, inputs, combine: { how: "concat" }, limits: LIMITS });
  expect(await lab.outcome(id)).toMatchObject({ is: "done", tasks: 5 });
  expect(await lab.result(id)).toBe("yzabcghifed");
});

test.each([
  ["no end", "(text) => ({ tasks: [{ input: text, grows: true }] })", "too-large", /tasks of this job are 30/],
  ["no tasks", "(text) => ({ tasks: [{ needs: [0] }] })", "task-failed", /It returned no tasks: .*needs/],
])("a job of which a task returns what has %s fails with that", async (_, source, code, message) => {
  const { lab, script } = await labOf(5, 2);
  const node = lab.firstNode();
  const tasks = [{ input: utf8("x"), grows: true }];
  const inputs = await lab.world.settle(node.jobs.graphOf(tasks, { tasksMax: 30 }), { withinMs: 10_000 });
  const rest = { title: "graph", program: script(source), combine: { how: "none" }, limits: LIMITS } as const;
  const id = await lab.submit(node, { ...rest, inputs });
  const failure = { code, message: expect.stringMatching(message) };
  expect(await lab.outcome(id)).toMatchObject({ is: "failed", failure });
});

test("is written as docs/tasks.md says", async () => {
  const lab = new JobLab({ seed: 2 }, true);
  const { jobs } = await lab.grow(3);
  const engines = { javascript: JAVASCRIPT };
  const computer = { jobs, engine: (kind: "javascript") => Promise.resolve(engines[kind]) };
  const run = async (): Promise<string> => {
    // docs/tasks.md
    const [a, b] = [{ input: utf8("1\n2\n") }, { input: utf8("3\n") }];
    const both = { needs: [a, b], input: utf8("4\n") };
    const program = {
      kind: "javascript",
      form: "numbers",
      module: await computer.jobs.content(await computer.engine("javascript")),
      source: await computer.jobs.content(utf8("(n) => n * 10")),
    } as const;
    const { id } = await computer.jobs.submit({
      title: "graph",
      program,
      inputs: await computer.jobs.graphOf([a, b, both]),
      combine: { how: "concat" },
      limits: { memoryBytesMax: 2 ** 25, timeMsMax: 60_000 },
    });
    // "100\n200\n300\n40\n"
    return id;
  };
  const id = await lab.world.settle(run(), { withinMs: 60_000 });
  expect(await lab.outcome(id)).toMatchObject({ is: "done" });
  expect(await lab.result(id)).toBe("100\n200\n300\n40\n");
  const later = { input: utf8("x") };
  await expect(lab.world.settle(jobs.graphOf([{ needs: [later] }, later]), { withinMs: 1_000 })).rejects.toMatchObject({
    code: "malformed",
  });
});

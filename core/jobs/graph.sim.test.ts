/** Jobs whose tasks take other tasks' results. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { mirror } from "../../test/fixtures/wasm.ts";
import { JobLab } from "../../test/sim/job-lab.ts";
import { text, utf8 } from "../base/bytes.ts";
import type { JobSpec } from "./spec.ts";
import type { GraphTask } from "./types.ts";

/** Read beforehand: virtual time does not wait for a disk. */
const JAVASCRIPT = new Uint8Array(readFileSync("node_modules/quickjs-wasi/quickjs.wasm"));
const LIMITS = { memoryBytesMax: 2 ** 25, timeMsMax: 60_000 };

/** Four rows, of which each task needs its neighbours in the row above; as the program computes it, and as this does. */
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

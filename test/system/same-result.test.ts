/**
 * The same task has the same result and uses the same fuel in Node and in Chromium: generated modules (control flow,
 * calls, floats with NaNs, memory, tables, vectors), the bundled tasks, and scripts. Everything that a task ends with
 * is compared: its output, or its error with the message. `LONG=1` compares 20 seeds.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { utf8 } from "../../core/base/bytes.ts";
import { ENGINES, type ScriptKind } from "../../core/sandbox/languages/engines.ts";
import { JAVASCRIPT, PYTHON, type Snippet } from "../../core/sandbox/languages/snippets.fixture.ts";
import { LIMITS_DEFAULT } from "../../core/sandbox/limits.ts";
import { packageRoot } from "../../node/package-root.ts";
import { nodeSandbox } from "../../node/sandbox.ts";
import { buildTasks, TASKS_OUTPUT } from "../../wasm-tasks/build.ts";
import { openTabSandbox, type TabSandbox } from "../same-result/tab.ts";
import { generatedTasks, outcomesOf, type Task } from "../same-result/task.ts";

const SEEDS: number = process.env["LONG"] === undefined ? 1 : 20;
const MODULES_EACH = 250;
/** Each of these compiles an engine anew, in both places. */
const SNIPPETS_EACH = 4;
/** Inputs of the bundled tasks; a task that is not named here gets the first. */
const INPUTS: Readonly<Record<string, readonly string[]>> = {
  primes: ["0 100000", "999000 1000000", "no range"],
  mandelbrot: ["64 48 0 0 64 48 -0.6 0 1 400"],
  wordcount: ["to be or not to be\nthat is the question\n"],
};
const ANY_INPUT: readonly string[] = ["0 1000\n"];

const sandbox = nodeSandbox({ cores: 1 });
let tab: TabSandbox;

beforeAll(async () => {
  await buildTasks();
  tab = await openTabSandbox();
});
afterAll(async () => {
  await tab?.[Symbol.asyncDispose]();
});

describe("in Node and in a tab", () => {
  test.each(Array.from({ length: SEEDS }, (_, i) => i + 1))(
    `${MODULES_EACH} generated modules, seed %i`,
    { timeout: 300_000 },
    async (seed) => {
      const sample = { seed, count: MODULES_EACH };
      const here = await outcomesOf(sandbox, generatedTasks(sample));
      expect(await tab.generated(sample)).toEqual(here);
      // Most of the tasks compute something; the others end in every possible way.
      const endsWith = (pattern: RegExp): number => here.filter((line) => pattern.test(line)).length;
      expect(endsWith(/ \d+ [0-9a-f]{16}$/)).toBeGreaterThan(MODULES_EACH / 2);
      for (const way of [/ out-of-fuel /, / call-depth /, / wasm-trap /]) expect(endsWith(way)).toBeGreaterThan(0);
    },
  );

  test("the bundled tasks", async () => {
    const names = (await readdir(TASKS_OUTPUT)).filter((name) => name.endsWith(".wasm"));
    const tasks: Task[] = [];
    for (const file of names.sort()) {
      const name = file.slice(0, -".wasm".length);
      const module = await readFile(join(TASKS_OUTPUT, file));
      for (const input of INPUTS[name] ?? ANY_INPUT)
        tasks.push({ name, module, input: utf8(input), fuelMax: LIMITS_DEFAULT.fuelMax });
    }
    expect(tasks.length).toBeGreaterThanOrEqual(5);
    expect(await tab.run(tasks)).toEqual(await outcomesOf(sandbox, tasks));
  });

  test.each<[ScriptKind, readonly Snippet[]]>([
    ["javascript", JAVASCRIPT],
    ["python", PYTHON],
  ])("scripts in %s", async (kind, snippets) => {
    const { package: from, file } = ENGINES[kind];
    const module = await readFile(join(packageRoot, "node_modules", from, file));
    const tasks = snippets
      .filter(({ gives }) => typeof gives === "string")
      .slice(0, SNIPPETS_EACH)
      .map(({ source, input, form, reduce }, i) => ({
        name: `${kind} ${i}`,
        module,
        program: { kind, source, form, reduce },
        input: utf8(input),
        fuelMax: LIMITS_DEFAULT.fuelMax,
      }));
    const here = await outcomesOf(sandbox, tasks);
    expect(here.filter((line) => !/ \d+ [0-9a-f]{16}$/.test(line))).toEqual([]);
    expect(await tab.run(tasks)).toEqual(here);
  });
});

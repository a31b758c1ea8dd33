/** Runs a job to its end: the task's input, its module, its progress, and what becomes of its results. */
import { StarfishError } from "../../base/errors.ts";
import type { CommandContext } from "../types.ts";
import { mandelbrot } from "./mandelbrot.ts";
import { own } from "./own.ts";
import { primes } from "./primes.ts";
import { ProgressLine } from "./progress.ts";
import type { MapTask, Options } from "./task.ts";
import { wordcount } from "./wordcount.ts";

/** For each a module of the same name comes along. */
const TASKS: Readonly<Record<string, MapTask>> = { primes, wordcount, mandelbrot };

/** `name` is that of a task, or the path of a module of the person's own. */
export async function runMap(name: string, isFile: boolean, options: Options, context: CommandContext): Promise<void> {
  const task = isFile ? own : TASKS[name];
  if (task === undefined) throw new StarfishError("usage", `there is no task '${name}'`);
  const work = await task.prepare(options, context);
  const module = isFile
    ? await context.host.readFile(name, { signal: context.signal })
    : await context.computer.builtin(name);
  await runWork(titleOf(name), module, work, context);
}

async function runWork(
  title: string,
  module: Uint8Array,
  work: Awaited<ReturnType<MapTask["prepare"]>>,
  context: CommandContext,
): Promise<void> {
  const { computer, signal, stderr, terminal } = context;
  const progress = new ProgressLine(computer, title, stderr, () => terminal.stderr);
  try {
    // Without any input there is nothing to run, but still a module to find fault with.
    const results = computer.cpu.map(
      { title, module, inputs: work.inputs, ordered: work.ordered ?? false },
      { signal, onProgress: (now) => progress.update(now) },
    );
    for await (const result of results) await work.take(result);
    progress.finish();
  } catch (error) {
    progress.hide();
    throw error;
  }
  await work.finish();
}

/** For people and progress: the file's name without its folders. */
function titleOf(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1).replace(/\.wasm$/, "");
}

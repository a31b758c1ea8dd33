/** map: one module over many inputs, on every core that the swarm lends. */
import { StarfishError } from "../../base/errors.ts";
import { mandelbrot } from "../map/mandelbrot.ts";
import { own } from "../map/own.ts";
import { primes } from "../map/primes.ts";
import { ProgressLine } from "../map/progress.ts";
import type { MapTask } from "../map/task.ts";
import { wordcount } from "../map/wordcount.ts";
import { parseArguments } from "../options.ts";
import { suggest } from "../suggest.ts";
import type { Command, CommandContext } from "../types.ts";

/** The tasks that come with Starfish: for each a module of the same name. */
const TASKS: Readonly<Record<string, MapTask>> = { primes, wordcount, mandelbrot };

export const map: Command = {
  name: "map",
  summary: "run a task on every node that lends cores",
  help: `
usage: map primes --range LO..HI [--chunks N]
       map wordcount [--lines N]                       counts the words of standard input
       map mandelbrot [--size WxH] [--at RE,IM,ZOOM] [--out FILE.png]
       map ./MODULE.wasm [--lines N | --range LO..HI [--chunks N]]

Cuts the work into chunks, runs them on this node and on all members that lend cores, and combines what comes back. A
chunk whose node leaves or fails is run by another. Ctrl-C stops it everywhere.

A module of your own exports memory, alloc and run and imports nothing. It gets the lines of standard input, N at a time
(500 unless told), or 'LO HI' of each part of the range; its outputs are printed in order.

mandelbrot draws in the terminal, each tile framed in the colour of the node that computed it; with --out, or into a
pipe, it gives a PNG.

  map primes --range 0..20000000
`,
  async run(context) {
    const { options, operands } = parseArguments(context.args, {
      range: "value",
      chunks: "value",
      lines: "value",
      size: "value",
      at: "value",
      out: "value",
    });
    const [name, extra] = operands;
    if (name === undefined)
      throw new StarfishError("usage", "TASK is missing: primes, wordcount, mandelbrot or ./MODULE.wasm");
    if (extra !== undefined) throw new StarfishError("usage", `'${extra}' is one word too many`);
    const isFile = name.includes("/") || name.endsWith(".wasm");
    const task = isFile ? own : TASKS[name];
    if (task === undefined) throw noSuchTask(name);
    const foreign = Object.keys(options).find((option) => !task.options.includes(option));
    if (foreign !== undefined) throw new StarfishError("usage", `map ${name} takes no --${foreign}`);
    const work = await task.prepare(options, context);
    const module = isFile
      ? await context.host.readFile(name, { signal: context.signal })
      : await context.computer.builtin(name);
    await runWork(titleOf(name), module, work, context);
    return 0;
  },
  complete: (words, computer) =>
    words.length === 2 ? computer.builtins().filter((task) => Object.hasOwn(TASKS, task)) : optionsOf(words),
};

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
      { title, module, inputs: work.inputs },
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

function noSuchTask(name: string): StarfishError {
  const near = suggest(name, Object.keys(TASKS));
  const hint =
    near === undefined
      ? `tasks are ${Object.keys(TASKS).join(", ")}; a module of yours is given as ./${name}.wasm`
      : `did you mean ${near}?`;
  return new StarfishError("usage", `there is no task '${name}'; ${hint}`);
}

/** For people and progress: the file's name without its folders. */
function titleOf(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1).replace(/\.wasm$/, "");
}

function optionsOf(words: readonly string[]): string[] {
  const task = TASKS[words[1] ?? ""] ?? own;
  return task.options.map((option) => `--${option}`);
}

/** map: one module over many inputs, on every core that the swarm lends. */
import { StarfishError } from "../../base/errors.ts";
import { parseArguments } from "../options.ts";
import { suggest } from "../suggest.ts";
import type { Command } from "../types.ts";

/** The tasks that come with Starfish, and the options of each. All take a value. */
const TASKS: Readonly<Record<string, readonly string[]>> = {
  primes: ["range", "chunks"],
  wordcount: ["lines"],
  mandelbrot: ["size", "at", "out"],
};
/** Of a module of one's own. */
const OWN: readonly string[] = ["lines", "range", "chunks"];

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
    const known = isFile ? OWN : TASKS[name];
    if (known === undefined) throw noSuchTask(name);
    const foreign = Object.keys(options).find((option) => !known.includes(option));
    if (foreign !== undefined) throw new StarfishError("usage", `map ${name} takes no --${foreign}`);
    // A page loads what prepares and shows jobs when there is one.
    const { runMap } = await import("../map/run.ts");
    await runMap(name, isFile, options, context);
    return 0;
  },
  complete: (words, computer) =>
    words.length === 2 ? computer.builtins().filter((task) => Object.hasOwn(TASKS, task)) : optionsOf(words),
};

function noSuchTask(name: string): StarfishError {
  const near = suggest(name, Object.keys(TASKS));
  const hint =
    near === undefined
      ? `tasks are ${Object.keys(TASKS).join(", ")}; a module of yours is given as ./${name}.wasm`
      : `did you mean ${near}?`;
  return new StarfishError("usage", `there is no task '${name}'; ${hint}`);
}

function optionsOf(words: readonly string[]): string[] {
  const options = TASKS[words[1] ?? ""] ?? OWN;
  return options.map((option) => `--${option}`);
}

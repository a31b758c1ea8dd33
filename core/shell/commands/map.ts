/** map: one program over many inputs, on every core that the swarm lends. */
import { StarfishError } from "../../base/errors.ts";
import { mapWords } from "../map/words.ts";
import { suggest } from "../suggest.ts";
import type { Command } from "../types.ts";

/** What comes with Starfish, and the options of each. */
const TASKS: Readonly<Record<string, readonly string[]>> = {
  primes: ["range", "chunks"],
  wordcount: ["lines"],
  mandelbrot: ["size", "at", "out"],
  grep: ["each-file", "ignore-case", "lines"],
  sha256: ["each-file"],
  pi: ["range", "chunks"],
  nbody: ["bodies", "chunks"],
};
/** Of a script or module of one's own. */
const OWN: readonly string[] = ["lines", "range", "chunks", "json", "each-file", "out", "reduce"];
const LANGUAGES = ["js", "ts", "python"];

export const map: Command = {
  name: "map",
  summary: "run a function or task on every node that lends cores",
  help: `
usage: map js|ts|python FUNCTION|./FILE [--reduce FUNCTION] [--json] [INPUT]
       map ./MODULE.wasm [WORD...] [--reduce] [INPUT] [--args WORD...]
       map grep [-i] PATTERN [FILE...]        map sha256 [FILE...]        map wordcount
       map primes|pi --range LO..HI           map nbody --bodies N        map mandelbrot [--size WxH]
INPUT: the lines of standard input [--lines N], or --range LO..HI [--chunks N], or files by name [--each-file [--out DIR]]

Cuts the work into chunks, runs them on this node and on all members that lend cores, and combines what comes back. A
chunk whose node leaves or fails is run by another. Ctrl-C stops it everywhere.

A FUNCTION is called with each line of standard input; with --json with the value that the line is; with --range with each
number; with --each-file with the text of each file that standard input names. A text that it gives is printed as it is,
anything else as JSON, and undefined or None as nothing. It sees no clock, no chance of the machine, no files and no
network: the same input gives the same output on every node. --reduce makes one result of all, two at a time.

A module exports memory, alloc and run and imports nothing, or is a WASI command: it gets each chunk on its standard input
and the words that map does not know (all behind --args) as arguments. Results come in the order of the inputs; with --out
each is a file in DIR, under the name of its input.

mandelbrot draws in the terminal, each tile framed in the colour of the node that computed it; with --out FILE.png, or into
a pipe, it gives a PNG. --at RE,IM,ZOOM chooses the place.

  seq 5 | map js 'x => x * x'
  seq 100 | map js 'x => x.length' --reduce '(a, b) => a + b'
  map python 'lambda n: n * n' --range 0..5
  printf '{"n": 20}\\n{"n": 22}\\n' | map ts '(x: { n: number }) => x.n + 1' --json
  map primes --range 0..20000000
  map pi --range 0..100000000
`,
  async run(context) {
    const { name, words, options } = mapWords(context.args, isModule);
    if (name === undefined) {
      throw new StarfishError("usage", "there is nothing to run: a task, a language with a function, or a file");
    }
    const isFile = isPath(name);
    const known = isFile || LANGUAGES.includes(name) ? OWN : TASKS[name];
    if (known === undefined) throw noSuchTask(name);
    const foreign = Object.keys(options).find((option) => !known.includes(option));
    if (foreign !== undefined) throw new StarfishError("usage", `map ${name} takes no --${foreign}`);
    // A page loads what prepares and shows jobs when there is one.
    const { runMap } = await import("../map/run.ts");
    await runMap({ name, isFile, words, options }, context);
    return 0;
  },
  complete: (words) => (words.length === 2 ? [...LANGUAGES, ...Object.keys(TASKS)] : optionsOf(words)),
};

function isPath(name: string): boolean {
  return name.includes("/") || /\.(wasm|m?js|m?ts|py)$/.test(name);
}

/** Words behind it may be its arguments. */
function isModule(name: string): boolean {
  return isPath(name) && !/\.(m?js|m?ts|py)$/.test(name);
}

function noSuchTask(name: string): StarfishError {
  const all = [...LANGUAGES, ...Object.keys(TASKS)];
  const near = suggest(name, all);
  const hint =
    near === undefined
      ? `there are ${all.join(", ")}; a file of yours is given as ./${name}.wasm, .js, .ts or .py`
      : `did you mean ${near}?`;
  return new StarfishError("usage", `there is no task '${name}'; ${hint}`);
}

function optionsOf(words: readonly string[]): string[] {
  const options = TASKS[words[1] ?? ""] ?? OWN;
  return options.map((option) => `--${option}`);
}

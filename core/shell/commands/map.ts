/** map: one program over many inputs, on every core that the swarm lends. */
import { StarfishError } from "../../base/errors.ts";
import { TERMS, termsOf } from "../map/terms.ts";
import { mapWords } from "../map/words.ts";
import { suggest } from "../suggest.ts";
import type { Command } from "../types.ts";

/** The bundled tasks, and the options of each. */
const TASKS: Readonly<Record<string, readonly string[]>> = {
  primes: ["range", "chunks"],
  wordcount: ["lines"],
  mandelbrot: ["size", "at", "out"],
  film: ["size", "at", "frames"],
  grep: ["each-file", "ignore-case", "lines"],
  sha256: ["each-file"],
  pi: ["range", "chunks"],
  nbody: ["bodies", "chunks"],
  resize: ["each-file", "out"],
};
/** The options of a user's own script or module. */
const OWN: readonly string[] = ["lines", "range", "chunks", "json", "each-file", "out", "reduce"];
const LANGUAGES = ["js", "ts", "python"];

export const map: Command = {
  name: "map",
  summary: "run a function or task on every node that lends cores",
  help: `
usage: map js|ts|python FUNCTION|./FILE [--reduce FUNCTION] [--json] [INPUT]
       map ./MODULE.wasm [WORD...] [--reduce] [INPUT] [--args WORD...]
       map grep [-i] PATTERN [FILE...]        map sha256 [FILE...]        map wordcount
       map resize [-w WIDTH] [-h HEIGHT] [-q QUALITY] --out DIR [FILE...]
       map primes|pi --range LO..HI           map nbody --bodies N
       map mandelbrot [--size WxH]            map film [--frames N] [--size WxH]
       map … [--detach] [--verify R/Q] [--fuel N] [--keep-going] [--reuse] [--on NODE,…]
INPUT: the lines of standard input [--lines N], or --range LO..HI [--chunks N], or files by name [--each-file [--out DIR]]

Splits the work into chunks, runs them on this node and on all members that lend cores, and combines the results. If a
node leaves or fails, another one runs its chunks. Ctrl-C stops all.

--detach makes it a job of the swarm: map prints its id and ends. The nodes that are left finish the job, also without
this one. 'job ID' and 'ps' show it on every node, 'wait ID' waits, 'kill ID' ends it, and /proc/ID/result is its result.
These options make it a job of the swarm too, which map waits for: --verify R/Q runs each task on R devices and takes the
result on which Q agree, --fuel N ends a task after N steps, --keep-going leaves out tasks that fail instead of ending the
job, --on NODE,… runs it on these nodes only, --reuse takes what the same work gave within a day.

A FUNCTION is called with each line of standard input; with --json with the line's value; with --range with each number;
with --each-file with the text of each file that standard input names. A text that it returns is printed unchanged, any
other value as JSON, and undefined or None not at all. It has no clock, randomness, files or network: the same input gives
the same output on every node. --reduce makes one result of all, two at a time.

A module exports memory, alloc and run and imports nothing, or is a WASI command. A command gets each chunk on its standard
input, and as arguments the words that map does not know (and all after --args). Results come in the order of the inputs;
with --out each is a file in DIR, under the name of its input.

mandelbrot draws in the terminal, each tile framed in the colour of the node that computed it. With --out FILE.png, or into
a pipe, it writes a PNG; as a job of the swarm a BMP. --at RE,IM,ZOOM chooses the place. film falls into that place frame
by frame, and writes a GIF.

  seq 5 | map js 'x => x * x'
  seq 100 | map js 'x => x.length' --reduce '(a, b) => a + b'
  map python 'lambda n: n * n' --range 0..5
  printf '{"n": 20}\\n{"n": 22}\\n' | map ts '(x: { n: number }) => x.n + 1' --json
  map primes --range 0..20000000
  map pi --range 0..100000000
  ls /photos/* | map resize.wasm -w 800 --each-file --out /small/
  map primes --range 0..100000000 --detach
`,
  async run(context) {
    const { name, words, options } = mapWords(context.args, isModule);
    if (name === undefined) {
      throw new StarfishError("usage", "there is nothing to run: a task, a language with a function, or a file");
    }
    const isFile = isPath(name);
    const known = isFile || LANGUAGES.includes(name) ? OWN : TASKS[name];
    if (known === undefined) throw noSuchTask(name);
    const foreign = Object.keys(options).find((option) => !known.includes(option) && !Object.hasOwn(TERMS, option));
    if (foreign !== undefined) throw new StarfishError("usage", `map ${name} takes no --${foreign}`);
    // A page loads the code that prepares and shows jobs only when there is a job.
    const { runAsJob, runMap } = await import("../map/run.ts");
    const terms = termsOf(options, context.computer);
    if (terms !== undefined) return await runAsJob({ name, isFile, words, options }, terms, context);
    await runMap({ name, isFile, words, options }, context);
    return 0;
  },
  complete: (words) => (words.length === 2 ? [...LANGUAGES, ...Object.keys(TASKS)] : optionsOf(words)),
};

function isPath(name: string): boolean {
  return name.includes("/") || /\.(wasm|m?js|m?ts|py)$/.test(name);
}

/** The words after it may be its arguments. */
function isModule(name: string): boolean {
  return name === "resize" || (isPath(name) && !/\.(m?js|m?ts|py)$/.test(name));
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
  return [...options, ...Object.keys(TERMS)].map((option) => `--${option}`);
}

/** Runs a job to its end: the task's inputs, its module, the progress, and its results. */
import type { Bytes } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { Outputs } from "../../jobs/pairwise.ts";
import { isScript } from "../../sandbox/languages/engines.ts";
import { noOperands } from "../operands.ts";
import type { CommandContext } from "../types.ts";
import { film } from "./film.ts";
import { grep } from "./grep.ts";
import { mandelbrot } from "./mandelbrot.ts";
import { nbody } from "./nbody.ts";
import { checkOwn, ownJob, ownWork } from "./own.ts";
import { pi } from "./pi.ts";
import { primes } from "./primes.ts";
import { LANGUAGES, ownFile, type Runnable, script } from "./program.ts";
import { ProgressLine } from "./progress.ts";
import { resize } from "./resize.ts";
import { sha256 } from "./sha256.ts";
import { submitJob } from "./submit.ts";
import type { MapTask, Options, Work } from "./task.ts";
import type { Terms } from "./terms.ts";
import { wordcount } from "./wordcount.ts";

/** The bundled tasks. Each that is not a script has a bundled module of the same name. */
const TASKS: Readonly<Record<string, MapTask>> = {
  primes,
  wordcount,
  mandelbrot,
  film,
  grep,
  sha256,
  pi,
  nbody,
  resize,
};

export interface MapRequest {
  /** A task, a language, or the path of a file. */
  readonly name: string;
  readonly isFile: boolean;
  /** The words after the name, without options. */
  readonly words: readonly string[];
  readonly options: Options;
}

export async function runMap(asked: MapRequest, context: CommandContext): Promise<void> {
  const request = await bundled(asked, context);
  const { name, words, options } = request;
  const task = taskOf(request);
  if (task !== undefined) {
    const work = await task.prepare(options, context, words);
    const { kind = "bytes" } = work.program ?? {};
    const module = await (isScript(kind) ? context.computer.engine(kind) : context.computer.builtin(name));
    return await runWork(name, module, work, context);
  }
  const { title, module, program } = await runnableOf(request, context);
  await runWork(title, module, await ownWork(program, options, context), context);
}

/** Runs it as a job of the swarm. Returns the exit status. */
export async function runAsJob(request: MapRequest, terms: Terms, context: CommandContext): Promise<number> {
  const { name, words, options } = request;
  const task = taskOf(request);
  if (task === undefined) {
    const { title, module, program } = await runnableOf(request, context);
    const work = await ownJob(program, options, context);
    const what = typeof options["range"] === "string" ? `${title} ${options["range"]}` : title;
    return await submitJob({ ...work, title: what, module }, terms, context);
  }
  if (task.job === undefined)
    throw new StarfishError("usage", `map ${name} names files in its output, so it can't be a job of the swarm`);
  const work = await task.job(options, context, words);
  const { kind = "bytes" } = work.program ?? {};
  const module = await (isScript(kind) ? context.computer.engine(kind) : context.computer.builtin(name));
  return await submitJob({ ...work, module }, terms, context);
}

/** `resize.wasm` means the bundled task of that name, if there is no such file. */
async function bundled(request: MapRequest, { names, path, signal }: CommandContext): Promise<MapRequest> {
  const { name, isFile } = request;
  const task = name.replace(/\.wasm$/, "");
  if (!isFile || !Object.hasOwn(TASKS, task)) return request;
  const entry = await names.entry(path(name), { signal });
  return entry === undefined ? { ...request, name: task, isFile: false } : request;
}

/** A bundled task; undefined for a user's own program. Throws "usage". */
function taskOf({ name, isFile, words }: MapRequest): MapTask | undefined {
  if (isFile || Object.hasOwn(LANGUAGES, name)) return undefined;
  const task = Object.hasOwn(TASKS, name) ? TASKS[name] : undefined;
  if (task === undefined) throw new StarfishError("usage", `there is no task '${name}'`);
  if (task.takesWords !== true) noOperands(words);
  return task;
}

async function runnableOf({ name, isFile, words, options }: MapRequest, context: CommandContext): Promise<Runnable> {
  checkOwn(options);
  const [source, extra] = words;
  if (!isFile && source === undefined)
    throw new StarfishError("usage", `the function is missing, like map ${name} ${EXAMPLES[name] ?? ""}`);
  if (!isFile && extra !== undefined)
    throw new StarfishError("usage", `'${extra}' is one word too many: put the function in quotes`);
  return isFile ? await ownFile(name, words, options, context) : await script(name, source ?? "", options, context);
}

const EXAMPLES: Readonly<Record<string, string>> = {
  js: "'x => x.length'",
  ts: "'(x: string) => x.length'",
  python: "'lambda x: len(x)'",
};

async function runWork(title: string, module: Bytes, work: Work, context: CommandContext): Promise<void> {
  const { computer, signal, stderr, terminal } = context;
  const progress = new ProgressLine(computer, title, stderr, () => terminal.stderr);
  const { program, inputs, ordered = false, reduces = false } = work;
  const named = { title, module, ...(program === undefined ? {} : { program }) };
  const outputs = new Outputs();
  try {
    // Without any input there is nothing to run, but the module is still checked.
    const results = computer.cpu.map(
      { ...named, inputs, ordered: ordered || reduces },
      { signal, onProgress: (now) => progress.update(now) },
    );
    for await (const result of results) {
      if (reduces) outputs.add(result.output);
      else await work.take(result);
    }
    if (reduces) {
      const output = await outputs.reduced(async (pairs) => {
        const reducing = { ...named, program: { kind: "bytes" as const, ...program, entry: "reduce" as const } };
        const made = computer.cpu.map({ ...reducing, inputs: pairs, ordered: true }, { signal });
        return (await Array.fromAsync(made)).map((result) => result.output);
      });
      if (output !== undefined) await work.take({ index: 0, output, by: computer.net.self });
    }
    progress.finish();
  } catch (error) {
    progress.hide();
    throw error;
  }
  await work.finish();
}

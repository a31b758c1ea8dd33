/**
 * `map` for programs: runs a function of theirs over their values, on every core that the swarm lends. The function's
 * text is sent, so it may use only what it declares itself and what QuickJS has. Values and results are sent as JSON.
 */
import { type Bytes, concat, text, utf8 } from "../base/bytes.ts";
import { StarfishError } from "../base/errors.ts";
import type { SandboxProgram } from "../ports/sandbox.ts";
import type { TaskLimits } from "../sandbox/types.ts";
import { checkTravels } from "./free-names.ts";
import { PIECE_BYTES_MAX } from "./limits.ts";
import { Outputs } from "./pairwise.ts";
import type { Cpu, JobProgress } from "./types.ts";

interface MapFunctionOptions {
  readonly signal?: AbortSignal;
  /** For people: "primes". */
  readonly title?: string;
  /** How many values one task gets. Without it a list is split into 64 tasks or more. */
  readonly perTask?: number;
  readonly limits?: Partial<TaskLimits>;
  readonly onProgress?: (progress: JobProgress) => void;
}

/**
 * Await it for all results, or iterate over them as they come; both give the order of the inputs. It can be used once.
 */
type MapResults<R> = PromiseLike<R[]> & AsyncIterable<R>;

/**
 * Values, or promises of them: for example the results of another map, or of several maps that each reduce to one
 * value.
 */
type Values<T> = Iterable<T | PromiseLike<T>> | AsyncIterable<T>;

export interface MapFunction {
  /**
   * Rejects (or throws while iterating) with "usage" if the function can't be sent, and names what it closes over; with
   * the failure of a call ("task-failed", "timeout", …), "no-cores", "cancelled". Leaving a loop over it cancels the
   * rest.
   */
  <T, R>(fn: (value: T) => R, values: Values<T>, options?: MapFunctionOptions): MapResults<Awaited<R>>;
  /** One result, which is made of all results two at a time and in order; undefined if there are none. */
  <T, R>(
    fn: (value: T) => R,
    values: Values<T>,
    options: MapFunctionOptions & { readonly reduce: (first: Awaited<R>, second: Awaited<R>) => Awaited<R> },
  ): Promise<Awaited<R> | undefined>;
}

export interface MapFunctionParts {
  readonly cpu: Pick<Cpu, "map">;
  readonly engine: (kind: "javascript") => Promise<Bytes>;
}

type AnyOptions = MapFunctionOptions & { readonly reduce?: (first: never, second: never) => unknown };

/** Tasks of a list by default: several for each core of a swarm of tens of nodes. */
const TASKS = 64;
const PER_TASK_MAX = 500;
/** Values of a task for a source of unknown length. */
const PER_TASK_DEFAULT = 50;
/** The values of one task stay below what one message can carry. */
const BYTES_MAX: number = PIECE_BYTES_MAX / 2;

export function createMapFunction(parts: MapFunctionParts): MapFunction {
  const map = (fn: (value: never) => unknown, values: Values<unknown>, options: AnyOptions = {}): unknown => {
    const run = new FunctionRun(parts, fn, values, options);
    return options.reduce === undefined ? run : run.reduced();
  };
  return map as MapFunction;
}

class FunctionRun implements PromiseLike<unknown[]>, AsyncIterable<unknown> {
  readonly #parts: MapFunctionParts;
  readonly #fn: (value: never) => unknown;
  readonly #values: Values<unknown>;
  readonly #options: AnyOptions;
  #all: Promise<unknown[]> | undefined;

  constructor(parts: MapFunctionParts, fn: (value: never) => unknown, values: Values<unknown>, options: AnyOptions) {
    this.#parts = parts;
    this.#fn = fn;
    this.#values = values;
    this.#options = options;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- it is awaited like a promise, and iterated over
  then<A = unknown[], B = never>(
    fulfilled?: ((all: unknown[]) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): PromiseLike<A | B> {
    this.#all ??= Array.fromAsync(this);
    return this.#all.then(fulfilled, rejected);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<unknown, void, undefined> {
    const program: SandboxProgram = { kind: "javascript", source: await sourceOf(this.#fn), form: "values" };
    for await (const output of this.#outputs(program, chunksOf(this.#values, this.#options.perTask))) {
      for (const line of linesOf(output)) yield JSON.parse(line);
    }
  }

  async reduced(): Promise<unknown> {
    const source = await sourceOf(this.#fn);
    const reduce = await sourceOf(this.#options.reduce);
    const program: SandboxProgram = { kind: "javascript", source, reduce, form: "values" };
    const outputs = new Outputs();
    for await (const output of this.#outputs(program, chunksOf(this.#values, this.#options.perTask)))
      outputs.add(output);
    const one = await outputs.reduced((pairs) =>
      Array.fromAsync(this.#outputs({ ...program, entry: "reduce" }, pairs)),
    );
    return one === undefined || one.length === 0 ? undefined : JSON.parse(text(one));
  }

  async *#outputs(
    program: SandboxProgram,
    inputs: readonly Bytes[] | AsyncIterable<Bytes>,
  ): AsyncGenerator<Bytes, void, undefined> {
    const { signal = new AbortController().signal, title = "map", limits, onProgress } = this.#options;
    const module = await this.#parts.engine("javascript");
    const job = { title, module, program, inputs, ordered: true, ...(limits === undefined ? {} : { limits }) };
    const results = this.#parts.cpu.map(job, { signal, ...(onProgress === undefined ? {} : { onProgress }) });
    for await (const { output } of results) yield output;
  }
}

async function sourceOf(fn: unknown): Promise<string> {
  if (typeof fn !== "function") throw new StarfishError("usage", "map needs a function");
  const source = Function.prototype.toString.call(fn);
  if (/\{\s*\[native code\]\s*\}$/.test(source)) {
    throw new StarfishError("usage", `The text of ${fn.name || "the function"} can't be read: write (x) => … instead`);
  }
  await checkTravels(source);
  return source;
}

/** Values as lines of JSON, in chunks that are bounded in number and size. */
async function* chunksOf(values: Values<unknown>, perTask: number | undefined): AsyncGenerator<Bytes, void, undefined> {
  const listed = Array.isArray(values) ? Math.min(PER_TASK_MAX, Math.ceil(values.length / TASKS)) : PER_TASK_DEFAULT;
  const most = Math.max(1, Math.floor(perTask ?? listed));
  let lines: Bytes[] = [];
  let bytes = 0;
  let index = 0;
  for await (const value of values) {
    const line = utf8(`${jsonOf(value, index++)}\n`);
    if (lines.length >= most || (lines.length > 0 && bytes + line.length > BYTES_MAX)) {
      yield concat(lines);
      lines = [];
      bytes = 0;
    }
    lines.push(line);
    bytes += line.length;
  }
  if (lines.length > 0) yield concat(lines);
}

function jsonOf(value: unknown, index: number): string {
  const json: string | undefined = JSON.stringify(value);
  if (json !== undefined) return json;
  throw new StarfishError("usage", `Value ${index} can't be written as JSON: it is of the type ${typeof value}`);
}

function linesOf(output: Bytes): string[] {
  return text(output).split("\n").slice(0, -1);
}

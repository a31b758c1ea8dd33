/**
 * Runs single tasks of one job on this node's cores: its program, compiled once, with the input that the task's number
 * names. It does not know who else runs what.
 */
import { concat, text, toHex, type Bytes } from "../base/bytes.ts";
import { check } from "../base/codec.ts";
import { isStarfishError, StarfishError } from "../base/errors.ts";
import type { Contents } from "../disk/types.ts";
import type { Crypto } from "../ports/crypto.ts";
import type { PeerId } from "../ports/network.ts";
import type { SandboxProgram } from "../ports/sandbox.ts";
import { LIMITS_DEFAULT, MODULE_BYTES_MAX, PAYLOAD_BYTES_MAX, PROGRAM_BYTES_MAX } from "../sandbox/limits.ts";
import type { CompiledModule, Modules } from "../sandbox/modules.ts";
import type { Pool } from "../sandbox/pool.ts";
import { programSchema } from "../sandbox/program.ts";
import { TASK_FAULTS, type TaskFault } from "../sandbox/types.ts";
import type { Gatherer } from "./gather.ts";
import type { Graph } from "./graph.ts";
import { InputReader, readWhole } from "./inputs.ts";
import { setOf, union } from "./intervals.ts";
import type { LoadLongTasks } from "./long-tasks.ts";
import type { Memo, Remembered } from "./memo.ts";
import type { Output } from "./results.ts";
import { type Content, type JobSpec, type Program, programsOf } from "./spec.ts";
import { operandsOf } from "./tree.ts";

export type TaskOutcome =
  /** Output and fuel are the same on every device; no time is given if the result was remembered. */
  | {
      readonly ok: true;
      readonly output: Bytes;
      readonly fuelUsed: number;
      readonly runMs: number;
      /** Names what was computed; undefined for a short task, and for an input that is too large to be hashed. */
      readonly key: string | undefined;
    }
  /** The task's own fault. It would fail in the same way on any node, except for faults of time and memory. */
  | { readonly ok: false; readonly code: TaskFault; readonly message: string };

export interface ExecutorParts {
  readonly contents: Contents;
  readonly crypto: Crypto;
  readonly modules: Modules;
  readonly pool: Pool;
  readonly gatherer: Gatherer;
  readonly memo: Memo;
  readonly longTasks: LoadLongTasks;
  /** The graph of a job whose tasks take other tasks' results; undefined for other jobs. */
  readonly graph: () => Graph | undefined;
}

interface Loaded {
  readonly sha256: string;
  readonly bytes: Bytes;
  /** How the module is run. */
  readonly program: SandboxProgram;
}

interface Ready {
  /** Of the module's bytes. */
  readonly sha256: string;
  readonly compiled: CompiledModule;
  readonly program: SandboxProgram;
}

export class Executor {
  readonly #job: string;
  readonly #spec: JobSpec;
  readonly #for: PeerId;
  readonly #own: boolean;
  readonly #parts: ExecutorParts;
  readonly #inputs: InputReader;
  readonly #programs: readonly Program[];
  readonly #loaded = new Map<Program, Promise<Loaded>>();

  /** @param own whether this node has submitted the job, and so may use cores that it does not lend */
  constructor(job: { id: string; spec: JobSpec; by: PeerId; own: boolean }, parts: ExecutorParts) {
    this.#job = job.id;
    this.#spec = job.spec;
    this.#for = job.by;
    this.#own = job.own;
    this.#parts = parts;
    this.#programs = programsOf(job.spec);
    this.#inputs = new InputReader(parts.contents, job.spec.inputs);
  }

  /**
   * @param end this node will soon run the tasks up to here
   *
   * Rejects if this node, or fetching what it needs, has failed, and with "cancelled".
   */
  async run(task: number, end: number, signal: AbortSignal): Promise<TaskOutcome> {
    const { inputs, combine, program } = this.#spec;
    const isReduction = combine.how === "reduce" && task >= inputs.count;
    const named = this.#programs[this.#parts.graph()?.programOf(task) ?? 0] ?? program;
    const running = isReduction ? combine.program : named;
    try {
      const [input, compiled] = await Promise.all([
        isReduction ? this.#operands(task, signal) : this.#input(task, end, signal),
        this.#compiled(running, signal),
      ]);
      return this.#checked(task, await this.#run(compiled, input, signal));
    } catch (error) {
      const code = isStarfishError(error) ? TASK_FAULTS.find((fault) => fault === error.code) : undefined;
      // A timeout while fetching a content is no fault of the task.
      if (code === undefined || code === "timeout" || !isStarfishError(error)) throw error;
      return { ok: false, code, message: error.message };
    }
  }

  async #run({ sha256, compiled, program }: Ready, input: Bytes, signal: AbortSignal): Promise<TaskOutcome> {
    const { memo } = this.#parts;
    const { id, module } = compiled;
    const { fuel: fuelMax = LIMITS_DEFAULT.fuelMax, memoryBytesMax, timeMsMax } = this.#spec.limits;
    const keyOf = (): string | undefined => memo.keyOf({ module: sha256, program, memoryBytesMax, fuelMax }, input);
    // Hashing takes a tenth of the time of the shortest tasks.
    const isLooked = this.#asksOthers || memo.knows(sha256);
    const looked = isLooked ? keyOf() : undefined;
    const remembered = looked === undefined ? undefined : (memo.get(looked) ?? (await this.#said(looked)));
    if (remembered !== undefined) return { ok: true, ...remembered, runMs: 0, key: looked };
    const named = { job: this.#job, for: this.#for, own: this.#own, moduleId: id, module, program };
    const task = { ...named, input, fuelMax, timeMsMax };
    const result = await this.#parts.pool.run(task, signal);
    if (result.ok) {
      const { output, fuelUsed, runMs } = result;
      const key = isLooked || !memo.isWorth(runMs) ? looked : keyOf();
      if (key !== undefined) memo.add(key, sha256, { output, fuelUsed }, runMs);
      return { ok: true, output, fuelUsed, runMs, key };
    }
    const code = TASK_FAULTS.find((fault) => fault === result.code);
    if (code === undefined) throw new StarfishError(result.code, result.message);
    return { ok: false, code, message: result.message };
  }

  /**
   * Checks the output of a task that may return tasks: it must be a value, or a list of possible tasks. If not, the
   * task has failed.
   */
  #checked(task: number, outcome: TaskOutcome): TaskOutcome {
    if (!outcome.ok) return outcome;
    try {
      this.#parts.graph()?.returnedBy(task, outcome.output);
      return outcome;
    } catch (error) {
      if (!isStarfishError(error, "malformed")) throw error;
      return { ok: false, code: "task-failed", message: `It returned no tasks: ${error.message}` };
    }
  }

  get #asksOthers(): boolean {
    const { verify, reuse } = this.#spec;
    return verify !== undefined || reuse === true;
  }

  /** The result that other nodes state for this task, if the job may believe them. */
  async #said(key: string): Promise<Remembered | undefined> {
    const { verify } = this.#spec;
    return !this.#asksOthers ? undefined : (await this.#parts.longTasks())?.get(key, verify?.agree);
  }

  async #compiled(running: Program, signal: AbortSignal): Promise<Ready> {
    const { modules, pool } = this.#parts;
    const { memoryBytesMax } = this.#spec.limits;
    // Prepares a worker while the module is read and compiled.
    if (!this.#loaded.has(running)) pool.prepare();
    const { sha256, bytes, program } = await this.#load(running, signal);
    const compiled = await modules.add(sha256, bytes, memoryBytesMax, this.#own, program.kind);
    return { sha256, compiled, program };
  }

  /** The module's bytes are kept as long as the job runs, because it may have to be compiled again. */
  #load(program: Program, signal: AbortSignal): Promise<Loaded> {
    const known = this.#loaded.get(program);
    if (known !== undefined) return known;
    const { contents, crypto } = this.#parts;
    const { kind, module, source, reduce, ...rest } = program;
    const textOf = async (content: Content | undefined): Promise<string | undefined> =>
      content && text(await readWhole(contents, content, PROGRAM_BYTES_MAX, { signal }));
    const read = [readWhole(contents, module, MODULE_BYTES_MAX, { signal }), textOf(source), textOf(reduce)] as const;
    const loading = Promise.all(read).then(([bytes, sourceText, reduceText]) => ({
      bytes,
      sha256: toHex(crypto.sha256(bytes)),
      program: check(programSchema, { kind, source: sourceText, reduce: reduceText, ...rest }),
    }));
    this.#loaded.set(program, loading);
    loading.catch(() => this.#loaded.delete(program));
    return loading;
  }

  async #input(task: number, end: number, signal: AbortSignal): Promise<Bytes> {
    const graph = this.#parts.graph();
    const needs = graph?.inputsOf(task) ?? [];
    const own = graph?.inputOf(task) ?? (await this.#inputs.read(task, end, { signal }));
    if (needs.length === 0) return own;
    const { gatherer } = this.#parts;
    const found = await gatherer.collect(setOf(needs), { signal });
    // The size is checked before the results are read, because a task may need the same large result thousands of
    // times.
    const bytes = needs.reduce((sum, need) => sum + bytesIn(found.get(need)?.output), own.length);
    checkSize(bytes, "The results that it needs");
    const results = await Promise.all(
      needs.map((need) => gatherer.bytesOf(found.get(need)?.output ?? new Uint8Array(), { signal })),
    );
    return ofBoundedSize(concat([...results, own]), "The results that it needs");
  }

  async #operands(task: number, signal: AbortSignal): Promise<Bytes> {
    const { gatherer } = this.#parts;
    const [a, b] = operandsOf(task, this.#spec.inputs.count);
    const found = await gatherer.collect(union([a, a + 1], [b, b + 1]), { signal });
    const [first, second] = await Promise.all(
      [a, b].map((operand) => gatherer.bytesOf(found.get(operand)?.output ?? new Uint8Array(), { signal })),
    );
    const input = concat([lengthOf(first?.length ?? 0), first ?? new Uint8Array(), second ?? new Uint8Array()]);
    return ofBoundedSize(input, "Two results");
  }
}

function ofBoundedSize(input: Bytes, what: string): Bytes {
  checkSize(input.length, what);
  return input;
}

function bytesIn(output: Output | undefined): number {
  if (output === undefined) return 0;
  return output instanceof Uint8Array ? output.length : output.sizeBytes;
}

/** Throws "too-large". */
function checkSize(bytes: number, what: string): void {
  if (bytes > PAYLOAD_BYTES_MAX)
    throw new StarfishError("too-large", `${what} have ${bytes} bytes, the most is ${PAYLOAD_BYTES_MAX}`);
}

/** Four bytes, little-endian. */
function lengthOf(length: number): Bytes {
  return Uint8Array.from([0, 8, 16, 24], (shift) => (length >>> shift) & 0xff);
}

/**
 * The processor of one node: lends cores to the swarm, and runs jobs on whatever cores the swarm has. Made by
 * createCpu; it ends with `close`.
 */
import { type Bytes, toHex } from "../base/bytes.ts";
import { check } from "../base/codec.ts";
import { isStarfishError, StarfishError } from "../base/errors.ts";
import { Listeners, type Unsubscribe } from "../base/events.ts";
import type { Net } from "../net/types.ts";
import { abortable, type Clock, type Timer } from "../ports/clock.ts";
import type { Crypto } from "../ports/crypto.ts";
import type { PeerId } from "../ports/network.ts";
import type { Random } from "../ports/random.ts";
import type { Sandbox } from "../ports/sandbox.ts";
import type { CoreBudget } from "../sandbox/core-budget.ts";
import { FUEL_MAX, LIMITS_DEFAULT, MEMORY_BYTES_MAX, PAYLOAD_BYTES_MAX, TIME_MS_MAX } from "../sandbox/limits.ts";
import type { Modules } from "../sandbox/modules.ts";
import type { Pool } from "../sandbox/pool.ts";
import { programSchema } from "../sandbox/program.ts";
import { TASK_FAULTS, type TaskLimits } from "../sandbox/types.ts";
import type { Dispatcher, Runner } from "./dispatcher.ts";
import { Lender } from "./lender.ts";
import { BUSY_REPORT_MS, JOBS_MAX } from "./limits.ts";
import { createWorkers, type Workers } from "./workers.ts";
import type { ChunkResult, Cpu, JobInfo, JobProgress, MapJob } from "./types.ts";

export interface CpuOptions {
  /** Cores that are lent to all members from the start. */
  readonly coresLent?: number;
}

export interface CpuParts {
  readonly net: Net;
  readonly sandbox: Sandbox;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly random: Random;
  /** Cores shared with other nodes of this device. Without it this node has all cores for itself. */
  readonly budget?: CoreBudget;
  /** Set if other parts of this node run tasks too. */
  readonly workers?: Workers;
}

export function createCpu({ coresLent = 0 }: CpuOptions = {}): (parts: CpuParts) => Cpu {
  return (parts) => {
    const cpu = new NodeCpu(parts);
    if (coresLent > 0) cpu.lend(coresLent);
    return cpu;
  };
}

interface RunningJob {
  readonly title: string;
  readonly dispatcher: Dispatcher;
  readonly controller: AbortController;
}

class NodeCpu implements Cpu {
  readonly cores: number;
  readonly #net: Net;
  readonly #clock: Clock;
  readonly #crypto: Crypto;
  readonly #random: Random;
  readonly #pool: Pool;
  readonly #modules: Modules;
  readonly #lender: Lender;
  readonly #jobs = new Map<string, RunningJob>();
  readonly #jobsChanged = new Listeners<void>();
  #reported = 0;
  /** The most cores that were busy at once since the last report. */
  #busiest = 0;
  #reportTimer: Timer | undefined;
  #closed = false;

  constructor({ net, sandbox, clock, crypto, random, budget, workers }: CpuParts) {
    this.cores = sandbox.cores;
    this.#net = net;
    this.#clock = clock;
    this.#crypto = crypto;
    this.#random = random;
    const { pool, modules } = workers ?? createWorkers({ sandbox, clock, budget });
    this.#pool = pool;
    this.#modules = modules;
    this.#lender = new Lender({ net, pool: this.#pool, modules: this.#modules, clock, crypto });
    this.#pool.onActivity(() => this.#reportBusy());
  }

  get lent(): number {
    return this.#pool.lent;
  }

  get ended(): number {
    return this.#pool.ended;
  }

  lend(cores: number): void {
    this.#pool.lend(Math.floor(cores));
    this.#net.update({ coresLent: this.#pool.lent });
  }

  async *map(
    job: MapJob,
    options: { signal: AbortSignal; onProgress?: (progress: JobProgress) => void },
  ): AsyncGenerator<ChunkResult, void, undefined> {
    // What leads a job is loaded with the first one: most tabs only work for others.
    const loading = Promise.all([import("./dispatcher.ts"), import("./borrower.ts")]);
    const [{ Dispatcher: Leading }, { Borrower }] = await abortable(options.signal, loading);
    if (this.#closed) throw new StarfishError("closed", "This node is closing");
    if (this.#jobs.size >= JOBS_MAX) {
      throw new StarfishError("busy", `${JOBS_MAX} jobs of this node are running; wait for one or cancel one`, {
        retryable: true,
      });
    }
    const limits = limitsOf(job);
    const id = toHex(this.#random.bytes(8));
    const controller = new AbortController();
    const signal = AbortSignal.any([options.signal, controller.signal]);
    const { module, program } = job;
    if (program !== undefined) check(programSchema, program);
    const sha256 = toHex(this.#crypto.sha256(module));
    const borrower = new Borrower(this.#net, { id, module, sha256, program, limits }, signal);
    const dispatcher = new Leading({
      net: this.#net,
      clock: this.#clock,
      ownCores: this.cores,
      runHere: this.#runner(id, job, sha256, limits),
      runThere: (peer, index, input, abort) => borrower.run(peer, index, input, abort),
      onProgress: options.onProgress ?? ((): void => {}),
      inputs: checkedInputs(job.inputs),
      total: Array.isArray(job.inputs) ? job.inputs.length : undefined,
      ordered: job.ordered ?? false,
    });
    this.#jobs.set(id, { title: job.title, dispatcher, controller });
    this.#jobsChanged.emit();
    try {
      // A fault of the module is reported at once, before any other node is asked.
      await abortable(signal, this.#check(job, sha256, limits));
      yield* dispatcher.results(signal);
    } finally {
      this.#jobs.delete(id);
      controller.abort(new StarfishError("cancelled", "The job is over"));
      this.#jobsChanged.emit();
    }
  }

  jobs(): readonly JobInfo[] {
    return [...this.#jobs].map(([id, { title, dispatcher }]) => ({ id, title, progress: dispatcher.progress() }));
  }

  cancel(id: string): boolean {
    const job = this.#jobs.get(id);
    job?.controller.abort(new StarfishError("cancelled", "Cancelled"));
    return job !== undefined;
  }

  onActivity(listener: () => void): Unsubscribe {
    const stops = [this.#pool.onActivity(listener), this.#jobsChanged.add(listener)];
    return () => {
      for (const stop of stops) stop();
    };
  }

  running(): readonly { readonly job: string; readonly for: PeerId }[] {
    return this.#pool.running().map((task) => ({ job: task.job, for: task.for }));
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const id of [...this.#jobs.keys()]) this.cancel(id);
    this.#lender.close();
    this.#pool.close();
    this.#modules.close();
    this.#reportTimer?.cancel();
  }

  /** Runs a job's chunks on this node's own cores. */
  #runner(job: string, { module, program }: MapJob, sha256: string, limits: TaskLimits): Runner {
    const { memoryBytesMax, fuelMax, timeMsMax } = limits;
    return async (peer, _index, input, signal) => {
      try {
        const { id, module: ready } = await this.#modules.add(sha256, module, memoryBytesMax, true, program?.kind);
        const task = { job, for: peer, own: true, moduleId: id, module: ready, program, input, fuelMax, timeMsMax };
        return await this.#pool.run(task, signal);
      } catch (error) {
        if (isFault(error)) return { ok: false, code: error.code, message: error.message };
        throw error;
      }
    };
  }

  /** Rejects with a fault of the module. If this node has no workers to find it, other nodes will. */
  async #check({ module, program }: MapJob, sha256: string, { memoryBytesMax }: TaskLimits): Promise<void> {
    try {
      await this.#modules.add(sha256, module, memoryBytesMax, true, program?.kind);
    } catch (error) {
      if (isFault(error) || isStarfishError(error, "closed")) throw error;
    }
  }

  /**
   * Tells the swarm how many cores are busy, at most once in BUSY_REPORT_MS, because this goes to all members. A core
   * that is free for a moment between two tasks counts as busy. Otherwise each node in a job would tell all others of it
   * all the time.
   */
  #reportBusy(): void {
    const busy = this.#pool.running().length;
    this.#busiest = Math.max(this.#busiest, busy);
    if (this.#reportTimer !== undefined || this.#closed) return;
    if (busy === this.#reported && this.#busiest === busy) return;
    if (this.#busiest !== this.#reported) {
      this.#reported = this.#busiest;
      this.#net.update({ coresBusy: this.#reported });
    }
    this.#busiest = busy;
    this.#reportTimer = this.#clock.timer(BUSY_REPORT_MS, () => {
      this.#reportTimer = undefined;
      this.#reportBusy();
    });
  }
}

/** Whether it is a fault of the module or the task, the same on any node. */
function isFault(error: unknown): error is StarfishError {
  return error instanceof StarfishError && TASK_FAULTS.some((code) => code === error.code);
}

function limitsOf({ limits }: MapJob): TaskLimits {
  return {
    memoryBytesMax: Math.min(limits?.memoryBytesMax ?? LIMITS_DEFAULT.memoryBytesMax, MEMORY_BYTES_MAX),
    fuelMax: Math.min(limits?.fuelMax ?? LIMITS_DEFAULT.fuelMax, FUEL_MAX),
    timeMsMax: Math.min(limits?.timeMsMax ?? LIMITS_DEFAULT.timeMsMax, TIME_MS_MAX),
  };
}

async function* checkedInputs(inputs: MapJob["inputs"]): AsyncGenerator<Bytes, void, undefined> {
  let index = 0;
  for await (const input of inputs) {
    if (input.length > PAYLOAD_BYTES_MAX) {
      throw new StarfishError(
        "too-large",
        `Chunk ${index}: the input has ${input.length} bytes, the most is ${PAYLOAD_BYTES_MAX}`,
      );
    }
    index++;
    yield input;
  }
}

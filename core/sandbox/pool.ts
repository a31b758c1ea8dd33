/**
 * The cores of this node: a bounded queue of tasks, and the sandbox workers that run them. The node's own tasks may use
 * every core, tasks of others as many as the node lends. Jobs take turns: the job with the fewest running tasks goes
 * first, so that a short one never waits for all of a long one. Of equal jobs the one whose last turn was longest ago
 * goes first, then the node's own. A task gets a fresh instance, in a worker that it has for itself while it runs. If a
 * task fails, is cancelled or exceeds its time, its worker is ended; a spare one is ready. The tabs of one browser
 * share a budget (core-budget.ts), which decides how many cores may run at the same time.
 */
import type { Bytes } from "../base/bytes.ts";
import { type ErrorCode, cancelled, messageOf, StarfishError } from "../base/errors.ts";
import { Listeners, type Unsubscribe } from "../base/events.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { PeerId } from "../ports/network.ts";
import type { Sandbox, SandboxOutcome, SandboxProgram, SandboxWorker } from "../ports/sandbox.ts";
import type { CoreBudget, CoreLease } from "./core-budget.ts";
import { WORKER_IDLE_MS } from "./limits.ts";

export interface PoolTask {
  readonly job: string;
  /** The node for which it runs; this node's own tasks may use cores that are not lent. */
  readonly for: PeerId;
  readonly own: boolean;
  readonly moduleId: string;
  readonly module: WebAssembly.Module;
  readonly program?: SandboxProgram | undefined;
  readonly input: Bytes;
  readonly fuelMax: number;
  readonly timeMsMax: number;
}

export type PoolResult =
  | {
      readonly ok: true;
      readonly output: Uint8Array;
      readonly fuelUsed: number;
      readonly runMs: number;
      readonly waitMs: number;
    }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

interface Waiting {
  readonly task: PoolTask;
  readonly queuedAtMs: number;
  readonly signal: AbortSignal;
  readonly settle: (result: PoolResult) => void;
  readonly fail: (error: StarfishError) => void;
}

/** A core has a worker once one has started, and keeps it until a task ends badly. */
interface Core {
  worker: SandboxWorker | undefined;
  task: PoolTask | undefined;
  lease: CoreLease | undefined;
  /** Ends the running task. */
  end: (() => void) | undefined;
}

export class Pool {
  readonly #sandbox: Sandbox;
  readonly #clock: Clock;
  readonly #budget: CoreBudget;
  readonly #cores: readonly Core[];
  readonly #waiting: { own: Waiting[]; lent: Waiting[] } = { own: [], lent: [] };
  readonly #activity = new Listeners<void>();
  /** The number of each job's last turn, since the last time that nothing could begin. */
  readonly #turns = new Map<string, number>();
  #turn = 0;
  #lent = 0;
  #lentRunning = 0;
  /** A worker that is ready, or starting. */
  #spare: Promise<SandboxWorker> | undefined;
  #idle: Timer | undefined;
  #closed = false;

  constructor(options: { sandbox: Sandbox; clock: Clock; budget: CoreBudget }) {
    this.#sandbox = options.sandbox;
    this.#clock = options.clock;
    this.#budget = options.budget;
    this.#cores = Array.from({ length: options.sandbox.cores }, () => ({
      worker: undefined,
      task: undefined,
      lease: undefined,
      end: undefined,
    }));
  }

  get lent(): number {
    return this.#lent;
  }

  /** Running tasks beyond the new number finish first. */
  lend(cores: number): void {
    this.#lent = Math.max(0, Math.min(cores, this.#cores.length));
    this.#dispatch();
  }

  running(): PoolTask[] {
    return this.#cores.flatMap((core) => (core.task === undefined ? [] : [core.task]));
  }

  onActivity(listener: () => void): Unsubscribe {
    return this.#activity.add(listener);
  }

  /**
   * Runs the task when a core is free. Rejects with "cancelled" when the signal aborts (a running task is ended), and
   * with "unsupported" or "closed" when no workers are available. The caller bounds the number of its tasks.
   */
  run(task: PoolTask, signal: AbortSignal): Promise<PoolResult> {
    return new Promise((settle, fail) => {
      if (this.#closed) return fail(closed());
      if (signal.aborted) return fail(cancelled(signal));
      const queue = task.own ? this.#waiting.own : this.#waiting.lent;
      const waiting: Waiting = { task, queuedAtMs: this.#clock.monotonic(), signal, settle, fail };
      queue.push(waiting);
      signal.addEventListener("abort", () => {
        const place = queue.indexOf(waiting);
        if (place >= 0) queue.splice(place, 1);
        fail(cancelled(signal));
      });
      this.#dispatch();
    });
  }

  /** A task will come soon: if no worker is idle, one starts now. */
  prepare(): void {
    const isIdle = ({ task, worker }: Core): boolean => task === undefined && worker !== undefined;
    if (this.#closed || this.#cores.some(isIdle)) return;
    this.#startSpare();
    if (this.running().length === 0) this.#rest();
  }

  close(): void {
    this.#closed = true;
    for (const waiting of [...this.#waiting.own.splice(0), ...this.#waiting.lent.splice(0)]) waiting.fail(closed());
    this.#idle?.cancel();
    for (const core of this.#cores) core.end?.();
    this.#dropWorkers();
  }

  #dispatch(): void {
    for (const core of this.#cores) {
      if (core.task !== undefined) continue;
      const next = this.#next();
      if (next === undefined) break;
      this.#idle?.cancel();
      this.#idle = undefined;
      core.task = next.task;
      if (!next.task.own) this.#lentRunning++;
      this.#activity.emit();
      void this.#serve(core, next);
    }
  }

  #next(): Waiting | undefined {
    const { own, lent } = this.#waiting;
    const firsts = [firstOfJobs(own), this.#lentRunning < this.#lent ? firstOfJobs(lent) : []].flat();
    const [only] = firsts;
    const found = firsts.length < 2 ? only : this.#fairest(firsts);
    if (found === undefined) {
      // Jobs that wait for cores to be lent take their turns anew.
      this.#turns.clear();
      return undefined;
    }
    this.#turns.set(found.task.job, ++this.#turn);
    const queue = found.task.own ? own : lent;
    queue.splice(queue.indexOf(found), 1);
    return found;
  }

  #fairest(firsts: readonly Waiting[]): Waiting | undefined {
    const running = new Map<string, number>();
    for (const { job } of this.running()) running.set(job, (running.get(job) ?? 0) + 1);
    const ranked = firsts.toSorted(({ task: a }, { task: b }) => {
      const fewer = (running.get(a.job) ?? 0) - (running.get(b.job) ?? 0);
      const owner = Number(b.own) - Number(a.own);
      return fewer || (this.#turns.get(a.job) ?? 0) - (this.#turns.get(b.job) ?? 0) || owner;
    });
    return ranked[0];
  }

  /** Runs one task on a core that was free; then the core takes the next. */
  async #serve(core: Core, { task, queuedAtMs, signal, settle, fail }: Waiting): Promise<void> {
    try {
      core.lease ??= await this.#budget.acquire(signal);
      core.worker ??= await this.#worker();
      if (signal.aborted) throw cancelled(signal);
      const startedAtMs = this.#clock.monotonic();
      const outcome = await this.#supervise(core, core.worker, task, signal);
      const endedAtMs = this.#clock.monotonic();
      if (outcome.ok) {
        settle({ ...outcome, runMs: endedAtMs - startedAtMs, waitMs: startedAtMs - queuedAtMs });
      } else {
        this.#discard(core);
        settle(outcome);
      }
    } catch (error) {
      fail(
        error instanceof StarfishError ? error : new StarfishError("unsupported", messageOf(error), { cause: error }),
      );
    }
    core.task = undefined;
    if (!task.own) this.#lentRunning--;
    // Comes before the next task begins, so that listeners who count tasks see each one end.
    this.#activity.emit();
    if (core.lease?.wanted() === true || !this.#hasWork()) {
      core.lease?.release();
      core.lease = undefined;
    }
    if (this.#closed) this.#discard(core);
    this.#dispatch();
    if (this.running().length === 0) this.#rest();
  }

  /** The task's outcome, or "timeout", or a rejection with "cancelled". After the latter two the worker is gone. */
  #supervise(core: Core, worker: SandboxWorker, task: PoolTask, signal: AbortSignal): Promise<SandboxOutcome> {
    return new Promise((resolve, reject) => {
      const over = (): void => {
        deadline.cancel();
        signal.removeEventListener("abort", stop);
        core.end = undefined;
      };
      const stop = (): void => {
        over();
        this.#discard(core);
        reject(signal.aborted ? cancelled(signal) : closed());
      };
      const deadline = this.#clock.timer(task.timeMsMax, () => {
        over();
        resolve({
          ok: false,
          code: "timeout",
          message: `The task ran longer than ${task.timeMsMax / 1000} s and was ended`,
        });
      });
      core.end = stop;
      signal.addEventListener("abort", stop, { once: true });
      void worker.run(task).then((outcome) => {
        over();
        resolve(outcome);
      });
    });
  }

  #hasWork(): boolean {
    return this.#waiting.own.length > 0 || (this.#waiting.lent.length > 0 && this.#lentRunning < this.#lent);
  }

  #worker(): Promise<SandboxWorker> {
    const spare = this.#spare ?? this.#sandbox.spawn();
    this.#spare = undefined;
    return spare;
  }

  /** Ends a core's worker, and starts a new one for the next task. */
  #discard(core: Core): void {
    if (core.worker === undefined) return;
    core.worker.terminate();
    core.worker = undefined;
    if (!this.#closed) this.#startSpare();
  }

  #startSpare(): void {
    if (this.#spare !== undefined) return;
    const starting = this.#sandbox.spawn();
    this.#spare = starting;
    // The task that needs it is told.
    starting.catch(() => {
      if (this.#spare === starting) this.#spare = undefined;
    });
  }

  /** There is nothing to do: the workers stay for a while. */
  #rest(): void {
    this.#idle?.cancel();
    if (!this.#closed) this.#idle = this.#clock.timer(WORKER_IDLE_MS, () => this.#dropWorkers());
  }

  #dropWorkers(): void {
    for (const core of this.#cores) {
      core.worker?.terminate();
      core.worker = undefined;
      core.lease?.release();
      core.lease = undefined;
    }
    this.#spare?.then(
      (worker) => worker.terminate(),
      () => {},
    );
    this.#spare = undefined;
  }
}

/** The longest waiting task of each job. */
function firstOfJobs(waiting: readonly Waiting[]): Waiting[] {
  const firsts = new Map<string, Waiting>();
  for (const each of waiting) if (!firsts.has(each.task.job)) firsts.set(each.task.job, each);
  return [...firsts.values()];
}

function closed(): StarfishError {
  return new StarfishError("closed", "This node runs no tasks any more");
}

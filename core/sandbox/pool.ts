/**
 * The cores of this node: a bounded queue of tasks, and the sandbox workers that run them. The node's own tasks may use
 * every core, tasks of others as many as the node lends. Jobs take turns: the job with the fewest running tasks goes
 * first, so that a short one never waits for all of a long one. Of equal jobs the one whose last turn was longest ago
 * goes first, then the node's own. A task gets a fresh instance, in a worker that it has for itself while it runs; short
 * tasks of one kind go to a worker together (batches.ts). If a task fails, is cancelled or exceeds its time, its worker is
 * ended; a spare one is ready. The others of its batch are run again. The tabs of one browser
 * share a budget (core-budget.ts), which decides how many cores may run at the same time.
 */
import type { Bytes } from "../base/bytes.ts";
import { type ErrorCode, cancelled, messageOf, StarfishError } from "../base/errors.ts";
import { Listeners, type Unsubscribe } from "../base/events.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { PeerId } from "../ports/network.ts";
import type { Sandbox, SandboxProgram, SandboxRun, SandboxWorker } from "../ports/sandbox.ts";
import { batchOf, Paces } from "./batches.ts";
import type { CoreBudget, CoreLease } from "./core-budget.ts";
import { BATCH_BYTES_MAX, BATCH_LATE_MS, WORKER_IDLE_MS } from "./limits.ts";

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
  readonly settle: (result: PoolResult) => void;
  readonly fail: (error: StarfishError) => void;
  /** Its batch was given up, perhaps because of it. */
  isAlone: boolean;
  isCancelled: boolean;
  /** Called when it is cancelled while a core has it. */
  onCancelled: (() => void) | undefined;
}

/** The tasks that a core has; those before `done` are over. */
interface Batch {
  readonly all: readonly Waiting[];
  done: number;
  /** A task has failed: the worker is not used again. */
  failed: boolean;
}

/** A core has a worker once one has started, and keeps it until a task ends badly. */
interface Core {
  worker: SandboxWorker | undefined;
  batch: Batch | undefined;
  lease: CoreLease | undefined;
  /** Ends what runs. */
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
  readonly #paces = new Paces();
  #ended = 0;
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
      batch: undefined,
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

  /** How many tasks have ended here. */
  get ended(): number {
    return this.#ended;
  }

  /** The task that each busy core runs. */
  running(): PoolTask[] {
    return this.#cores.flatMap(({ batch }) => {
      const task = batch?.all[Math.min(batch.done, batch.all.length - 1)]?.task;
      return task === undefined ? [] : [task];
    });
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
      const queue = this.#queueOf(task);
      const rest = { isAlone: false, isCancelled: false, onCancelled: undefined };
      const waiting: Waiting = { task, queuedAtMs: this.#clock.monotonic(), settle, fail, ...rest };
      queue.push(waiting);
      signal.addEventListener("abort", () => {
        const place = queue.indexOf(waiting);
        if (place >= 0) queue.splice(place, 1);
        waiting.isCancelled = true;
        fail(cancelled(signal));
        waiting.onCancelled?.();
      });
      this.#dispatch();
    });
  }

  /** A task will come soon: if no worker is idle, one starts now. */
  prepare(): void {
    const isIdle = ({ batch, worker }: Core): boolean => batch === undefined && worker !== undefined;
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

  #queueOf({ own }: PoolTask): Waiting[] {
    return own ? this.#waiting.own : this.#waiting.lent;
  }

  #dispatch(): void {
    for (const core of this.#cores) {
      if (core.batch !== undefined) continue;
      const first = this.#next();
      if (first === undefined) break;
      this.#idle?.cancel();
      this.#idle = undefined;
      core.batch = { all: [first, ...this.#more(first)], done: 0, failed: false };
      if (!first.task.own) this.#lentRunning++;
      this.#activity.emit();
      void this.#serve(core, core.batch, first.task);
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
    const queue = this.#queueOf(found.task);
    queue.splice(queue.indexOf(found), 1);
    return found;
  }

  /** Takes further tasks of the same kind that wait, as many as go together; other free cores get their part. */
  #more(first: Waiting): Waiting[] {
    const most = first.isAlone ? 1 : batchOf(this.#paces.meanOf(kindOf(first.task)));
    if (most === 1) return [];
    const queue = this.#queueOf(first.task);
    const alike = queue.filter(({ task, isAlone }) => !isAlone && isAlike(task, first.task));
    const free = this.#cores.filter(({ batch }) => batch === undefined).length;
    const more = new Set<Waiting>();
    let bytes = first.task.input.length;
    for (const each of alike.slice(0, Math.min(most, Math.ceil((alike.length + 1) / free)) - 1)) {
      bytes += each.task.input.length;
      if (bytes > BATCH_BYTES_MAX) break;
      more.add(each);
    }
    queue.splice(0, queue.length, ...queue.filter((each) => !more.has(each)));
    return [...more];
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

  /** Runs tasks on a core that was free; then the core takes the next. */
  async #serve(core: Core, batch: Batch, { own }: PoolTask): Promise<void> {
    const controller = new AbortController();
    const { signal } = controller;
    for (const waiting of batch.all) {
      // Short tasks end soon, so a batch is ended only when nobody waits for any of it.
      waiting.onCancelled = () => {
        if (batch.all.slice(batch.done).every(({ isCancelled }) => isCancelled)) controller.abort();
      };
    }
    try {
      core.lease ??= await this.#budget.acquire(signal);
      core.worker ??= await this.#worker();
      if (signal.aborted) throw cancelled(signal);
      await this.#supervise(core, core.worker, batch, signal);
    } catch (error) {
      const cause =
        error instanceof StarfishError ? error : new StarfishError("unsupported", messageOf(error), { cause: error });
      for (const { fail } of batch.all.slice(batch.done)) fail(cause);
    }
    core.batch = undefined;
    if (!own) this.#lentRunning--;
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

  /**
   * Resolves when the worker has run the tasks, or when one has failed or exceeded its time: then the worker is gone, and
   * the others of its batch wait again. Rejects with "cancelled"; then the worker is gone too.
   */
  #supervise(core: Core, worker: SandboxWorker, batch: Batch, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const { all } = batch;
      const [first] = all;
      if (first === undefined) return resolve();
      const { moduleId, module, program, fuelMax, timeMsMax } = first.task;
      const startedAtMs = this.#clock.monotonic();
      const lateMs = all.length > 1 ? Math.min(timeMsMax, BATCH_LATE_MS) : timeMsMax;
      let toldAtMs = startedAtMs;
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
      const late = (): void => {
        over();
        this.#discard(core);
        if (all.length > 1) this.#again(batch, true);
        else {
          const message = `The task ran longer than ${timeMsMax / 1000} s and was ended`;
          this.#settle(batch, { ok: false, code: "timeout", message });
        }
        resolve();
      };
      let deadline = this.#clock.timer(lateMs, late);
      core.end = stop;
      signal.addEventListener("abort", stop, { once: true });
      const inputs = all.map(({ task }) => task.input);
      const tell = (runs: readonly SandboxRun[]): void => {
        const nowMs = this.#clock.monotonic();
        // What was not spent in the tasks, like the way of the messages, is shared by them.
        const extraMs = (nowMs - toldAtMs - runs.reduce((sum, { runMs }) => sum + runMs, 0)) / runs.length;
        toldAtMs = nowMs;
        for (const { outcome, runMs } of runs) {
          // A worker that died may have died of any of them.
          if (!outcome.ok && outcome.code === "closed" && all.length > 1) return this.#again(batch, true);
          const tookMs = Math.max(0, runMs + extraMs);
          if (outcome.ok) this.#paces.add(kindOf(first.task), tookMs);
          const waitMs = startedAtMs - (all[batch.done]?.queuedAtMs ?? startedAtMs);
          this.#settle(batch, outcome.ok ? { ...outcome, runMs: tookMs, waitMs } : outcome);
        }
        deadline.cancel();
        deadline = this.#clock.timer(lateMs, late);
        if (batch.done < all.length) this.#activity.emit();
      };
      void worker.run({ moduleId, module, program, inputs, fuelMax }, tell).then(() => {
        over();
        if (batch.failed) this.#discard(core);
        this.#again(batch, false);
        resolve();
      });
    });
  }

  /** The result of the batch's next task. */
  #settle(batch: Batch, result: PoolResult): void {
    const ended = batch.all[batch.done++];
    this.#ended++;
    if (!result.ok) batch.failed = true;
    ended?.settle(result);
  }

  /** Tasks that were not run, or not told of, wait again; `isAlone` if one of them may be why. */
  #again(batch: Batch, isAlone: boolean): void {
    const left = batch.all.slice(batch.done).filter(({ isCancelled }) => !isCancelled);
    batch.done = batch.all.length;
    if (isAlone) batch.failed = true;
    for (const waiting of left) {
      waiting.isAlone ||= isAlone;
      waiting.onCancelled = undefined;
    }
    const [first] = left;
    if (first !== undefined) this.#queueOf(first.task).unshift(...left);
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

function kindOf({ job, moduleId, program }: PoolTask): string {
  return `${job} ${moduleId} ${program?.entry ?? ""}`;
}

/** Whether they differ in nothing but the input, and so can go in one message. */
function isAlike(a: PoolTask, b: PoolTask): boolean {
  return (
    a.job === b.job &&
    a.moduleId === b.moduleId &&
    a.module === b.module &&
    a.program === b.program &&
    a.fuelMax === b.fuelMax &&
    a.timeMsMax === b.timeMsMax
  );
}

function closed(): StarfishError {
  return new StarfishError("closed", "This node runs no tasks any more");
}

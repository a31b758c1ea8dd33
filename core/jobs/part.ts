/**
 * This node's part in one running job. It runs tasks that it has claimed, tells about that once a second, holds
 * results, and puts them together when it is its turn. It plans what to run (plan.ts) from what it knows of the others
 * (view.ts), and asks nobody. A node without cores for the job still holds copies of results, and may have to finish
 * the job.
 */
import { isStarfishError, messageOf, StarfishError } from "../base/errors.ts";
import type { Contents } from "../disk/types.ts";
import type { ReplicatedMap } from "../memory/types.ts";
import type { Net } from "../net/types.ts";
import { type Clock, every, type Timer } from "../ports/clock.ts";
import type { Crypto } from "../ports/crypto.ts";
import type { Log } from "../ports/log.ts";
import type { PeerId } from "../ports/network.ts";
import type { Random } from "../ports/random.ts";
import { batchOf } from "../sandbox/batches.ts";
import type { Modules } from "../sandbox/modules.ts";
import type { Pool } from "../sandbox/pool.ts";
import type { JobRecord } from "./book.ts";
import { Copies } from "./copies.ts";
import { Ending } from "./ending.ts";
import type { WorkEntry } from "./entries.ts";
import { Executor, type TaskOutcome } from "./executor.ts";
import type { FinishedOutcome } from "./finish.ts";
import { Gatherer } from "./gather.ts";
import { Growing } from "./growing.ts";
import {
  add,
  has,
  type Intervals,
  intersect,
  interval,
  meets,
  NONE,
  sizeOf,
  subtract,
  union,
  unionAll,
} from "./intervals.ts";
import {
  FAILURE_CHARS_MAX,
  FAILURES_TOLD_MAX,
  FAULT_PAUSE_MS,
  FAULT_PAUSE_MS_MAX,
  LONG_TASK_MS,
  LOOK_EVERY_MS,
  OUTPUT_INLINE_BYTES_MAX,
  PLAN_EVERY_MS,
  SHORT_TASK_MS,
  STALLED_MS,
  TELL_EVERY_MS,
} from "./limits.ts";
import type { LoadLongTasks } from "./long-tasks.ts";
import type { Memo, Remembered } from "./memo.ts";
import { Participants } from "./participants.ts";
import { plan, type Plan, planDrawn } from "./plan.ts";
import { type Held, type HeldBytes, type Output, Results } from "./results.ts";
import type { Sharer, Shares } from "./shares.ts";
import { taskSpan } from "./spec.ts";
import { Telling } from "./telling.ts";
import { readyOf } from "./tree.ts";
import type { FailedTask, JobState, TaskCounts } from "./types.ts";
import { Verifier } from "./verifier.ts";
import { JobView, type Writers } from "./view.ts";
import type { NodePart } from "./who.ts";
import type { TaskOutput } from "./wire.ts";

export interface PartParts {
  readonly net: Net;
  readonly work: ReplicatedMap;
  readonly contents: Contents;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly random: Random;
  readonly log: Log;
  readonly pool: Pool;
  readonly modules: Modules;
  readonly shares: Shares;
  readonly writers: Writers;
  readonly heldBytes: HeldBytes;
  readonly memo: Memo;
  readonly longTasks: LoadLongTasks;
  /** Nodes that were named in recent jobs: they are not drawn for verified jobs. */
  readonly distrusted: () => ReadonlySet<PeerId>;
  /** Called with the outcome, on the node that has put the results together. */
  readonly finish: (outcome: FinishedOutcome) => void;
  /** For a verified job: the proposed outcome, and a way to confirm it. */
  readonly proposal: () => FinishedOutcome | undefined;
  readonly confirm: (outcome: FinishedOutcome) => void;
  readonly onChange: () => void;
}

/** The weight of the newest task in the mean time of tasks. */
const SMOOTHING = 0.1;

export class Part implements Sharer {
  readonly job: JobRecord;
  readonly own: boolean;
  /** All numbers of its tasks are below this, including tasks that may still come. */
  readonly span: number;
  readonly gatherer: Gatherer;
  readonly #parts: PartParts;
  readonly #participants: Participants;
  readonly #results: Results;
  readonly #view: JobView;
  readonly #executor: Executor;
  readonly #copies: Copies;
  readonly #telling: Telling;
  readonly #verifier: Verifier | undefined;
  readonly #ending: Ending;
  /** For a job whose tasks take other tasks' results. Until the graph has been read, no task can begin. */
  readonly #growing: Growing | undefined;
  readonly #ended = new AbortController();
  readonly #looking: Timer;
  readonly #stopMembers: () => void;
  readonly #started = new Map<number, AbortController>();
  #startedSet: Intervals = NONE;
  #queued: Intervals = NONE;
  #ran: Intervals = NONE;
  #failed: Intervals = NONE;
  #failures: { task: number; code: FailedTask["code"] & WorkEntry["failures"][number]["code"]; message: string }[] = [];
  #done = 0;
  #taskMs: number | undefined;
  #planned = -Infinity;
  #planning: Timer | undefined;
  #glancing: Timer | undefined;
  /** When a task was last done here. */
  #advancedAtMs: number;
  #copiedAtMs = -Infinity;
  #pausedUntilMs = -Infinity;
  #pauseMs = FAULT_PAUSE_MS;
  #combined = 0;

  constructor(job: JobRecord, parts: PartParts) {
    const { net, clock } = parts;
    this.job = job;
    this.own = job.by === net.self;
    this.span = taskSpan(job.spec);
    this.#parts = parts;
    this.#participants = new Participants(job, () => this.#total, parts);
    this.#advancedAtMs = clock.monotonic();
    this.#results = new Results(parts.heldBytes);
    const { verify } = job.spec;
    const viewed = { id: job.id, total: this.span, isSigned: verify !== undefined };
    this.#view = new JobView(viewed, parts, (said) => this.#heard(said));
    this.#telling = new Telling(job.id, { ...parts, tellers: () => this.#view.others().length });
    this.#verifier = verify && this.#verified(verify);
    const proof = this.#verifier;
    const holders = (): ReadonlyMap<PeerId, Intervals> => proof?.holders() ?? this.#view.holders();
    const results = this.#results;
    const own = (task: number): Held | undefined => results.get(task);
    const held = { held: () => results.held, meanBytes: () => results.meanBytes };
    this.gatherer = new Gatherer(job.id, { ...parts, own, ...held, holders, proof });
    const { gatherer } = this;
    this.#growing = this.#growingOf();
    this.#executor = new Executor(
      { id: job.id, spec: job.spec, by: job.by, own: this.own },
      { ...parts, gatherer, graph: () => this.#growing?.graph },
    );
    this.#copies = new Copies(job.id, { ...parts, results: this.#results, ran: () => this.#ran, view: this.#view });
    this.#ending = new Ending(job, this.#ended.signal, {
      ...parts,
      view: this.#view,
      verifier: proof,
      now: () => parts.work.now(),
      total: () => this.#total,
      isWhole: () => this.#growing?.isWhole ?? true,
      outputs: (failed, options) => {
        const graph = this.#growing?.graph;
        if (graph !== undefined) return gatherer.inOrder(graph.outputsOf(graph.ends), options);
        const first = job.spec.combine.how === "reduce" ? this.#total - 1 : 0;
        return gatherer.outputs(subtract(interval(first, this.#total), failed), options);
      },
      nodesToAsk: () => gatherer.nodesFor(subtract(interval(0, this.#total), this.#failedForGood())),
      held: () => this.held(),
      failed: () => this.#failedForGood(),
      failures: () => this.failures(),
      hasTold: () => this.#telling.hasTold,
      own: () => ({ held: this.#results.held, copies: this.#copied() }),
      progress: (tasks) => {
        this.#combined = 1 + tasks;
        this.#telling.change();
      },
    });
    this.#looking = every(clock, LOOK_EVERY_MS, () => this.#look());
    this.#stopMembers = net.onMember(() => {
      this.#participants.changed();
      this.#verifier?.changed();
    });
    parts.shares.add(this);
    this.#growing?.look();
    this.#planSoon();
  }

  get running(): number {
    return this.#started.size;
  }

  get depth(): number {
    const isShort = this.#taskMs !== undefined && this.#taskMs < SHORT_TASK_MS;
    // If inputs have to be fetched, that happens while the task before runs. While a batch runs, the next one waits.
    return isShort ? 1 + 2 * batchOf(this.#taskMs) : this.job.spec.inputs.from === "range" ? 1 : 2;
  }

  startNext(): boolean {
    if (this.#ended.signal.aborted || this.#cores() === 0) return false;
    const [task, end] = this.#queued;
    if (task === undefined || end === undefined) {
      this.#planSoon();
      return false;
    }
    this.#queued = subtract(this.#queued, [task, task + 1]);
    this.#start(task, end);
    return true;
  }

  /** The output, if this node holds it; for nodes that ask for it. */
  output(task: number): Held | undefined {
    return this.#results.get(task);
  }

  /** Undefined if the job is not verified. */
  get verifier(): Verifier | undefined {
    return this.#verifier;
  }

  /** Takes copies of another node's results. Returns how many of them it took, from the first on. */
  hold(results: readonly TaskOutput[]): number {
    // In a verified job, those who have to agree hold each result anyway.
    if (this.#verifier !== undefined) return 0;
    let held = 0;
    for (const [task, output, fuelUsed] of results) {
      if (task >= this.span || !this.#results.hasRoom(output instanceof Uint8Array ? output.length : 0)) break;
      this.#results.add(task, output, fuelUsed);
      held++;
    }
    this.#telling.change();
    return held;
  }

  /** Tasks whose results a living node holds, or that enough devices have verified. */
  held(): Intervals {
    const held = this.#verifier?.verified() ?? union(this.#results.held, this.#view.held());
    return this.#known(held);
  }

  counts(): TaskCounts {
    const claimed = unionAll([this.#claimed(), ...this.#view.others().map(({ entry }) => entry.claimed)]);
    const [running, held] = [this.#known(claimed), this.held()];
    return {
      total: this.#total,
      done: sizeOf(held),
      running: sizeOf(subtract(running, held)),
      failed: sizeOf(this.#failedForGood()),
    };
  }

  nodes(): Map<PeerId, NodePart & { running: Intervals }> {
    const nodes = new Map(
      this.#view.others().map(({ peer, entry: { claimed, held, copies } }) => {
        return [peer, { running: this.#known(claimed), held: this.#known(held), copies: this.#known(copies) }];
      }),
    );
    const own = { running: this.#claimed(), held: this.#results.held, copies: this.#copied() };
    if (own.running.length + own.held.length > 0) nodes.set(this.#parts.net.self, own);
    return nodes;
  }

  failures(): FailedTask[] {
    const { self } = this.#parts.net;
    const all: FailedTask[] = this.#failures.map((failure) => ({ ...failure, by: self }));
    const { failure: grown } = this.#growing ?? {};
    if (grown !== undefined) all.push({ ...grown, by: self });
    for (const { peer, entry } of this.#view.others()) {
      all.push(...entry.failures.map((failure) => ({ ...failure, by: peer })));
    }
    return all.sort((a, b) => a.task - b.task);
  }

  /** What to say of a verified job. */
  verification(): Pick<JobState, "named" | "lacking"> {
    const { verify } = this.job.spec;
    if (verify === undefined || this.#verifier === undefined) return { named: [], lacking: undefined };
    const [devices, needed] = [this.#verifier.devices(), verify.agree];
    return { named: this.#verifier.named(), lacking: devices < needed ? { devices, needed } : undefined };
  }

  references(): Iterable<string> {
    return this.#results.contents();
  }

  /** Whether the job has made no progress here for long, because something that it needs is missing. */
  isStalled(nowMs: number): boolean {
    return this.#pauseMs >= FAULT_PAUSE_MS_MAX && nowMs - this.#advancedAtMs >= STALLED_MS;
  }

  /** Stops working. Results are kept for other nodes until `close`. */
  end(): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort(new StarfishError("cancelled", "The job is over"));
    for (const controller of this.#started.values()) controller.abort(this.#ended.signal.reason);
    this.#queued = NONE;
    this.#looking.cancel();
    this.#planning?.cancel();
    this.#glancing?.cancel();
    this.#stopMembers();
    this.#parts.shares.remove(this);
  }

  close(): void {
    this.end();
    this.#view.close();
    this.#results.clear();
  }

  #cores(): number {
    const { net, clock, shares } = this.#parts;
    const { on } = this.job.spec;
    if (on !== undefined && !on.includes(net.self)) return 0;
    return clock.monotonic() < this.#pausedUntilMs ? 0 : shares.coresFor(this.own);
  }

  /** Tasks that are known now. */
  get #total(): number {
    return this.#growing?.count ?? this.span;
  }

  #known(tasks: Intervals): Intervals {
    return this.#growing?.known(tasks) ?? tasks;
  }

  #growingOf(): Growing | undefined {
    const { inputs } = this.job.spec;
    if (inputs.from !== "graph") return undefined;
    return new Growing(inputs, {
      contents: this.#parts.contents,
      gatherer: this.gatherer,
      held: () => this.held(),
      signal: this.#ended.signal,
      onGrown: () => {
        this.#participants.changed();
        this.#planSoon();
        this.#parts.onChange();
      },
      onFault: (error) => this.#fault(error),
    });
  }

  #copied(): Intervals {
    return subtract(this.#results.held, this.#ran);
  }

  #claimed(): Intervals {
    return union(this.#startedSet, this.#queued);
  }

  #start(task: number, end: number): void {
    const controller = new AbortController();
    this.#started.set(task, controller);
    this.#startedSet = add(this.#startedSet, task);
    this.#executor
      .run(task, end, controller.signal)
      .then((outcome) => this.#settle(task, outcome, controller.signal))
      .catch((error: unknown) => this.#fault(error))
      .finally(() => {
        this.#started.delete(task);
        this.#startedSet = subtract(this.#startedSet, [task, task + 1]);
        this.#telling.change();
        if (this.#ended.signal.aborted) return;
        if (sizeOf(this.#queued) < this.#cores()) this.#planSoon();
        this.#parts.shares.pump();
        // Others may wait for what this node has done last, or all is done.
        if (this.#claimed().length === 0) this.#glanceIn(this.#telling.idleInMs);
      });
  }

  async #settle(task: number, outcome: TaskOutcome, signal: AbortSignal): Promise<void> {
    if (!outcome.ok) {
      this.#failed = add(this.#failed, task);
      if (this.#failures.length < FAILURES_TOLD_MAX) {
        const message = outcome.message.slice(0, FAILURE_CHARS_MAX);
        this.#failures.push({ task, code: outcome.code, message });
      }
      this.#parts.onChange();
      return;
    }
    const { output, fuelUsed, runMs, key } = outcome;
    this.#done++;
    this.#advancedAtMs = this.#parts.clock.monotonic();
    this.#pauseMs = FAULT_PAUSE_MS;
    this.#taskMs =
      this.#taskMs === undefined ? runMs : this.#taskMs + Math.max(SMOOTHING, 1 / this.#done) * (runMs - this.#taskMs);
    const isSmall = output.length <= OUTPUT_INLINE_BYTES_MAX && this.#results.hasRoom(output.length);
    this.#ran = add(this.#ran, task);
    this.#results.add(task, isSmall ? output : await this.#stored(output, signal), fuelUsed);
    if (key !== undefined && runMs > LONG_TASK_MS) void this.#remember(task, key, outcome);
    this.#verifier?.answer(task, output, fuelUsed);
    this.#growing?.look();
    this.#parts.onChange();
  }

  /**
   * Makes the swarm remember the result. In a verified job it is stated only when others may see this node's answer.
   */
  async #remember(task: number, key: string, result: Remembered & { readonly runMs: number }): Promise<void> {
    const verifier = this.#verifier;
    const mayBeSaid = (): boolean => verifier === undefined || verifier.shown(interval(task, task + 1)).length > 0;
    (await this.#parts.longTasks())?.add(key, result, result.runMs, mayBeSaid);
  }

  async #stored(output: Uint8Array, signal: AbortSignal): Promise<Output> {
    async function* once(): AsyncGenerator<Uint8Array, void, undefined> {
      yield await Promise.resolve(output);
    }
    return (await this.#parts.contents.put(once(), { signal })).ref;
  }

  /**
   * This node could not run a task: for a while it runs nothing of this job. Being told to stop ("cancelled") is no
   * fault.
   */
  #fault(error: unknown): void {
    if (isStarfishError(error, "cancelled")) return;
    this.#parts.log.write("warn", "jobs.fault", { job: this.job.id, error: messageOf(error) });
    if (!isStarfishError(error)) throw error;
    this.#pausedUntilMs = this.#parts.clock.monotonic() + this.#pauseMs;
    this.#pauseMs = Math.min(FAULT_PAUSE_MS_MAX, 2 * this.#pauseMs);
    this.#queued = NONE;
  }

  #failedForGood(): Intervals {
    const grown = this.#growing?.failed ?? NONE;
    if (this.#verifier !== undefined) return union(this.#verifier.failed(), grown);
    const able = this.#participants.workers().length;
    return union(this.#view.failed(this.#failed, able <= 1), grown);
  }

  #verified({ runs, agree }: { readonly runs: number; readonly agree: number }): Verifier {
    const { limits, inputs } = this.job.spec;
    const isGrowing = inputs.from === "graph" && inputs.tasksMax !== undefined;
    return new Verifier(
      { job: this.job.id, total: this.span, isGrowing, runs, agree },
      {
        ...this.#parts,
        view: this.#view,
        able: () => this.#participants.able(),
        ready: () => this.#ready(),
        failedHere: () => this.#failed,
        taskMs: () => this.#taskMs ?? limits.timeMsMax,
        onChange: () => {
          this.#telling.change();
          this.#planSoon();
          this.#parts.onChange();
        },
      },
    );
  }

  #ready(): Intervals {
    const { inputs, combine: how } = this.job.spec;
    if (this.#growing !== undefined) return this.#growing.ready();
    return how.how === "reduce" ? readyOf(inputs.count, this.held()) : interval(0, this.#total);
  }

  #planSoon(): void {
    if (this.#planning !== undefined || this.#ended.signal.aborted) return;
    const delayMs = Math.max(0, this.#planned + PLAN_EVERY_MS - this.#parts.clock.monotonic());
    this.#planning = this.#parts.clock.timer(delayMs, () => {
      this.#planning = undefined;
      this.#plan();
    });
  }

  #plan(): void {
    const nowMs = this.#parts.clock.monotonic();
    this.#planned = nowMs;
    const { claim, drop, cancel } = this.#next(nowMs);
    if (claim.length + drop.length > 0) this.#telling.change();
    this.#queued = union(subtract(this.#queued, drop), claim);
    for (const [task, controller] of this.#started) {
      if (has(cancel, task)) controller.abort(new StarfishError("cancelled", "Another node has done it"));
    }
    if (claim.length > 0) this.#parts.shares.pump();
    this.#tell();
  }

  #next(nowMs: number): Plan {
    const { net } = this.#parts;
    const lane = {
      cores: this.#cores(),
      started: this.#startedSet,
      queued: this.#queued,
      taskMs: this.#taskMs,
      done: this.#done,
      tellMs: this.#telling.everyMs,
    };
    const verifier = this.#verifier;
    if (verifier !== undefined) {
      const drawn = intersect(verifier.drawn(), this.#ready());
      const over = union(union(this.#results.held, this.#failed), this.#failedForGood());
      return planDrawn({ drawn, over, verified: verifier.verified(), isFull: verifier.isFull }, lane);
    }
    const done = union(this.held(), this.#failedForGood());
    const peers = this.#view.others().map(({ peer, entry, progressAtMs }) => ({
      id: peer,
      cores: Math.max(1, net.member(peer)?.record.coresLent ?? 1),
      claimed: entry.claimed,
      progressAtMs,
    }));
    const order = this.#participants.order();
    return plan({ order, done, ready: this.#ready(), peers, barred: this.#failed }, lane, nowMs);
  }

  /** Another node has told this. */
  #heard(said: WorkEntry | undefined): void {
    this.#verifier?.changed();
    this.#verifier?.look(this.#ended.signal);
    this.#growing?.look();
    const mine = this.#claimed();
    // If the other node claims or has done some of this node's tasks, this node plans anew.
    if (said !== undefined && (meets(mine, said.claimed) || meets(mine, said.held))) this.#planSoon();
    // A node that has nothing to do looks soon whether there is something to do, or all is done.
    if (mine.length === 0) this.#glanceIn(this.#telling.idleEveryMs);
    this.#parts.onChange();
  }

  #glanceIn(delayMs: number): void {
    this.#glancing ??= this.#parts.clock.timer(delayMs, () => {
      this.#glancing = undefined;
      this.#look();
    });
  }

  #look(): void {
    const nowMs = this.#parts.clock.monotonic();
    this.#growing?.look();
    if (this.#started.size === 0 || sizeOf(this.#queued) === 0) this.#planSoon();
    else this.#parts.shares.pump();
    // Others wait for the last results of a node that has nothing more to run.
    const copyEveryMs = this.#claimed().length === 0 ? this.#telling.idleEveryMs : TELL_EVERY_MS;
    if (nowMs - this.#copiedAtMs >= copyEveryMs) {
      this.#copiedAtMs = nowMs;
      if (this.#verifier === undefined)
        void this.#copies.give(this.#ended.signal).catch((error: unknown) => this.#fault(error));
    }
    this.#verifier?.look(this.#ended.signal);
    this.#tell();
    this.#ending.look(nowMs);
  }

  #tell(): void {
    const { held } = this.#results;
    const told = { claimed: this.#claimed(), held, copies: this.#copied(), combined: this.#combined };
    const failed = { failed: this.#failed, failures: this.#failures };
    this.#telling.tell({ ...told, ...failed }, () => this.#verifier?.votes());
  }
}

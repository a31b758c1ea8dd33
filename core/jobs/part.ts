/**
 * This node's part in one running job: it runs tasks that it claims, tells about it once a second, holds results, and puts
 * them together when it is its turn. What to run is planned (plan.ts) from what it knows of the others (view.ts); there is
 * nobody to ask. A node without cores for the job still holds copies of results, and may have to finish the job.
 */
import { toHex } from "../base/bytes.ts";
import { encode } from "../base/codec.ts";
import { isStarfishError, messageOf, StarfishError } from "../base/errors.ts";
import { hashOf, ranked, whoseTurn } from "../base/rendezvous.ts";
import type { Contents } from "../disk/types.ts";
import type { ReplicatedMap } from "../memory/types.ts";
import type { Net } from "../net/types.ts";
import { type Clock, every, type Timer } from "../ports/clock.ts";
import type { Crypto } from "../ports/crypto.ts";
import type { Log } from "../ports/log.ts";
import type { PeerId } from "../ports/network.ts";
import type { Modules } from "../sandbox/modules.ts";
import type { Pool } from "../sandbox/pool.ts";
import type { JobRecord } from "./book.ts";
import { Copies } from "./copies.ts";
import { type WorkEntry, writable, writeWork } from "./entries.ts";
import { Executor, type TaskOutcome } from "./executor.ts";
import { combine, type FinishedOutcome } from "./finish.ts";
import { Gatherer } from "./gather.ts";
import { add, has, type Intervals, interval, NONE, sizeOf, subtract, union, unionAll, within } from "./intervals.ts";
import {
  COMBINE_TURN_MS,
  FAILURE_CHARS_MAX,
  FAILURES_TOLD_MAX,
  FAULT_PAUSE_MS,
  FAULT_PAUSE_MS_MAX,
  IDLE_EVERY_MS,
  LEASE_MS,
  LOOK_EVERY_MS,
  OUTPUT_INLINE_BYTES_MAX,
  PLAN_EVERY_MS,
  SHORT_TASK_MS,
  STALLED_MS,
  TELL_EVERY_MS,
  TELL_EVERY_MS_MAX,
  TELL_EVERY_NODE_MS,
} from "./limits.ts";
import type { Memo } from "./memo.ts";
import { Order, plan } from "./plan.ts";
import { type HeldBytes, type Output, Results } from "./results.ts";
import type { Sharer, Shares } from "./shares.ts";
import { taskCount } from "./spec.ts";
import { readyOf } from "./tree.ts";
import type { FailedTask, TaskCounts } from "./types.ts";
import { JobView, workKey, type Writers } from "./view.ts";
import { type NodePart, sharesOf } from "./who.ts";
import type { TaskOutput } from "./wire.ts";

export interface PartParts {
  readonly net: Net;
  readonly work: ReplicatedMap;
  readonly contents: Contents;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly log: Log;
  readonly pool: Pool;
  readonly modules: Modules;
  readonly shares: Shares;
  readonly writers: Writers;
  readonly heldBytes: HeldBytes;
  readonly memo: Memo;
  /** Called with how the job ended, by the node that has put the results together. */
  readonly finish: (outcome: FinishedOutcome) => void;
  readonly onChange: () => void;
}

/** Weight of the newest task in the mean of what tasks take. */
const SMOOTHING = 0.1;

export class Part implements Sharer {
  readonly job: JobRecord;
  readonly own: boolean;
  readonly total: number;
  readonly gatherer: Gatherer;
  readonly #parts: PartParts;
  /** For the order of its tasks: equal jobs have the same, so that each node meets tasks that it has done before. */
  readonly #key: number;
  readonly #results: Results;
  readonly #view: JobView;
  readonly #executor: Executor;
  readonly #copies: Copies;
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
  #order: { readonly nodes: string; readonly order: Order } | undefined;
  #planned = -Infinity;
  #planning: Timer | undefined;
  #glancing: Timer | undefined;
  #isDirty = false;
  /** When a task was last done here. */
  #advancedAtMs: number;
  #toldAtMs = -Infinity;
  #copiedAtMs = -Infinity;
  #pausedUntilMs = -Infinity;
  #pauseMs = FAULT_PAUSE_MS;
  /** Since when all tasks have been done, as far as this node knows. */
  #completeAtMs: number | undefined;
  #combined = 0;
  #combining: AbortController | undefined;

  constructor(job: JobRecord, parts: PartParts) {
    const { net, clock } = parts;
    this.job = job;
    this.own = job.by === net.self;
    this.total = taskCount(job.spec);
    const { program, inputs, combine: how, limits } = job.spec;
    this.#key = hashOf(toHex(parts.crypto.sha256(encode(writable([program, inputs, how, limits]))))).a;
    this.#parts = parts;
    this.#advancedAtMs = clock.monotonic();
    this.#results = new Results(parts.heldBytes);
    this.#view = new JobView(job.id, this.total, parts, () => this.#heard());
    const holders = (): ReadonlyMap<PeerId, Intervals> => this.#view.holders();
    this.gatherer = new Gatherer(job.id, { ...parts, own: (task) => this.#results.get(task), holders });
    const { own, gatherer } = this;
    this.#executor = new Executor({ id: job.id, spec: job.spec, by: job.by, own }, { ...parts, gatherer });
    const heldByOthers = (): Intervals => this.#view.held();
    this.#copies = new Copies(job.id, { ...parts, results: this.#results, heldByOthers });
    this.#looking = every(clock, LOOK_EVERY_MS, () => this.#look());
    this.#stopMembers = net.onMember(() => {
      this.#order = undefined;
    });
    parts.shares.add(this);
    this.#planSoon();
  }

  get running(): number {
    return this.#started.size;
  }

  get depth(): number {
    const isShort = this.#taskMs !== undefined && this.#taskMs < SHORT_TASK_MS;
    // Inputs that have to be fetched are, while the task before runs.
    return isShort ? 3 : this.job.spec.inputs.from === "range" ? 1 : 2;
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

  /** What this node holds, for who asks; as much as is here. */
  output(task: number): Output | undefined {
    return this.#results.get(task);
  }

  /** Takes copies of another's results; gives how many of them, from the first on. */
  hold(results: readonly TaskOutput[]): number {
    let held = 0;
    for (const [task, output] of results) {
      if (task >= this.total || !this.#results.hasRoom(output instanceof Uint8Array ? output.length : 0)) break;
      this.#results.add(task, output);
      held++;
    }
    this.#isDirty = true;
    return held;
  }

  /** Tasks whose results somebody who is there holds. */
  held(): Intervals {
    return union(this.#results.held, this.#view.held());
  }

  counts(): TaskCounts {
    const running = unionAll([this.#claimed(), ...this.#view.others().map(({ entry }) => entry.claimed)]);
    const held = this.held();
    return {
      total: this.total,
      done: sizeOf(held),
      running: sizeOf(subtract(running, held)),
      failed: sizeOf(this.#failedForGood()),
    };
  }

  nodes(): Map<PeerId, NodePart & { running: Intervals }> {
    const nodes = new Map(
      this.#view
        .others()
        .map(({ peer, entry }) => [peer, { running: entry.claimed, held: entry.held, copies: entry.copies }]),
    );
    const own = { running: this.#claimed(), held: this.#results.held, copies: this.#copied() };
    if (own.running.length + own.held.length > 0) nodes.set(this.#parts.net.self, own);
    return nodes;
  }

  failures(): FailedTask[] {
    const { self } = this.#parts.net;
    const all = this.#failures.map((failure) => ({ ...failure, by: self }));
    for (const { peer, entry } of this.#view.others()) {
      all.push(...entry.failures.map((failure) => ({ ...failure, by: peer })));
    }
    return all.sort((a, b) => a.task - b.task);
  }

  references(): Iterable<string> {
    return this.#results.contents();
  }

  /** Whether nothing has come of it here for long, for want of what it needs. */
  isStalled(nowMs: number): boolean {
    return this.#pauseMs >= FAULT_PAUSE_MS_MAX && nowMs - this.#advancedAtMs >= STALLED_MS;
  }

  /** Stops working. Results stay for who asks, until `close`. */
  end(): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort(new StarfishError("cancelled", "The job is over"));
    for (const controller of this.#started.values()) controller.abort(this.#ended.signal.reason);
    this.#combining?.abort(this.#ended.signal.reason);
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
        this.#isDirty = true;
        if (this.#ended.signal.aborted) return;
        if (sizeOf(this.#queued) < this.#cores()) this.#planSoon();
        this.#parts.shares.pump();
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
    const { output, runMs } = outcome;
    this.#done++;
    this.#advancedAtMs = this.#parts.clock.monotonic();
    this.#pauseMs = FAULT_PAUSE_MS;
    this.#taskMs =
      this.#taskMs === undefined ? runMs : this.#taskMs + Math.max(SMOOTHING, 1 / this.#done) * (runMs - this.#taskMs);
    const isSmall = output.length <= OUTPUT_INLINE_BYTES_MAX && this.#results.hasRoom(output.length);
    this.#ran = add(this.#ran, task);
    this.#results.add(task, isSmall ? output : await this.#stored(output, signal));
    this.#parts.onChange();
  }

  async #stored(output: Uint8Array, signal: AbortSignal): Promise<Output> {
    async function* once(): AsyncGenerator<Uint8Array, void, undefined> {
      yield await Promise.resolve(output);
    }
    return (await this.#parts.contents.put(once(), { signal })).ref;
  }

  /** This node could not run a task, or was told to stop: for a while it runs nothing of this job. */
  #fault(error: unknown): void {
    if (isStarfishError(error, "cancelled")) return;
    this.#parts.log.write("warn", "jobs.fault", { job: this.job.id, error: messageOf(error) });
    if (!isStarfishError(error)) throw error;
    this.#pausedUntilMs = this.#parts.clock.monotonic() + this.#pauseMs;
    this.#pauseMs = Math.min(FAULT_PAUSE_MS_MAX, 2 * this.#pauseMs);
    this.#queued = NONE;
  }

  #failedForGood(): Intervals {
    const able = this.#workers().length;
    return this.#view.failed(this.#failed, able <= 1);
  }

  /** Who runs tasks of this job: members that lend cores, and its submitter. */
  #workers(): PeerId[] {
    const { net } = this.#parts;
    const { on } = this.job.spec;
    const able = net.members().filter(({ record, status, isSelf }) => {
      if (on !== undefined && !on.includes(record.peer)) return false;
      if (isSelf) return this.#parts.shares.coresFor(this.own) > 0;
      return (status === "awake" || status === "suspect") && (record.coresLent > 0 || record.peer === this.job.by);
    });
    return able.map(({ record }) => record.peer).sort();
  }

  #orderNow(): Order {
    if (this.#order !== undefined) return this.#order.order;
    const nodes = this.#workers();
    const { self } = this.#parts.net;
    const order = new Order(this.total, nodes, self, this.#key);
    this.#order = { nodes: nodes.join(), order };
    return order;
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
    const { clock, net } = this.#parts;
    const nowMs = clock.monotonic();
    this.#planned = nowMs;
    const cores = this.#cores();
    const held = this.held();
    const done = union(held, this.#failedForGood());
    const { inputs, combine: how } = this.job.spec;
    const ready = how.how === "reduce" ? readyOf(inputs.count, held) : interval(0, this.total);
    const peers = this.#view.others().map(({ peer, entry, progressAtMs }) => ({
      id: peer,
      cores: Math.max(1, net.member(peer)?.record.coresLent ?? 1),
      claimed: entry.claimed,
      progressAtMs,
    }));
    const order = this.#orderNow();
    const view = { order, done, ready, peers, barred: this.#failed };
    const lane = {
      cores,
      started: this.#startedSet,
      queued: this.#queued,
      taskMs: this.#taskMs,
      done: this.#done,
      tellMs: this.#tellEveryMs(),
    };
    const { claim, drop, cancel } = plan(view, lane, nowMs);
    if (claim.length + drop.length > 0) this.#isDirty = true;
    this.#queued = union(subtract(this.#queued, drop), claim);
    for (const [task, controller] of this.#started) {
      if (has(cancel, task)) controller.abort(new StarfishError("cancelled", "Another node has done it"));
    }
    if (claim.length > 0) this.#parts.shares.pump();
    this.#tell();
  }

  /** Another node has told something. */
  #heard(): void {
    const mine = this.#claimed();
    const others = this.#view.others();
    // What others claim too, or have done, is looked at when there is something of it.
    if (others.some(({ entry }) => meets(mine, entry.claimed) || meets(mine, entry.held))) this.#planSoon();
    // Who has nothing to do looks at once whether there is something, or all is done.
    if (mine.length === 0) {
      this.#glancing ??= this.#parts.clock.timer(IDLE_EVERY_MS, () => {
        this.#glancing = undefined;
        this.#look();
      });
    }
    this.#parts.onChange();
  }

  #look(): void {
    const nowMs = this.#parts.clock.monotonic();
    if (this.#started.size === 0 || sizeOf(this.#queued) === 0) this.#planSoon();
    else this.#parts.shares.pump();
    if (nowMs - this.#copiedAtMs >= TELL_EVERY_MS) {
      this.#copiedAtMs = nowMs;
      void this.#copies.give(this.#ended.signal).catch((error: unknown) => this.#fault(error));
    }
    this.#tell();
    this.#lookForEnd(nowMs);
  }

  /** The more nodes tell, the less often each does. */
  #tellEveryMs(): number {
    const tellers = this.#view.others().length;
    return Math.min(TELL_EVERY_MS_MAX, Math.max(TELL_EVERY_MS, TELL_EVERY_NODE_MS * tellers));
  }

  #tell(): void {
    const { clock, work, writers, net, log } = this.#parts;
    const sinceMs = clock.monotonic() - this.#toldAtMs;
    const claimed = this.#claimed();
    const isNothing =
      this.#toldAtMs === -Infinity && claimed.length + this.#results.held.length + this.#failed.length === 0;
    // What has come to its end is told sooner: others wait for it.
    const everyMs = claimed.length === 0 ? IDLE_EVERY_MS : this.#tellEveryMs();
    if (isNothing || sinceMs < everyMs || (!this.#isDirty && sinceMs < TELL_EVERY_MS_MAX)) return;
    const entry = {
      claimed,
      held: this.#results.held,
      copies: this.#copied(),
      failed: this.#failed,
      failures: this.#failures,
      combined: this.#combined,
    };
    try {
      work.set(workKey(this.job.id, writers.numberOf(net.self)), writeWork(entry), { expiresInMs: LEASE_MS });
      this.#isDirty = false;
      this.#toldAtMs = clock.monotonic();
    } catch (error) {
      // A clock that is not in line yet, or a full map: the next look tries again.
      if (!isStarfishError(error)) throw error;
      log.write("debug", "jobs.tell", { job: this.job.id, error: error.message });
    }
  }

  /** Whether the job has come to its end, and whose turn it is to say so. */
  #lookForEnd(nowMs: number): void {
    const failed = this.#failedForGood();
    const hasFailed = failed.length > 0 && this.job.spec.keepGoing !== true;
    const isComplete = hasFailed || sizeOf(union(this.held(), failed)) === this.total;
    if (!isComplete) {
      this.#completeAtMs = undefined;
      return;
    }
    this.#completeAtMs ??= nowMs;
    let idleSinceMs = this.#completeAtMs;
    for (const { entry, progressAtMs } of this.#view.others()) {
      if (entry.combined > 0) idleSinceMs = Math.max(idleSinceMs, progressAtMs);
    }
    const turn = whoseTurn(this.#finishers(), nowMs - idleSinceMs, COMBINE_TURN_MS);
    if (this.#combining !== undefined || turn !== this.#parts.net.self) return;
    const controller = new AbortController();
    this.#combining = controller;
    const signal = AbortSignal.any([controller.signal, this.#ended.signal]);
    const work = hasFailed ? Promise.resolve(this.#failure(failed)) : this.#combine(failed, signal);
    work
      .then((outcome) => {
        if (!this.#ended.signal.aborted) this.#parts.finish(outcome);
      })
      .catch((error: unknown) => {
        if (!isStarfishError(error)) throw error;
        if (this.#ended.signal.aborted) return;
        this.#parts.log.write("warn", "jobs.combine", { job: this.job.id, error: error.message });
      })
      .finally(() => {
        this.#combining = undefined;
      });
  }

  /** Who may put the results together, in order: whoever holds some, containers before tabs. */
  #finishers(): PeerId[] {
    const { net } = this.#parts;
    const peers = this.#view.others().map(({ peer }) => peer);
    if (this.#toldAtMs !== -Infinity || peers.length === 0) peers.push(net.self);
    const order = ranked(peers, hashOf(this.job.id).b);
    const isTab = (peer: PeerId): boolean => net.member(peer)?.record.kind === "tab";
    return [...order.filter((peer) => !isTab(peer)), ...order.filter(isTab)];
  }

  #failure(failed: Intervals): FinishedOutcome {
    const [task = 0] = failed;
    const known = this.failures().find((failure) => failure.task === task);
    const { net, work } = this.#parts;
    const failure = known ?? { task, by: net.self, code: "wasm-trap", message: "It failed on two nodes" };
    return { is: "failed", failure: { ...failure, code: failure.code }, finishedAtMs: Math.round(work.now()) };
  }

  async #combine(failed: Intervals, signal: AbortSignal): Promise<FinishedOutcome> {
    const { contents, clock, net, work } = this.#parts;
    this.#combined = 1;
    const progress = (tasks: number): void => {
      this.#combined = 1 + tasks;
      this.#isDirty = true;
    };
    const { spec } = this.job;
    const wanted = spec.combine.how === "reduce" ? interval(this.total - 1, this.total) : interval(0, this.total);
    const outputs = this.gatherer.outputs(subtract(wanted, failed), { signal });
    const options = { contents, clock, outputs, progress, signal };
    const result = await combine(spec.combine, options);
    if (result.is === "failed") {
      return { is: "failed", failure: { ...result.failure, by: net.self }, finishedAtMs: Math.round(work.now()) };
    }
    const known = [...this.#view.known(), [net.self, { held: this.#results.held, copies: this.#copied() }] as const];
    const shares = sharesOf(this.total, new Map(known));
    return { ...result, by: net.self, finishedAtMs: Math.round(work.now()), failed: sizeOf(failed), shares };
  }
}

function meets(mine: Intervals, theirs: Intervals): boolean {
  for (let i = 0; i < mine.length; i += 2) {
    if (within(theirs, mine[i] ?? 0, mine[i + 1] ?? 0).length > 0) return true;
  }
  return false;
}

/**
 * How a job ends on this node. When all tasks are done, one node puts the results together; if it makes no progress,
 * the next one does. For a verified job that is only a proposal: other nodes put the results together too, without
 * keeping them, and confirm an outcome that is the same as theirs (book.ts counts confirmations).
 */
import { equal } from "../base/bytes.ts";
import { encode } from "../base/codec.ts";
import { isStarfishError } from "../base/errors.ts";
import { whoseTurn } from "../base/rendezvous.ts";
import type { Contents } from "../disk/types.ts";
import type { Net } from "../net/types.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { PeerId } from "../ports/network.ts";
import type { JobRecord } from "./book.ts";
import { finishers } from "./copies.ts";
import { writable } from "./entries.ts";
import { checkingPut, combine, type Combined, type CombineOptions, type FinishedOutcome } from "./finish.ts";
import { has, type Intervals, sizeOf, union } from "./intervals.ts";
import {
  COMBINE_TURN_MS,
  FUEL_TOLD_MAX,
  GATHER_PARALLEL,
  LAST_COPIES_MS,
  NAMING_MS,
  PROPOSAL_AGAIN_MS,
} from "./limits.ts";
import type { FailedTask } from "./types.ts";
import type { Verifier } from "./verifier.ts";
import type { JobView } from "./view.ts";
import { type NodePart, sharesOf } from "./who.ts";

export interface EndingParts {
  readonly net: Net;
  readonly contents: Contents;
  readonly clock: Clock;
  readonly log: Log;
  readonly now: () => number;
  readonly view: JobView;
  readonly verifier: Verifier | undefined;
  /** Tasks that are known, and whether no more can come. */
  readonly total: () => number;
  readonly isWhole: () => boolean;
  /** The outputs that the result is made of, but for these tasks. */
  readonly outputs: (failed: Intervals, options: { readonly signal: AbortSignal }) => CombineOptions["outputs"];
  /** How many nodes have to be asked for the results. */
  readonly nodesToAsk: () => number;
  /** Tasks whose results are there. */
  readonly held: () => Intervals;
  /** Tasks that failed for good. */
  readonly failed: () => Intervals;
  readonly failures: () => readonly FailedTask[];
  /** Whether this node has told the others anything about the job. */
  readonly hasTold: () => boolean;
  readonly own: () => NodePart;
  /** Called while results are put together, with how many. */
  readonly progress: (tasks: number) => void;
  /** The outcome that a node proposes for a verified job. */
  readonly proposal: () => FinishedOutcome | undefined;
  readonly confirm: (outcome: FinishedOutcome) => void;
  /** Called with the job's outcome. */
  readonly finish: (outcome: FinishedOutcome) => void;
}

export class Ending {
  readonly #job: JobRecord;
  readonly #parts: EndingParts;
  readonly #ended: AbortSignal;
  /** When this node first knew that all tasks were done. */
  #completeAtMs: number | undefined;
  #isCombining = false;
  /** The proposal that was checked last, and when. */
  #looked: { readonly proposal: Uint8Array; readonly isSame: boolean; readonly atMs: number } | undefined;

  constructor(job: JobRecord, ended: AbortSignal, parts: EndingParts) {
    this.#job = job;
    this.#ended = ended;
    this.#parts = parts;
  }

  /** Checks whether the job has ended, and whose turn it is to say so. */
  look(nowMs: number): void {
    const { held, failed: failedOf, total, isWhole, view, net, verifier } = this.#parts;
    const failed = failedOf();
    const hasFailed = failed.length > 0 && this.#job.spec.keepGoing !== true;
    const isComplete = hasFailed || (isWhole() && sizeOf(union(held(), failed)) === total());
    if (!isComplete) {
      this.#completeAtMs = undefined;
      return;
    }
    this.#completeAtMs ??= nowMs;
    if (this.#isCombining) return;
    let idleSinceMs = this.#completeAtMs;
    for (const { entry, progressAtMs } of view.others()) {
      if (entry.combined > 0) idleSinceMs = Math.max(idleSinceMs, progressAtMs);
    }
    const order = this.#finishers();
    if (verifier !== undefined && this.#confirms(order, verifier, nowMs)) return;
    const turn = whoseTurn(order, nowMs - idleSinceMs, COMBINE_TURN_MS);
    if (turn !== net.self) return;
    // What was done last is on many nodes, which are giving copies to a few at this moment.
    const isSpread = !hasFailed && this.#parts.nodesToAsk() > GATHER_PARALLEL;
    if (isSpread && nowMs - this.#completeAtMs < LAST_COPIES_MS) return;
    this.#run(async () => {
      const outcome = hasFailed ? this.#failure(failed) : await this.#combine(failed);
      if (this.#ended.aborted) return;
      this.#parts.finish(outcome);
      if (verifier === undefined) return;
      this.#looked = { proposal: essentials(outcome), isSame: true, atMs: nowMs };
      this.#parts.confirm(outcome);
    });
  }

  #run(work: () => Promise<void>): void {
    this.#isCombining = true;
    const { log } = this.#parts;
    work()
      .catch((error: unknown) => {
        if (!isStarfishError(error)) throw error;
        if (!this.#ended.aborted) log.write("warn", "jobs.combine", { job: this.#job.id, error: error.message });
      })
      .finally(() => {
        this.#isCombining = false;
      });
  }

  /**
   * Confirms the proposed outcome, if that is for this node to do. Returns whether there is nothing else to do for now.
   */
  #confirms(order: readonly PeerId[], verifier: Verifier, nowMs: number): boolean {
    const sinceMs = nowMs - (this.#completeAtMs ?? nowMs);
    // Nodes that answered otherwise are to be named together with the outcome.
    if (verifier.hasUncompared && sinceMs < NAMING_MS) return true;
    const outcome = this.#parts.proposal();
    if (outcome === undefined) return false;
    const proposal = essentials(outcome);
    const looked = this.#looked !== undefined && equal(this.#looked.proposal, proposal) ? this.#looked : undefined;
    // The proposal differs from this node's result, so another node will propose a better one.
    if (looked?.isSame === true) return true;
    if (looked !== undefined && nowMs - looked.atMs < PROPOSAL_AGAIN_MS) return false;
    const runs = this.#job.spec.verify?.runs ?? 0;
    const asked = runs + Math.floor(sinceMs / COMBINE_TURN_MS);
    if (order.indexOf(this.#parts.net.self) >= asked) return true;
    this.#run(async () => {
      const isSame = await this.#isSame(outcome, verifier);
      this.#looked = { proposal, isSame, atMs: this.#parts.clock.monotonic() };
      if (this.#ended.aborted) return;
      if (isSame) this.#parts.confirm(outcome);
      else this.#parts.log.write("warn", "jobs.proposal", { job: this.#job.id });
    });
    return true;
  }

  async #isSame(outcome: FinishedOutcome, verifier: Verifier): Promise<boolean> {
    const failed = this.#parts.failed();
    const known = new Set(verifier.named().map(({ peer }) => peer));
    if (!(outcome.named ?? []).every(({ peer }) => known.has(peer))) return false;
    if (outcome.is === "failed" && has(failed, outcome.failure.task)) return true;
    if (outcome.is === "done" && outcome.failed !== sizeOf(failed)) return false;
    const expected = outcome.is === "done" ? [outcome.result, outcome.ends] : [];
    const contents = checkingPut(this.#parts.contents, expected);
    let found: Combined;
    try {
      found = (await this.#combined(failed, contents)).combined;
    } catch (error) {
      if (isStarfishError(error, "corrupt")) return false;
      throw error;
    }
    if (found.is === "failed") {
      if (outcome.is !== "failed") return false;
      return found.failure.task === outcome.failure.task && found.failure.code === outcome.failure.code;
    }
    if (outcome.is === "failed") return false;
    const { result, ends, tasks } = outcome;
    if (tasks !== this.#grown().tasks) return false;
    return equal(encode(writable([found.result, found.ends ?? null])), encode(writable([result, ends ?? null])));
  }

  /**
   * The nodes that may put the results together, in order: nodes that hold some. For a verified job each device once.
   */
  #finishers(): PeerId[] {
    const { net, view, hasTold, verifier } = this.#parts;
    const bad = new Set(verifier?.named().map(({ peer }) => peer));
    const peers = view.others().map(({ peer }) => peer);
    if (hasTold() || peers.length === 0) peers.push(net.self);
    const good = peers.filter((peer) => !bad.has(peer));
    const all = finishers(net, good, this.#job.id);
    if (verifier === undefined) return all;
    const devices = all.map((peer) => net.member(peer)?.record.device ?? peer);
    return all.filter((_, i) => devices.indexOf(devices[i] ?? "") === i);
  }

  #failure(failed: Intervals): FinishedOutcome {
    const [task = 0] = failed;
    const { net, now, failures } = this.#parts;
    const known = failures().find((failure) => failure.task === task);
    const failure = known ?? { task, by: net.self, code: "wasm-trap", message: "It failed on two nodes" };
    return {
      is: "failed",
      failure: { ...failure, code: failure.code },
      finishedAtMs: Math.round(now()),
      ...this.#named(),
    };
  }

  #named(): Pick<FinishedOutcome, "named"> {
    const named = this.#parts.verifier?.named() ?? [];
    return named.length === 0 ? {} : { named };
  }

  async #combined(
    failed: Intervals,
    contents: Pick<Contents, "put">,
  ): Promise<{ readonly combined: Combined; readonly fuelUsed: number }> {
    const { clock, progress } = this.#parts;
    const { spec } = this.#job;
    const signal = this.#ended;
    let fuelUsed = 0;
    const counted = (tasks: number, fuel: number): void => {
      fuelUsed = Math.min(FUEL_TOLD_MAX, fuelUsed + fuel);
      progress(tasks);
    };
    const outputs = this.#parts.outputs(failed, { signal });
    return { combined: await combine(spec.combine, { contents, clock, outputs, progress: counted, signal }), fuelUsed };
  }

  async #combine(failed: Intervals): Promise<FinishedOutcome> {
    const { contents, net, now, view, progress, own } = this.#parts;
    progress(0);
    const { combined: result, fuelUsed } = await this.#combined(failed, contents);
    const finishedAtMs = Math.round(now());
    if (result.is === "failed") {
      return { is: "failed", failure: { ...result.failure, by: net.self }, finishedAtMs, ...this.#named() };
    }
    const shares = sharesOf(this.#parts.total(), new Map([...view.known(), [net.self, own()] as const]));
    const fuel = this.#job.spec.combine.how === "reduce" ? {} : { fuelUsed };
    const counted = { failed: sizeOf(failed), ...this.#grown(), shares, ...fuel };
    return { ...result, by: net.self, finishedAtMs, ...counted, ...this.#named() };
  }

  #grown(): { readonly tasks?: number } {
    const { inputs } = this.#job.spec;
    return inputs.from === "graph" && inputs.tasksMax !== undefined ? { tasks: this.#parts.total() } : {};
  }
}

/** The part of an outcome that others confirm. It leaves out who proposes it, when, and who did how much. */
function essentials(outcome: FinishedOutcome): Uint8Array {
  const { named = [] } = outcome;
  if (outcome.is === "failed") return encode(writable([outcome.failure.task, outcome.failure.code, named]));
  const { result, ends = null, failed, tasks } = outcome;
  return encode(writable([result, ends, failed, named, ...(tasks === undefined ? [] : [tasks])]));
}

/** The statement that a node signs when it has found the same outcome. */
export function confirmationOf(
  sha256: (message: Uint8Array) => Uint8Array,
  job: string,
  outcome: FinishedOutcome,
): Uint8Array {
  return sha256(encode([job, essentials(outcome)]));
}

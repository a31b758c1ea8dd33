/**
 * Hands out the chunks of one job, to this node's own cores and to all members that lend some. It makes sure that each
 * chunk is done once, even if nodes leave, fail, are slow or never answer. The submitting node decides alone. job.ts
 * keeps the account of open chunks, and runners run them.
 */
import type { Bytes } from "../base/bytes.ts";
import { isStarfishError, messageOf, StarfishError, toStarfishError } from "../base/errors.ts";
import type { MemberChange, Net } from "../net/types.ts";
import { type Clock, every } from "../ports/clock.ts";
import type { PeerId } from "../ports/network.ts";
import { type Attempt, type Chunk, Ledger } from "./job.ts";
import { Lane } from "./lanes.ts";
import { CHUNK_FAILURES_MAX, JOB_BYTES_MAX, JOB_TICK_MS, JOB_WINDOW_CHUNKS } from "./limits.ts";
import type { PoolResult } from "../sandbox/pool.ts";
import { TASK_FAULTS } from "../sandbox/types.ts";
import { Meter } from "./progress.ts";
import type { ChunkResult, JobProgress, TaskFailure } from "./types.ts";

/** Runs a chunk on one node. Rejects when the node fails; the task's own failures are results. */
export type Runner = (peer: PeerId, index: number, input: Bytes, signal: AbortSignal) => Promise<PoolResult>;

export interface DispatcherOptions {
  readonly net: Net;
  readonly clock: Clock;
  readonly ownCores: number;
  readonly runHere: Runner;
  readonly runThere: Runner;
  readonly onProgress: (progress: JobProgress) => void;
  /** The inputs of the chunks, and their number if it is known. */
  readonly inputs: AsyncIterator<Bytes>;
  readonly total: number | undefined;
  /** Whether results are yielded in the order of the chunks, and not in the order in which they finish. */
  readonly ordered: boolean;
}

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #clock: Clock;
  readonly #ledger = new Ledger();
  readonly #lanes = new Map<PeerId, Lane>();
  readonly #meter: Meter;
  /** Results that are ready and have not been taken, in the order in which they came. */
  readonly #ready = new Map<number, ChunkResult>();
  #readyBytes = 0;
  #taken = 0;
  /** Wakes the consumer of results. */
  #wake: (() => void) | undefined;
  #reading = false;
  #allRead = false;
  #error: StarfishError | undefined;
  #ended = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#meter = new Meter(options.clock);
  }

  progress(): JobProgress {
    const known = this.#ledger.total;
    return this.#meter.progress({
      chunksDone: this.#ledger.done,
      chunksTotal: Math.max(known, this.#options.total ?? 0),
      chunksRunning: this.#ledger.running,
      reading: !this.#allRead && this.#options.total === undefined,
      reissued: this.#ledger.reissued,
      byPeer: new Map([...this.#lanes.values()].filter((lane) => lane.done > 0).map((lane) => [lane.peer, lane.done])),
    });
  }

  /** Yields each chunk once. Leaving the loop cancels what runs. */
  async *results(signal: AbortSignal): AsyncGenerator<ChunkResult, void, undefined> {
    const { net, ownCores } = this.#options;
    this.#lanes.set(net.self, new Lane(net.self, true, ownCores));
    for (const member of net.members()) this.#consider({ member, before: undefined });
    const unsubscribe = net.onMember((change) => {
      this.#consider(change);
      this.#pump();
    });
    const stop = (): void => this.#fail(toStarfishError(signal.reason, "cancelled"));
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    const ticker = every(this.#clock, JOB_TICK_MS, () => {
      this.#pump();
      this.#options.onProgress(this.progress());
    });
    try {
      this.#pump();
      yield* this.#take();
      this.#options.onProgress(this.progress());
    } finally {
      this.#ended = true;
      ticker.cancel();
      unsubscribe();
      signal.removeEventListener("abort", stop);
      this.#ledger.cancelAll();
      // A source that is being read may answer late or never, so nobody waits for it.
      void this.#options.inputs.return?.().catch(() => {});
    }
  }

  async *#take(): AsyncGenerator<ChunkResult, void, undefined> {
    for (;;) {
      if (this.#error !== undefined) throw this.#error;
      const result = this.#options.ordered ? this.#ready.get(this.#taken) : this.#ready.values().next().value;
      if (result !== undefined) {
        this.#ready.delete(result.index);
        this.#taken++;
        this.#readyBytes -= result.output.length;
        yield result;
        this.#pump();
      } else if (this.#allRead && this.#taken === this.#ledger.total) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  /** Notes a member and the cores that it lends. */
  #consider({ member }: MemberChange): void {
    const { record, status, isSelf } = member;
    if (isSelf) return;
    const lane = this.#lanes.get(record.peer);
    const cores = status === "awake" && record.state === "awake" ? record.coresLent : 0;
    if (lane !== undefined) lane.cores = cores;
    else if (cores > 0) this.#lanes.set(record.peer, new Lane(record.peer, false, cores));
    if (status === "gone" || status === "asleep") this.#ledger.withdraw(record.peer);
  }

  /** Hands out what it can: first to free cores, then ahead of time, and at the end second copies of late chunks. */
  #pump(): void {
    if (this.#ended || this.#error !== undefined) return;
    this.#read();
    const nowMs = this.#clock.monotonic();
    const full =
      this.#readyBytes >= JOB_BYTES_MAX ||
      this.#ready.size >= JOB_WINDOW_CHUNKS ||
      this.#ledger.window > JOB_WINDOW_CHUNKS;
    // Chunks that were given back go first, because all others may wait for their results.
    this.#handOut((lane) => lane.hasFreeCore(nowMs), !full);
    this.#handOut((lane) => lane.hasRoom(nowMs), !full);
    if (full || this.#ledger.waiting === 0) this.#copyLate(nowMs);
    this.#confirmAlone();
    const nobody = ![...this.#lanes.values()].some((lane) => lane.cores > 0 || lane.inFlight > 0);
    if (nobody) this.#fail(new StarfishError("no-cores", "Nobody lends cores, and this node can run no tasks itself"));
  }

  /** One chunk to each node in turn, so that a short job is spread widely. */
  #handOut(willing: (lane: Lane) => boolean, fresh: boolean): void {
    let lanes = [...this.#lanes.values()];
    while (lanes.length > 0 && this.#ledger.waiting > 0) {
      lanes = lanes.filter((lane) => {
        const chunk = willing(lane) ? this.#ledger.next(lane.peer, lane.own, fresh) : undefined;
        if (chunk !== undefined) this.#issue(lane, chunk);
        return chunk !== undefined;
      });
    }
  }

  #copyLate(nowMs: number): void {
    for (const lane of this.#lanes.values()) {
      while (lane.hasFreeCore(nowMs)) {
        const patienceMs = Math.max(lane.turnaroundMs ?? 0, JOB_TICK_MS);
        const chunk = this.#ledger.late(lane.peer, lane.own, nowMs, patienceMs);
        if (chunk === undefined) break;
        this.#issue(lane, chunk);
      }
    }
  }

  #issue(lane: Lane, chunk: Chunk): void {
    const controller = new AbortController();
    const attempt: Attempt = {
      peer: lane.peer,
      startedAtMs: this.#clock.monotonic(),
      cancel: () => controller.abort(new StarfishError("cancelled", "Not needed any more")),
    };
    this.#ledger.start(chunk, attempt);
    lane.inFlight++;
    const run = lane.own ? this.#options.runHere : this.#options.runThere;
    void run(lane.peer, chunk.index, chunk.input, controller.signal)
      .then(
        (result) => this.#settle(lane, chunk, attempt, result),
        (error: unknown) => this.#lost(lane, chunk, attempt, error),
      )
      .finally(() => {
        lane.inFlight--;
        this.#pump();
      });
  }

  #settle(lane: Lane, chunk: Chunk, attempt: Attempt, result: PoolResult): void {
    if (!result.ok) return this.#fault(lane, chunk, attempt, result);
    lane.succeeded(this.#clock.monotonic() - attempt.startedAtMs, result.runMs, result.waitMs);
    if (!this.#ledger.finish(chunk, attempt)) return;
    this.#meter.count();
    const { output, fuelUsed, runMs } = result;
    this.#ready.set(chunk.index, { index: chunk.index, output, by: lane.peer, fuelUsed, runMs });
    this.#readyBytes += result.output.length;
    this.#wake?.();
  }

  /**
   * The task failed. It would fail in the same way on any node, so the job ends. There are two exceptions: time and
   * memory depend on the machine, and a node may be wrong or lie. So a second node has to confirm the failure, if there
   * is one. A worker that died counts as a failure of the node, until it happens too often.
   */
  #fault(lane: Lane, chunk: Chunk, attempt: Attempt, failure: TaskFailure): void {
    if (!TASK_FAULTS.some((code) => code === failure.code)) {
      if (lane.own && chunk.failures >= CHUNK_FAILURES_MAX) return this.#failTask(chunk, failure);
      // This counts as a failure of the node, unlike a refusal because it is busy: the task had been started on it.
      const code = failure.code === "busy" ? "remote-failure" : failure.code;
      return this.#lost(lane, chunk, attempt, new StarfishError(code, failure.message));
    }
    const certain = lane.own && failure.code !== "timeout" && failure.code !== "out-of-memory";
    const others = [...this.#lanes.values()].some((other) => other !== lane && other.cores > 0);
    if (certain || !others || chunk.suspicion !== undefined) return this.#failTask(chunk, failure);
    chunk.suspicion = { peer: lane.peer, failure };
    this.#ledger.giveBack(chunk, attempt);
  }

  /** The node failed, not the task. */
  #lost(lane: Lane, chunk: Chunk, attempt: Attempt, error: unknown): void {
    this.#ledger.giveBack(chunk, attempt);
    if (isStarfishError(error, "cancelled")) return;
    if (isStarfishError(error, "no-cores") || isStarfishError(error, "unsupported")) lane.cores = 0;
    lane.failed(this.#clock.monotonic());
    if (isStarfishError(error, "busy")) return;
    chunk.failures++;
    // From now on only this node may run the chunk, and it can't.
    if (chunk.failures >= CHUNK_FAILURES_MAX && this.#lanes.get(this.#options.net.self)?.cores === 0) {
      this.#failTask(chunk, {
        code: "remote-failure",
        message: `${chunk.failures} nodes failed it: ${messageOf(error)}`,
      });
    }
  }

  /** No other node is left to confirm a failure, so one report is enough. */
  #confirmAlone(): void {
    for (const chunk of this.#ledger.suspects()) {
      const { suspicion } = chunk;
      const others = [...this.#lanes.values()].some((lane) => lane.peer !== suspicion?.peer && lane.cores > 0);
      if (!others && suspicion !== undefined) this.#failTask(chunk, suspicion.failure);
    }
  }

  #failTask(chunk: Chunk, { code, message }: TaskFailure): void {
    this.#fail(new StarfishError(code, `Chunk ${chunk.index}: ${message}`));
  }

  #fail(error: StarfishError): void {
    this.#error ??= error;
    this.#ledger.cancelAll();
    this.#wake?.();
  }

  /** Reads on while no chunk waits to be handed out and there is room. */
  #read(): void {
    if (this.#reading || this.#allRead) return;
    const lead = [...this.#lanes.values()].reduce((sum, lane) => sum + lane.cores, 0) * 2;
    if (this.#ledger.waiting > lead || this.#ledger.inputBytes + this.#readyBytes > JOB_BYTES_MAX) return;
    this.#reading = true;
    this.#options.inputs.next().then(
      (item) => {
        this.#reading = false;
        if (item.done === true) {
          this.#allRead = true;
          this.#wake?.();
        } else {
          this.#ledger.add(item.value);
        }
        this.#pump();
      },
      (error: unknown) => this.#fail(toStarfishError(error, "io")),
    );
  }
}

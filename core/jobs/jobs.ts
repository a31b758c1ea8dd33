/**
 * The jobs of the swarm on this node (types.ts says what they promise). It takes part in running jobs and serves
 * results to others. Shell and page submit, watch and cancel jobs through it.
 */
import { type Bytes, toHex } from "../base/bytes.ts";
import { check } from "../base/codec.ts";
import { isStarfishError, StarfishError, throwIfAborted } from "../base/errors.ts";
import { Listeners, type Unsubscribe } from "../base/events.ts";
import type { Contents } from "../disk/types.ts";
import type { Memory } from "../memory/memory.ts";
import type { Net } from "../net/types.ts";
import { type Clock, every, sleep, type Timer } from "../ports/clock.ts";
import type { Crypto } from "../ports/crypto.ts";
import type { Log } from "../ports/log.ts";
import type { PeerId } from "../ports/network.ts";
import type { Random } from "../ports/random.ts";
import { Book, type JobRecord } from "./book.ts";
import { readListed, writeContent, writeFiles, writeList } from "./inputs.ts";
import { type Intervals, NONE, numbersOf, pieces, subtract, union, unpack, within } from "./intervals.ts";
import {
  BENCHED_MS,
  JOBS_PER_SUBMITTER_MAX,
  JOBS_SERVED_MAX,
  OUTPUTS_PER_MESSAGE_MAX,
  PIECE_BYTES_MAX,
  PROC_MAP_BYTES_MAX,
  PUTS_AWAITED_MAX,
  REMEMBERED_MS,
  RESULTS_KEPT_MS,
  ROTATE_EVERY_MS,
  SOON_EVERY_MS,
  STATE_EVERY_MS,
  TASKS_PER_JOB_MAX,
  WORK_HORIZON_MS,
  WORK_MAP_BYTES_MAX,
} from "./limits.ts";
import { LongTasksLater } from "./long-tasks.ts";
import { Memo } from "./memo.ts";
import { Part, type PartParts } from "./part.ts";
import { HeldBytes } from "./results.ts";
import { Shares } from "./shares.ts";
import { type Content, contentsOf, type Inputs, type JobSpec, specSchema, taskCount } from "./spec.ts";
import type {
  FilePiece,
  GraphOptions,
  GraphTask,
  JobEvent,
  JobFile,
  JobId,
  Jobs,
  JobState,
  Submitted,
} from "./types.ts";
import { Writers } from "./view.ts";
import { workKeyOf } from "./work-key.ts";
import { requestSchema, RESULTS_PROTOCOL, type ResultsRequest, sizeOnWire, type TaskOutput } from "./wire.ts";
import type { Workers } from "./workers.ts";

export interface JobsParts {
  readonly net: Net;
  readonly memory: Memory;
  readonly contents: Contents;
  readonly workers: Workers;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly random: Random;
  readonly log: Log;
}

interface Options {
  readonly signal?: AbortSignal | undefined;
}

/** Starts to take part in the swarm's jobs. Rejects with "io" if the map of jobs can't be read. */
export async function createJobs(parts: JobsParts): Promise<Jobs> {
  const proc = await parts.memory.map("proc", { isKept: true, bytesMax: PROC_MAP_BYTES_MAX });
  const work = await parts.memory.map("work", { bytesMax: WORK_MAP_BYTES_MAX, horizonMs: WORK_HORIZON_MS });
  const { net, crypto, workers } = parts;
  const shares = new Shares(workers.pool, workers.cores);
  const writers = new Writers(net, crypto);
  const book = new Book(proc, { ...parts, writers });
  const distrusted = (): ReadonlySet<PeerId> => book.distrusted();
  const longTasks = new LongTasksLater({ ...parts, work, writers, distrusted });
  const own = { heldBytes: new HeldBytes(), memo: new Memo(crypto), longTasks: longTasks.load, distrusted };
  return new NodeJobs(parts, book, { ...parts, ...workers, work, shares, writers, ...own }, [() => longTasks.close()]);
}

type Shared = Omit<PartParts, "finish" | "proposal" | "confirm" | "onChange">;

class NodeJobs implements Jobs {
  readonly #parts: JobsParts;
  readonly #book: Book;
  readonly #shared: Shared;
  readonly #running = new Map<JobId, Part>();
  /** Parts of jobs that are over; others may still ask for their results. */
  readonly #over = new Map<JobId, { readonly part: Part; readonly timer: Timer }>();
  readonly #changes = new Listeners<void>();
  /** Called at each change of a job in which this node takes part. */
  readonly #soon = new Listeners<JobId>();
  #telling: Timer | undefined;
  #toldAtMs = -Infinity;
  #taking: Timer | undefined;
  /** Jobs that made no progress here, and when they are tried again if other jobs want their places. */
  readonly #benched = new Map<JobId, number>();
  /**
   * Contents that were put for jobs that are not submitted yet, by CID; each promise resolves when the content is safe.
   */
  readonly #puts = new Map<string, Promise<void>>();
  readonly #stops: Unsubscribe[];
  #isClosed = false;

  /** @param stops called when it closes */
  constructor(parts: JobsParts, book: Book, shared: Shared, stops: readonly Unsubscribe[]) {
    this.#parts = parts;
    this.#book = book;
    this.#shared = shared;
    this.#stops = [
      ...stops,
      book.onChange((id) => this.#follow(id)),
      parts.contents.addReferences(() => this.#references()),
      parts.net.handle(RESULTS_PROTOCOL, requestSchema, (request, { from }) => this.#serve(request, from)),
    ];
    const rotating = every(parts.clock, ROTATE_EVERY_MS, () => this.#rotate());
    this.#stops.push(() => rotating.cancel());
    for (const { id } of book.all()) this.#follow(id);
  }

  async submit(spec: JobSpec, { signal }: Options = {}): Promise<Submitted> {
    if (this.#isClosed) throw new StarfishError("closed", "This node is closing");
    const checked = check(specSchema, spec);
    const remembered = this.#remembered(checked);
    if (remembered !== undefined) return { id: remembered, isRemembered: true, safe: Promise.resolve() };
    this.#checkDevices(checked);
    const { net, random } = this.#parts;
    const { map } = this.#book;
    await map.ready({ signal });
    this.#makeRoom();
    const id = toHex(random.bytes(8));
    this.#book.submit(id, { by: net.self, atMs: Math.round(map.now()), spec: checked });
    const puts = contentsOf(checked).map(({ cid }) => this.#puts.get(cid));
    const safe = Promise.all([map.sync({ signal }), ...puts]).then(() => {});
    // The caller may only want to know that the job is written.
    safe.catch(() => {});
    return { id, isRemembered: false, safe };
  }

  async *attach(
    id: JobId,
    { signal, results = false }: Options & { readonly results?: boolean | undefined } = {},
  ): AsyncGenerator<JobEvent, void, undefined> {
    const { clock } = this.#parts;
    let given: Intervals = NONE;
    for (;;) {
      throwIfAborted(signal);
      // The first result is told as soon as it is there.
      const isSoon = results && given.length === 0;
      const changed = this.#nextChange(id, isSoon);
      try {
        const state = this.state(id);
        if (state === undefined) throw noSuchJob(id);
        yield { is: "state", state };
        if (results) {
          const part = this.#part(id);
          const news = part === undefined ? NONE : subtract(part.held(), given);
          for await (const [task, output, fuelUsed] of this.#outputs(part, news, signal)) {
            given = union(given, [task, task + 1]);
            yield { is: "result", task, output, fuelUsed };
          }
        }
        if (state.outcome !== undefined) {
          if (results) yield* this.#listed(state, given, signal);
          yield { is: "outcome", outcome: state.outcome };
          return;
        }
        // So the loop runs no more often than changes are reported.
        await changed.happened(signal);
      } finally {
        changed.stop();
      }
      if (isSoon) await sleep(clock, SOON_EVERY_MS, { signal });
    }
  }

  cancel(id: JobId): boolean {
    const job = this.#book.get(id);
    if (job === undefined || job.outcome !== undefined) return false;
    this.#book.cancel(id, this.#parts.net.self);
    return true;
  }

  list(): readonly JobState[] {
    return this.#book
      .all()
      .map((job) => this.#stateOf(job))
      .reverse();
  }

  state(id: JobId): JobState | undefined {
    const job = this.#book.get(id);
    return job === undefined ? undefined : this.#stateOf(job);
  }

  async *result(id: JobId, { signal }: Options = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const job = this.#book.get(id);
    if (job === undefined) throw noSuchJob(id);
    const { outcome } = job;
    if (outcome === undefined) throw new StarfishError("not-found", `Job ${id} is not done yet`, { retryable: true });
    if (outcome.is === "cancelled") throw new StarfishError("cancelled", `Job ${id} was cancelled`);
    if (outcome.is === "failed") {
      const { task, code, message } = outcome.failure;
      throw new StarfishError(code, `Task ${task}: ${message}`);
    }
    const { result } = outcome;
    if ("bytes" in result) yield result.bytes;
    else yield* this.#parts.contents.read(result, { signal });
    if (job.by === this.#parts.net.self) this.#book.haveRead(id);
  }

  async content(bytes: Bytes | AsyncIterable<Bytes>, options: Options = {}): Promise<Content> {
    const { content, safe } = await writeContent(this.#parts.contents, bytes, options);
    return this.#remember([content], safe, content);
  }

  async listOf(inputs: AsyncIterable<Bytes> | Iterable<Bytes>, options: Options = {}): Promise<Inputs> {
    const { bytes, ends, count, safe } = await writeList(this.#parts.contents, inputs, options);
    return this.#remember([bytes, ends], safe, { from: "list", bytes, ends, count });
  }

  async graphOf(tasks: readonly GraphTask[], options: GraphOptions & Options = {}): Promise<Inputs> {
    const { writeGraph } = await import("./graph-table.ts");
    const { inputs, contents, safe } = await writeGraph(this.#parts.contents, tasks, options);
    return this.#remember(contents, safe, inputs);
  }

  async filesOf(
    files: Iterable<JobFile>,
    options: { readonly piece?: FilePiece | undefined } & Options = {},
  ): Promise<Inputs> {
    const { inputs, safe } = await writeFiles(this.#parts.contents, files, options);
    return this.#remember(inputs.from === "files" ? [inputs.list] : [], safe, inputs);
  }

  onChange(listener: () => void): Unsubscribe {
    return this.#changes.add(listener);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const stop of this.#stops) stop();
    this.#telling?.cancel();
    this.#taking?.cancel();
    for (const part of this.#running.values()) part.close();
    for (const { part, timer } of this.#over.values()) {
      timer.cancel();
      part.close();
    }
    this.#book.close();
  }

  #part(id: JobId): Part | undefined {
    return this.#running.get(id) ?? this.#over.get(id)?.part;
  }

  /** Takes part in a job from its beginning to its end, as the book says. */
  #follow(id: JobId): void {
    const job = this.#book.get(id);
    const part = this.#running.get(id);
    const isOver = job === undefined || job.outcome !== undefined;
    if (part !== undefined && isOver) {
      this.#running.delete(id);
      part.end();
      const timer = this.#parts.clock.timer(RESULTS_KEPT_MS, () => {
        this.#over.delete(id);
        part.close();
      });
      this.#over.set(id, { part, timer });
    }
    if (part === undefined ? !isOver : isOver) {
      this.#taking ??= this.#parts.clock.timer(0, () => {
        this.#taking = undefined;
        this.#takePart();
      });
    }
    this.#changed();
  }

  #takePart(): void {
    if (this.#isClosed) return;
    const nowMs = this.#parts.clock.monotonic();
    for (const job of this.#book.all()) {
      if (this.#running.size >= JOBS_SERVED_MAX) return;
      if (job.outcome !== undefined || this.#running.has(job.id) || this.#over.has(job.id)) continue;
      if ((this.#benched.get(job.id) ?? 0) > nowMs) continue;
      const part = new Part(job, {
        ...this.#shared,
        finish: (outcome) => this.#write(job.id, () => this.#book.finish(job.id, outcome)),
        proposal: () => this.#book.proposal(job.id),
        confirm: (outcome) => this.#write(job.id, () => this.#book.confirm(job.id, outcome)),
        onChange: () => {
          this.#soon.emit(job.id);
          this.#changed();
        },
      });
      this.#running.set(job.id, part);
    }
  }

  /** Jobs that make no progress here make room for jobs that have no place. */
  #rotate(): void {
    if (this.#running.size < JOBS_SERVED_MAX) return;
    const nowMs = this.#parts.clock.monotonic();
    for (const [id, part] of this.#running) {
      if (!part.isStalled(nowMs)) continue;
      this.#running.delete(id);
      part.close();
      this.#benched.set(id, nowMs + BENCHED_MS);
    }
    for (const [id, untilMs] of this.#benched) if (untilMs <= nowMs) this.#benched.delete(id);
    this.#takePart();
  }

  #write(id: JobId, write: () => void): void {
    try {
      write();
    } catch (error) {
      // The map is full, or the clock is not in agreement: the next turn tries again.
      if (!isStarfishError(error)) throw error;
      this.#parts.log.write("warn", "jobs.finish", { job: id, error: error.message });
    }
  }

  async #serve(request: ResultsRequest, from: PeerId): Promise<unknown> {
    const part = this.#part(request.job);
    if (part === undefined) throw noSuchJob(request.job);
    if (request.op === "hold") return part.hold(request.results);
    if (request.op !== "get") {
      const wanted = unpack(request.tasks, part.span);
      if (part.verifier === undefined) throw new StarfishError("not-found", `Job ${request.job} is not verified`);
      return request.op === "open" ? part.verifier.open(from, wanted) : part.verifier.ownSums(wanted);
    }
    const found: TaskOutput[] = [];
    let bytes = 0;
    const asked = within(unpack(request.tasks, TASKS_PER_JOB_MAX), 0, part.span);
    for (const task of numbersOf(part.verifier?.shown(asked) ?? asked)) {
      const held = part.output(task);
      if (held === undefined) continue;
      const { output, fuelUsed } = held;
      bytes += sizeOnWire(output);
      const isFull = bytes > PIECE_BYTES_MAX || found.length >= OUTPUTS_PER_MESSAGE_MAX;
      if (found.length > 0 && isFull) return found;
      found.push([task, output, fuelUsed]);
    }
    return found;
  }

  /** Those outputs of these tasks that are in reach. The others may come in reach later. */
  async *#outputs(
    part: Part | undefined,
    tasks: Intervals,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<TaskBytes> {
    if (part === undefined || tasks.length === 0) return;
    try {
      yield* part.gatherer.outputs(tasks, { signal: signal ?? new AbortController().signal });
    } catch (error) {
      if (!isStarfishError(error, "lost")) throw error;
    }
  }

  /** The outputs of a finished job that its list has, and that have not been yielded yet. */
  async *#listed(
    { spec, outcome }: JobState,
    given: Intervals,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<JobEvent> {
    if (outcome?.is !== "done" || outcome.ends === undefined || spec.keepGoing === true) return;
    // The list has only the outputs of tasks that no other task needs.
    if (spec.inputs.from === "graph") return;
    const missing = new Set<number>();
    for (const [from, to] of pieces(subtract([0, taskCount(spec)], given))) {
      for (let task = from; task < to; task++) missing.add(task);
    }
    if (missing.size === 0) return;
    let task = 0;
    const list = { bytes: outcome.result, ends: outcome.ends };
    for await (const output of readListed(this.#parts.contents, list, { signal })) {
      if (missing.has(task)) yield { is: "result", task, output, fuelUsed: undefined };
      task++;
    }
  }

  #stateOf(job: JobRecord): JobState {
    const { id, spec, by, atMs, outcome } = job;
    const part = outcome === undefined ? this.#running.get(id) : undefined;
    const total = (outcome?.is === "done" ? outcome.tasks : undefined) ?? taskCount(spec);
    const failed = outcome?.is === "done" ? outcome.failed : outcome?.is === "failed" ? 1 : 0;
    const over = { total, done: outcome?.is === "done" ? total - failed : 0, running: 0, failed };
    return {
      id,
      spec,
      by,
      submittedAtMs: atMs,
      state: outcome?.is ?? "running",
      tasks: part?.counts() ?? over,
      nodes: (part ?? this.#over.get(id)?.part)?.nodes() ?? new Map(),
      failures: part?.failures() ?? (outcome?.is === "failed" ? [outcome.failure] : []),
      ...(part?.verification() ?? {
        named: outcome?.is === "cancelled" ? [] : (outcome?.named ?? []),
        lacking: undefined,
      }),
      outcome,
    };
  }

  /** The newest job that has done the same work, if its result may be believed. */
  #remembered(spec: JobSpec): JobId | undefined {
    const { verify, reuse } = spec;
    if (verify === undefined && reuse !== true) return undefined;
    const { crypto } = this.#parts;
    const key = workKeyOf(crypto, spec);
    const sinceMs = this.#book.map.now() - REMEMBERED_MS;
    const isEnough = ({ spec: { verify: by } }: JobRecord): boolean =>
      verify === undefined || (by !== undefined && by.agree >= verify.agree);
    const same = this.#book.all().findLast((job) => {
      const { outcome } = job;
      if (outcome?.is !== "done" || outcome.failed > 0 || outcome.finishedAtMs < sinceMs) return false;
      return isEnough(job) && workKeyOf(crypto, job.spec) === key;
    });
    return same?.id;
  }

  /** Throws "no-cores" if fewer devices run tasks than have to agree. */
  #checkDevices({ verify, on }: JobSpec): void {
    if (verify === undefined) return;
    const distrusted = this.#book.distrusted();
    const able = this.#parts.net.members().filter(({ record, status, isSelf }) => {
      if (distrusted.has(record.peer) || on?.includes(record.peer) === false) return false;
      return isSelf || (status === "awake" && record.coresLent > 0);
    });
    const { size } = new Set(able.map(({ record }) => record.device));
    if (size >= verify.agree) return;
    const words = size === 1 ? "only 1 runs tasks" : `only ${size} run tasks`;
    throw new StarfishError("no-cores", `${verify.agree} devices have to agree on each task, and ${words} now`);
  }

  /** If this node has submitted as many jobs as it may, removes the oldest that is over. Throws "full". */
  #makeRoom(): void {
    const own = this.#book.all().filter(({ by }) => by === this.#parts.net.self);
    if (own.length < JOBS_PER_SUBMITTER_MAX) return;
    const over = own.find(({ outcome }) => outcome !== undefined);
    if (over === undefined) {
      throw new StarfishError("full", `${own.length} jobs of this node are running; cancel one, or wait for one`);
    }
    this.#book.remove(over.id);
  }

  #remember<T>(contents: readonly Content[], safe: Promise<void>, value: T): T {
    safe.catch(() => {});
    for (const content of contents) if ("cid" in content) this.#puts.set(content.cid, safe);
    for (const cid of this.#puts.keys()) {
      if (this.#puts.size <= PUTS_AWAITED_MAX) break;
      this.#puts.delete(cid);
    }
    return value;
  }

  *#references(): Iterable<string> {
    yield* this.#book.references();
    yield* this.#puts.keys();
    for (const part of this.#running.values()) yield* part.references();
  }

  /** The results of `list` have changed; listeners are told at once, and at most a few times a second. */
  #changed(): void {
    if (this.#telling !== undefined || this.#isClosed) return;
    const { clock } = this.#parts;
    const delayMs = Math.max(0, this.#toldAtMs + STATE_EVERY_MS - clock.monotonic());
    this.#telling = clock.timer(delayMs, () => {
      this.#telling = undefined;
      this.#toldAtMs = clock.monotonic();
      this.#changes.emit();
    });
  }

  /** The next change: of anything in the list, and of this job's end at once. */
  #nextChange(id: JobId, isSoon: boolean): { happened(signal: AbortSignal | undefined): Promise<void>; stop(): void } {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => {});
    const stops = [
      this.#changes.add(() => resolve()),
      this.#soon.add((changed) => {
        if (isSoon && changed === id) resolve();
      }),
      this.#book.onChange((changed) => {
        if (changed === id) resolve();
      }),
    ];
    return {
      async happened(signal) {
        const abort = (): void => reject(signal?.reason);
        signal?.addEventListener("abort", abort, { once: true });
        stops.push(() => signal?.removeEventListener("abort", abort));
        await promise;
        throwIfAborted(signal);
      },
      stop() {
        for (const stop of stops) stop();
      },
    };
  }
}

type TaskBytes = readonly [task: number, output: Uint8Array, fuelUsed: number];

function noSuchJob(id: string): StarfishError {
  return new StarfishError("not-found", `There is no job ${id}`);
}

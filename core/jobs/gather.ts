/**
 * Fetches the results of tasks from the nodes that hold them, window by window, so that the memory is bounded for any
 * number of tasks. Each result is taken once, from any living holder that gives it.
 */
import { concat } from "../base/bytes.ts";
import { isStarfishError, StarfishError, throwIfAborted } from "../base/errors.ts";
import type { Contents } from "../disk/types.ts";
import type { Net } from "../net/types.ts";
import type { PeerId } from "../ports/network.ts";
import {
  add,
  type Intervals,
  intersect,
  NONE,
  numbersOf,
  pack,
  pieces,
  setOf,
  sizeOf,
  subtract,
  take,
} from "./intervals.ts";
import {
  ASKED_TASKS_BYTES_MAX,
  GATHER_BYTES,
  GATHER_PARALLEL,
  GATHER_TASKS_MAX,
  GATHER_TASKS_MIN,
  RESULTS_TIMEOUT_MS,
  SUMS_MAX,
} from "./limits.ts";
import type { Held, Output } from "./results.ts";
import { outputsSchema, RESULTS_PROTOCOL } from "./wire.ts";

export interface GatherParts {
  readonly net: Net;
  readonly contents: Contents;
  /** The results that this node holds itself. */
  readonly own: (task: number) => Held | undefined;
  /** Which living nodes hold results of which tasks, now. */
  readonly holders: () => ReadonlyMap<PeerId, Intervals>;
  /** For a verified job: only results on which enough devices agree are taken. */
  readonly proof?: Proof | undefined;
}

interface Proof {
  /** Digests of these results on which enough devices agree. */
  sums(tasks: Intervals, signal: AbortSignal): Promise<ReadonlyMap<number, string>>;
  digestOf(output: Uint8Array, fuelUsed: number): string;
}

interface Options {
  readonly signal: AbortSignal;
}

type Sums = ReadonlyMap<number, string> | undefined;

export class Gatherer {
  readonly #job: string;
  readonly #parts: GatherParts;

  constructor(job: string, parts: GatherParts) {
    this.#job = job;
    this.#parts = parts;
  }

  /** The outputs of all these tasks, in order. Rejects with "lost" if no node in reach holds one, "cancelled". */
  async *outputs(
    tasks: Intervals,
    options: Options,
  ): AsyncGenerator<[task: number, output: Uint8Array, fuelUsed: number], void, undefined> {
    let left = tasks;
    for (let window = GATHER_TASKS_MIN; left.length > 0;) {
      const now = take(left, window);
      const found = await this.collect(now, options);
      let bytes = 0;
      for (const [from, to] of pieces(now)) {
        for (let task = from; task < to; task++) {
          const { output, fuelUsed } = found.get(task) ?? this.#lost(task);
          if (output instanceof Uint8Array) bytes += output.length;
          yield [task, await this.bytesOf(output, options), fuelUsed];
        }
      }
      left = subtract(left, now);
      if (bytes < GATHER_BYTES / 4) window = Math.min(this.#parts.proof ? SUMS_MAX : GATHER_TASKS_MAX, 2 * window);
      else if (bytes > GATHER_BYTES) window = Math.max(1, Math.floor(window / 2));
    }
  }

  /** The outputs of these tasks, in the order of the list. A task may be in it more than once. */
  async *inOrder(
    tasks: readonly number[],
    options: Options,
  ): AsyncGenerator<[task: number, output: Uint8Array, fuelUsed: number], void, undefined> {
    for (let at = 0; at < tasks.length; at += GATHER_TASKS_MIN) {
      const now = tasks.slice(at, at + GATHER_TASKS_MIN);
      const found = await this.collect(setOf(now), options);
      for (const task of now) {
        const { output, fuelUsed } = found.get(task) ?? this.#lost(task);
        yield [task, await this.bytesOf(output, options), fuelUsed];
      }
    }
  }

  async bytesOf(output: Output, { signal }: Options): Promise<Uint8Array> {
    if (output instanceof Uint8Array) return output;
    return concat(await Array.fromAsync(this.#parts.contents.read(output, { signal })));
  }

  /** The outputs of these tasks, in the form in which they are held. Rejects with "lost", "cancelled". */
  async collect(tasks: Intervals, options: Options): Promise<Map<number, Held>> {
    const found = new Map<number, Held>();
    const sums = await this.#parts.proof?.sums(tasks, options.signal);
    let missing: Intervals = NONE;
    for (const task of numbersOf(tasks)) {
      if (sums !== undefined && !sums.has(task)) this.#lost(task);
      const held = this.#parts.own(task);
      if (held !== undefined && (await this.#isRight(task, held, sums, options))) found.set(task, held);
      else missing = add(missing, task);
    }
    const failed = new Set<PeerId>();
    while (missing.length > 0) {
      throwIfAborted(options.signal);
      const asked = this.#share(missing, failed);
      const [first] = missing;
      if (asked.length === 0) this.#lost(first ?? 0);
      await parallel(GATHER_PARALLEL, asked, ({ peer, part }) =>
        this.#ask({ peer, part, sums }, found, failed, options),
      );
      let left: Intervals = NONE;
      for (const task of numbersOf(missing)) if (!found.has(task)) left = add(left, task);
      missing = left;
    }
    return found;
  }

  /**
   * Decides which holder is asked for which tasks: each task from one holder. Holders with the most missing tasks come
   * first, so that few are asked.
   */
  #share(missing: Intervals, failed: ReadonlySet<PeerId>): { peer: PeerId; part: Intervals }[] {
    const holders = [...this.#parts.holders()].filter(([peer]) => peer !== this.#parts.net.self && !failed.has(peer));
    let left = missing;
    const asked: { peer: PeerId; part: Intervals }[] = [];
    const offers = holders
      .map(([peer, held]) => ({ peer, held, count: sizeOf(intersect(held, missing)) }))
      .filter(({ count }) => count > 0)
      .sort((a, b) => b.count - a.count || (a.peer < b.peer ? -1 : 1));
    for (const { peer, held } of offers) {
      const part = intersect(held, left);
      if (part.length > 0) asked.push({ peer, part });
      left = subtract(left, part);
    }
    return asked;
  }

  /** Whether the result is the one on which enough devices agree. True if the job is not verified. */
  async #isRight(task: number, { output, fuelUsed }: Held, sums: Sums, options: Options): Promise<boolean> {
    const { proof } = this.#parts;
    if (proof === undefined || sums === undefined) return true;
    return proof.digestOf(await this.bytesOf(output, options), fuelUsed) === sums.get(task);
  }

  async #ask(
    { peer, part, sums }: { readonly peer: PeerId; readonly part: Intervals; readonly sums: Sums },
    found: Map<number, Held>,
    failed: Set<PeerId>,
    { signal }: Options,
  ): Promise<void> {
    const { net } = this.#parts;
    let left = part;
    try {
      while (left.length > 0) {
        const tasks = pack(left, ASKED_TASKS_BYTES_MAX);
        const request = { op: "get", job: this.#job, tasks };
        const options = { signal, timeoutMs: RESULTS_TIMEOUT_MS, isCarried: true };
        const outputs = await net.request(peer, RESULTS_PROTOCOL, request, outputsSchema, options);
        let given: Intervals = NONE;
        for (const [task, output, fuelUsed] of outputs) {
          if (!(await this.#isRight(task, { output, fuelUsed }, sums, { signal }))) continue;
          found.set(task, { output, fuelUsed });
          given = add(given, task);
        }
        if (intersect(given, left).length === 0) break;
        left = subtract(left, given);
      }
      // Results that a node says it holds and does not give have to come from another.
      if (left.length > 0) failed.add(peer);
    } catch (error) {
      throwIfAborted(signal);
      if (!isStarfishError(error)) throw error;
      failed.add(peer);
    }
  }

  #lost(task: number): never {
    throw new StarfishError("lost", `Nobody in reach holds the result of task ${task}`, { retryable: true });
  }
}

/** Runs `count` calls, a few at a time. */
export async function parallel<T>(count: number, items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(count, items.length) }, lane));
}

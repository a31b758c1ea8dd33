/**
 * Fetches the results of tasks from the nodes that hold them, window by window, so that the memory is bounded for any
 * number of tasks. Each result is taken once, from any living holder that gives it.
 */
import { concat } from "../base/bytes.ts";
import { isStarfishError, StarfishError, throwIfAborted } from "../base/errors.ts";
import type { Contents } from "../disk/types.ts";
import type { Net } from "../net/types.ts";
import type { PeerId } from "../ports/network.ts";
import { type Intervals, intersect, numbersOf, pack, pieces, setOf, sizeOf, subtract, take } from "./intervals.ts";
import {
  ASKED_TASKS_BYTES_MAX,
  GATHER_BYTES,
  GATHER_BYTES_MAX,
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
  readonly held: () => Intervals;
  /** The mean bytes of the results that this node holds; undefined if it holds none. */
  readonly meanBytes: () => number | undefined;
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

/** What has been found so far. */
class Found {
  readonly results = new Map<number, Held>();
  readonly failed = new Set<PeerId>();
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  add(task: number, held: Held): void {
    this.results.set(task, held);
    if (held.output instanceof Uint8Array) this.#bytes += held.output.length;
  }

  /** More bytes than shall be held at once. */
  get isTooMuch(): boolean {
    return this.#bytes > this.#bytesMax;
  }

  missing(tasks: Intervals): Intervals {
    return setOf([...numbersOf(tasks)].filter((task) => !this.results.has(task)));
  }
}

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
    const most = this.#parts.proof ? SUMS_MAX : GATHER_TASKS_MAX;
    // Each window asks all nodes that hold some of it, so few large ones are better. Outputs are likely to be like this
    // node's.
    const likely = Math.floor(GATHER_BYTES / (1 + (this.#parts.meanBytes() ?? Infinity)));
    for (let window = Math.min(most, Math.max(GATHER_TASKS_MIN, likely)); left.length > 0;) {
      const now = take(left, window);
      const isSmallest = window <= GATHER_TASKS_MIN;
      const found = await this.#collect(now, isSmallest ? Infinity : GATHER_BYTES_MAX, options);
      if (found === undefined) {
        window = Math.max(GATHER_TASKS_MIN, Math.floor(window / 8));
        continue;
      }
      let bytes = 0;
      for (const [from, to] of pieces(now)) {
        for (let task = from; task < to; task++) {
          const { output, fuelUsed } = found.get(task) ?? this.#lost(task);
          if (output instanceof Uint8Array) bytes += output.length;
          yield [task, await this.bytesOf(output, options), fuelUsed];
        }
      }
      left = subtract(left, now);
      if (bytes < GATHER_BYTES / 4) window = Math.min(most, 2 * window);
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

  /** How many nodes have to be asked for the results of these tasks. */
  nodesFor(tasks: Intervals): number {
    return this.#share(subtract(tasks, this.#parts.held()), new Set()).length;
  }

  async bytesOf(output: Output, { signal }: Options): Promise<Uint8Array> {
    if (output instanceof Uint8Array) return output;
    return concat(await Array.fromAsync(this.#parts.contents.read(output, { signal })));
  }

  /** The outputs of these tasks, in the form in which they are held. Rejects with "lost", "cancelled". */
  async collect(tasks: Intervals, options: Options): Promise<ReadonlyMap<number, Held>> {
    return (await this.#collect(tasks, Infinity, options)) ?? new Map();
  }

  /** Undefined if they have more bytes than that. */
  async #collect(tasks: Intervals, bytesMax: number, options: Options): Promise<ReadonlyMap<number, Held> | undefined> {
    const found = new Found(bytesMax);
    const sums = await this.#parts.proof?.sums(tasks, options.signal);
    for (const task of numbersOf(tasks)) {
      if (sums !== undefined && !sums.has(task)) this.#lost(task);
      const held = this.#parts.own(task);
      if (held !== undefined && (await this.#isRight(task, held, sums, options))) found.add(task, held);
    }
    for (let missing = found.missing(tasks); missing.length > 0; missing = found.missing(missing)) {
      throwIfAborted(options.signal);
      const asked = this.#share(missing, found.failed);
      const [first] = missing;
      if (asked.length === 0) this.#lost(first ?? 0);
      await parallel(GATHER_PARALLEL, asked, ({ peer, part }) => this.#ask({ peer, part, sums }, found, options));
      if (found.isTooMuch) return undefined;
    }
    return found.results;
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
    found: Found,
    { signal }: Options,
  ): Promise<void> {
    const { net } = this.#parts;
    let left = part;
    try {
      while (left.length > 0 && !found.isTooMuch) {
        const tasks = pack(left, ASKED_TASKS_BYTES_MAX);
        const request = { op: "get", job: this.#job, tasks };
        const options = { signal, timeoutMs: RESULTS_TIMEOUT_MS, isCarried: true };
        const outputs = await net.request(peer, RESULTS_PROTOCOL, request, outputsSchema, options);
        const given: number[] = [];
        for (const [task, output, fuelUsed] of outputs) {
          if (!(await this.#isRight(task, { output, fuelUsed }, sums, { signal }))) continue;
          found.add(task, { output, fuelUsed });
          given.push(task);
        }
        const now = setOf(given);
        if (intersect(now, left).length === 0) break;
        left = subtract(left, now);
      }
      // Results that a node says it holds and does not give have to come from another.
      if (left.length > 0) found.failed.add(peer);
    } catch (error) {
      throwIfAborted(signal);
      if (!isStarfishError(error)) throw error;
      found.failed.add(peer);
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

/**
 * The port Coder on threads of any kind: a bounded queue of calls, and a few lanes. Each lane has a thread, which is
 * started when there is work for it and replaced when it dies. A lane has two calls at a time, so that its thread goes
 * on with the second while the answer to the first waits for a busy page.
 */
import { assert } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import { cancelled, StarfishError, throwIfAborted, toStarfishError } from "../../base/errors.ts";
import { own } from "../../base/owned.ts";
import { abortable } from "../../ports/clock.ts";
import {
  type CodedStripe,
  type Coder,
  type CoderOptions,
  DATA_SHARDS_MAX,
  SHARD_BYTES_MAX,
  SHARDS_MAX,
} from "../../ports/coder.ts";
import { alone, buffersOf, type CoderAnswer, type CoderCall, type CoderWork } from "./coder-thread.ts";

/** A thread as its owner sees it. Adapters make one from a thread of their platform. */
export interface CoderThread {
  post(call: CoderCall, transfer: ArrayBuffer[]): void;
  /** Called with everything that the thread posts. */
  onAnswer(receive: (answer: CoderAnswer) => void): void;
  /** Called when it could not start, or has ended without being asked to. */
  onDeath(died: (message: string) => void): void;
  terminate(): void | Promise<unknown>;
}

export interface CoderPoolOptions {
  readonly lanes: number;
  /** The module of wasm-tasks/reed-solomon. Loaded when it is first needed, and again after a failure. */
  readonly loadModule: () => Promise<WebAssembly.Module>;
  readonly startThread: (module: WebAssembly.Module) => CoderThread;
  /** SHA-256 of each piece, without the threads. It only borrows the pieces. */
  readonly hash: (pieces: readonly Bytes[]) => Promise<Uint8Array[]>;
}

/** Coding is faster than any link or disk that the shards go to: more threads would only take cores from tasks. */
const LANES_MAX = 4;
/** The second call waits in the thread while the first is answered. */
const CALLS_PER_LANE = 2;
/** Bytes of calls that wait for a lane, beyond the first call: four stripes of 64 full data shards. */
const WAITING_BYTES_MAX: number = 64 * 1024 * 1024;
/** The weight of an empty call. */
const CALL_BYTES_MIN = 1024;

/**
 * The number of lanes on a device with the given number of cores. One core is left for the node itself, unless only one
 * lane would remain.
 */
export function coderLanes(cores: number): number {
  return cores <= 2 ? Math.max(1, cores) : Math.min(LANES_MAX, cores - 1);
}

interface Waiting {
  readonly call: CoderCall;
  readonly bytes: number;
  readonly transfer: ArrayBuffer[];
  readonly signal: AbortSignal | undefined;
  readonly settle: (answer: CoderAnswer & { ok: true }) => void;
  readonly fail: (error: unknown) => void;
}

interface Lane {
  thread: Promise<CoderThread> | undefined;
  /** The calls that were given to the thread, by id. */
  readonly calls: Map<number, Waiting>;
}

export class CoderPool implements Coder {
  readonly lanes: number;
  readonly #options: CoderPoolOptions;
  readonly #lanes: readonly Lane[];
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #module: Promise<WebAssembly.Module> | undefined;
  #ids = 0;
  #closed = false;

  constructor(options: CoderPoolOptions) {
    this.lanes = options.lanes;
    this.#options = options;
    this.#lanes = Array.from({ length: options.lanes }, () => ({ thread: undefined, calls: new Map() }));
  }

  async encode(data: readonly Bytes[], parityCount: number, options: CoderOptions = {}): Promise<CodedStripe> {
    checkShards(data.length, data);
    assert(parityCount >= 0 && data.length + parityCount <= SHARDS_MAX, `a stripe has at most ${SHARDS_MAX} shards`);
    const pieces = data.map(alone);
    const answer = await this.#run({ kind: "encode", data: pieces, parityCount }, pieces, options.signal);
    assert("stripe" in answer, "a call to encode is answered with a stripe");
    return answer.stripe;
  }

  async reconstruct(
    k: number,
    shards: ReadonlyMap<number, Bytes>,
    want: readonly number[],
    options: CoderOptions = {},
  ): Promise<Map<number, Uint8Array>> {
    checkShards(k, [...shards.values()]);
    const isShard = (number: number): boolean => Number.isInteger(number) && number >= 0 && number < SHARDS_MAX;
    assert(shards.size >= k, `${k} shards are needed, ${shards.size} are given`);
    assert([...shards.keys(), ...want].every(isShard), `shards have numbers below ${SHARDS_MAX}`);
    const pieces = new Map(Array.from(shards, ([number, bytes]) => [number, alone(bytes)]));
    const work: CoderWork = { kind: "reconstruct", k, shards: pieces, want };
    const answer = await this.#run(work, [...pieces.values()], options.signal);
    assert("shards" in answer, "a call to reconstruct is answered with shards");
    return answer.shards;
  }

  async hash(pieces: readonly Bytes[], { signal }: CoderOptions = {}): Promise<Uint8Array[]> {
    if (this.#closed) throw closed();
    throwIfAborted(signal);
    const hashing = this.#options.hash(pieces);
    return signal === undefined ? hashing : abortable(signal, hashing);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const begun = this.#lanes.flatMap(({ calls }) => [...calls.values()]);
    for (const waiting of [...begun, ...this.#waiting.splice(0)]) waiting.fail(closed());
    const endings = this.#lanes.map(async (lane) => {
      lane.calls.clear();
      const thread = await lane.thread?.catch(() => undefined);
      await thread?.terminate();
    });
    await Promise.all(endings);
  }

  #run(
    work: CoderWork,
    pieces: readonly Bytes[],
    signal: AbortSignal | undefined,
  ): Promise<CoderAnswer & { ok: true }> {
    const answered = new Promise<CoderAnswer & { ok: true }>((settle, fail) => {
      if (this.#closed) return fail(closed());
      if (signal?.aborted) return fail(cancelled(signal));
      const bytes = pieces.reduce((sum, { length }) => sum + length, CALL_BYTES_MIN);
      if (this.#waiting.length > 0 && this.#waitingBytes + bytes > WAITING_BYTES_MAX) return fail(busy());
      const call = { id: this.#ids++, work };
      this.#waiting.push({ call, bytes, transfer: buffersOf(pieces), signal, settle, fail });
      this.#waitingBytes += bytes;
      this.#dispatch();
    });
    return signal === undefined ? answered : abortable(signal, answered);
  }

  #dispatch(): void {
    for (;;) {
      // The first of the lanes with the fewest calls, so that lanes that are not needed get no thread.
      const lane = this.#lanes.reduce((idlest, lane) => (lane.calls.size < idlest.calls.size ? lane : idlest));
      if (lane.calls.size >= CALLS_PER_LANE) return;
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#waitingBytes -= next.bytes;
      // Nobody listens to what was cancelled any more.
      if (next.signal?.aborted !== true) void this.#begin(lane, next);
    }
  }

  async #begin(lane: Lane, waiting: Waiting): Promise<void> {
    const { call, transfer, fail } = waiting;
    lane.calls.set(call.id, waiting);
    const starting = (lane.thread ??= this.#start(lane));
    let thread: CoderThread;
    try {
      thread = await starting;
    } catch (error) {
      if (lane.thread === starting) lane.thread = undefined;
      lane.calls.delete(call.id);
      fail(toStarfishError(error, "unsupported"));
      return this.#dispatch();
    }
    // The pool was closed, or the thread has died, while it started.
    if (!lane.calls.has(call.id)) return;
    try {
      thread.post(call, transfer);
    } catch (error) {
      // The platform does not move these bytes.
      lane.calls.delete(call.id);
      fail(error);
      this.#dispatch();
    }
  }

  async #start(lane: Lane): Promise<CoderThread> {
    const loading = (this.#module ??= this.#options.loadModule());
    loading.catch(() => {
      if (this.#module === loading) this.#module = undefined;
    });
    const thread = this.#options.startThread(await loading);
    thread.onAnswer((answer) => {
      const waiting = lane.calls.get(answer.id);
      lane.calls.delete(answer.id);
      // Bytes that a thread has moved here have no other owner.
      if (answer.ok) for (const bytes of "stripe" in answer ? answer.stripe.shards : answer.shards.values()) own(bytes);
      if (answer.ok) waiting?.settle(answer);
      else waiting?.fail(outOfMemory(answer.message));
      this.#dispatch();
    });
    let isDead = false;
    thread.onDeath((message) => {
      // A thread may report its end twice, and also an end that was asked for.
      if (isDead || this.#closed) return;
      isDead = true;
      lane.thread = undefined;
      const lost = [...lane.calls.values()];
      lane.calls.clear();
      for (const waiting of lost) waiting.fail(died(message));
      void thread.terminate();
      this.#dispatch();
    });
    return thread;
  }
}

function checkShards(k: number, shards: readonly Bytes[]): void {
  const length = shards[0]?.length ?? 0;
  assert(k >= 1 && k <= DATA_SHARDS_MAX, `a stripe has 1 to ${DATA_SHARDS_MAX} data shards`);
  assert(
    length <= SHARD_BYTES_MAX && shards.every((shard) => shard.length === length),
    `the shards of a stripe have one length, at most ${SHARD_BYTES_MAX} bytes`,
  );
}

function closed(): StarfishError {
  return new StarfishError("closed", "This node codes no stripes any more");
}

function died(message: string): StarfishError {
  return new StarfishError("closed", `A coder's thread ended: ${message}`, { retryable: true });
}

function busy(): StarfishError {
  return new StarfishError("busy", "Too many bytes wait to be coded", { retryable: true });
}

function outOfMemory(message: string): StarfishError {
  return new StarfishError("out-of-memory", `A stripe could not be coded: ${message}`, { retryable: true });
}

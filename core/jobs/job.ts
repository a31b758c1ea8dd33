/**
 * The account of one job: which chunks wait, which nodes run which, which are done. Each chunk counts as done once,
 * even if several nodes compute it. Pure: it knows neither time nor network.
 */
import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import type { PeerId } from "../ports/network.ts";
import { CHUNK_FAILURES_MAX, COPIES_MAX } from "./limits.ts";
import type { TaskFailure } from "./types.ts";

export interface Attempt {
  readonly peer: PeerId;
  readonly startedAtMs: number;
  /** Ends the attempt, wherever it runs. */
  cancel(): void;
}

export interface Chunk {
  readonly index: number;
  readonly input: Bytes;
  readonly attempts: Set<Attempt>;
  /** How often nodes have failed at it. */
  failures: number;
  /** The failure of the task on one node, which another node has to confirm. */
  suspicion: { readonly peer: PeerId; readonly failure: TaskFailure } | undefined;
}

export class Ledger {
  /** Chunks that are not done, in the order of their numbers. */
  readonly #open = new Map<number, Chunk>();
  /** Open chunks that were given back and not handed out again. */
  readonly #returned = new Set<Chunk>();
  readonly #fresh = new Set<Chunk>();
  #total = 0;
  #done = 0;
  #inputBytes = 0;
  #running = 0;
  #reissued = 0;

  /** The number of known chunks. */
  get total(): number {
    return this.#total;
  }
  get done(): number {
    return this.#done;
  }
  /** The number of chunks that at least one node runs. */
  get running(): number {
    return this.#running;
  }
  get waiting(): number {
    return this.#returned.size + this.#fresh.size;
  }
  /** The bytes of the inputs that are held. */
  get inputBytes(): number {
    return this.#inputBytes;
  }
  get reissued(): number {
    return this.#reissued;
  }
  /** How far the newest chunk is ahead of the oldest open one. */
  get window(): number {
    const oldest = this.#open.keys().next();
    return oldest.done === true ? 0 : this.#total - oldest.value;
  }

  add(input: Bytes): void {
    const chunk: Chunk = { index: this.#total++, input, attempts: new Set(), failures: 0, suspicion: undefined };
    this.#open.set(chunk.index, chunk);
    this.#fresh.add(chunk);
    this.#inputBytes += input.length;
  }

  /** The next chunk that this node may run: first those given back, and others only if `fresh`. */
  next(peer: PeerId, own: boolean, fresh: boolean = true): Chunk | undefined {
    for (const chunk of this.#returned) if (mayRun(chunk, peer, own)) return chunk;
    if (fresh) for (const chunk of this.#fresh) return chunk;
    return undefined;
  }

  /** The chunk that has been out longest with other nodes, if it has been out for `patienceMs`. */
  late(peer: PeerId, own: boolean, nowMs: number, patienceMs: number): Chunk | undefined {
    let longest: Chunk | undefined;
    let longestMs = patienceMs;
    for (const chunk of this.#open.values()) {
      const { size } = chunk.attempts;
      if (size === 0 || size >= COPIES_MAX || !mayRun(chunk, peer, own)) continue;
      let firstAtMs = nowMs;
      let lastAtMs = 0;
      for (const attempt of chunk.attempts) {
        firstAtMs = Math.min(firstAtMs, attempt.startedAtMs);
        lastAtMs = Math.max(lastAtMs, attempt.startedAtMs);
      }
      // A further copy is made only if the last copy is late too, and by more than a new one would take.
      if (size > 1 && nowMs - lastAtMs < 4 * patienceMs) continue;
      if (nowMs - firstAtMs < longestMs) continue;
      longest = chunk;
      longestMs = nowMs - firstAtMs;
    }
    return longest;
  }

  start(chunk: Chunk, attempt: Attempt): void {
    assert(this.#open.get(chunk.index) === chunk, "a chunk that is done is not started again");
    if (chunk.attempts.size === 0) this.#running++;
    if (chunk.attempts.size > 0 || this.#returned.has(chunk)) this.#reissued++;
    this.#returned.delete(chunk);
    this.#fresh.delete(chunk);
    chunk.attempts.add(attempt);
  }

  /** An attempt ended without a result. The chunk waits again, if no other node runs it. */
  giveBack(chunk: Chunk, attempt: Attempt): void {
    if (!chunk.attempts.delete(attempt) || !this.#open.has(chunk.index) || chunk.attempts.size > 0) return;
    this.#running--;
    this.#returned.add(chunk);
  }

  /** Returns true the first time; the other attempts at the chunk are cancelled. */
  finish(chunk: Chunk, attempt: Attempt): boolean {
    if (!this.#open.delete(chunk.index)) return false;
    this.#done++;
    this.#inputBytes -= chunk.input.length;
    if (chunk.attempts.size > 0) this.#running--;
    this.#returned.delete(chunk);
    chunk.attempts.delete(attempt);
    this.cancel(chunk);
    return true;
  }

  /** Chunks that wait only because no other node is there to confirm the task's failure. */
  *suspects(): Iterable<Chunk> {
    for (const chunk of this.#returned) if (chunk.suspicion !== undefined) yield chunk;
  }

  /** Ends the attempts of a node that has left. */
  withdraw(peer: PeerId): void {
    for (const chunk of this.#open.values()) {
      for (const attempt of [...chunk.attempts]) if (attempt.peer === peer) attempt.cancel();
    }
  }

  cancelAll(): void {
    for (const chunk of this.#open.values()) this.cancel(chunk);
  }

  cancel(chunk: Chunk): void {
    for (const attempt of [...chunk.attempts]) {
      chunk.attempts.delete(attempt);
      attempt.cancel();
    }
  }
}

function mayRun(chunk: Chunk, peer: PeerId, own: boolean): boolean {
  if (chunk.suspicion?.peer === peer) return false;
  // A chunk at which several nodes have failed may be what makes them fail, so other members no longer get it.
  if (!own && chunk.failures >= CHUNK_FAILURES_MAX) return false;
  for (const attempt of chunk.attempts) if (attempt.peer === peer) return false;
  return true;
}

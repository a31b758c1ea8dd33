/**
 * What membership does when much happens at once. Pure.
 *
 * A death is noticed by those that are linked to the dead. When the swarm is cut, some of the missing were linked only to
 * others that are missing too, and nobody here would ever notice. So who loses many links at once calls the roll: each
 * node says that it is here, and who does not is suspected.
 */
import type { PeerId } from "../../ports/network.ts";

/** Losses within this time belong together: the difference between the first and last to notice the same cut. */
const WINDOW_MS = 4_000;
/** This many losses, and this share of all links, are more than single deaths. */
const LOSSES_MIN = 3;
const SHARE_MIN = 1 / 4;

/** Counts links lost without a word. */
export class Losses {
  #atMs: number[] = [];

  /** True if so many of late, with `remaining` links left, are no coincidence. */
  add(count: number, remaining: number, nowMs: number): boolean {
    this.#atMs = this.#atMs.filter((atMs) => nowMs - atMs < WINDOW_MS);
    for (let i = 0; i < count; i++) this.#atMs.push(nowMs);
    const lost = this.#atMs.length;
    return lost >= LOSSES_MIN && lost >= SHARE_MIN * (remaining + lost);
  }
}

/** One call at a time: further ones within this time are the same one. */
const CALL_MS = 5_000;
/** Time to answer. A flood takes a few hundred ms there and back. */
const ANSWER_MS = 1_500;

export class RollCall {
  /** For this long after a call nothing depends on the tree: it has lost branches, and is told by floods. */
  static readonly FLOOD_MS: number = 10_000;
  /** Who has said something this recently need not answer, ms. */
  static readonly FRESH_MS: number = 1_000;

  #beganMs = -Infinity;
  #isOpen = false;

  /** False if it has been called already. */
  begin(nowMs: number): boolean {
    if (nowMs - this.#beganMs < CALL_MS) return false;
    this.#beganMs = nowMs;
    this.#isOpen = true;
    return true;
  }

  /** True once, when the time to answer is over. */
  isDue(nowMs: number): boolean {
    if (!this.#isOpen || nowMs - this.#beganMs < ANSWER_MS) return false;
    this.#isOpen = false;
    return true;
  }

  /** Whether a record that came at `freshMs` is an answer. */
  hasAnswered(freshMs: number): boolean {
    return freshMs >= this.#beganMs - 2 * RollCall.FRESH_MS;
  }
}

/** Records that one member may have accepted at once, and per second in the long run. Honest ones stay at one a second. */
const BURST = 20;
const PER_SECOND = 2;
const PACED_MAX = 5_000;

/** Bounds how much news of one member is taken in and passed on. What is dropped, reconciliation brings later. */
export class RecordPace {
  readonly #buckets = new Map<PeerId, { tokens: number; atMs: number }>();

  allows(peer: PeerId, nowMs: number): boolean {
    const bucket = this.#buckets.get(peer);
    if (bucket === undefined) {
      if (this.#buckets.size >= PACED_MAX) this.#buckets.clear();
      this.#buckets.set(peer, { tokens: BURST - 1, atMs: nowMs });
      return true;
    }
    bucket.tokens = Math.min(BURST, bucket.tokens + ((nowMs - bucket.atMs) / 1_000) * PER_SECOND);
    bucket.atMs = nowMs;
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }

  sweep(nowMs: number): void {
    for (const [peer, bucket] of this.#buckets) {
      if (nowMs - bucket.atMs > (BURST / PER_SECOND) * 1_000) this.#buckets.delete(peer);
    }
  }
}

/**
 * Rules of membership for times when much happens at once. Pure.
 *
 * A death is noticed by the nodes that are linked to the dead one. When the swarm is cut, some of the missing nodes
 * were linked only to others that are missing too, and nobody here would ever notice. So a node that loses many links
 * at once calls the roll: each node says that it is here, and a node that does not is suspected.
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

  /** True if so many links were lost lately, with `remaining` links left, that it can't be coincidence. */
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
  /** A node that has been heard within this time need not answer, ms. */
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

/** A rate limit: that much at once, and that much a second for as long as it lasts. */
export class Pace {
  readonly #burst: number;
  readonly #perSecond: number;
  #tokens: number;
  #atMs: number;

  constructor(burst: number, perSecond: number, nowMs: number) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#tokens = burst;
    this.#atMs = nowMs;
  }

  allows(nowMs: number): boolean {
    this.#tokens = Math.min(this.#burst, this.#tokens + ((nowMs - this.#atMs) / 1_000) * this.#perSecond);
    this.#atMs = nowMs;
    return this.#tokens >= 1;
  }

  isFull(nowMs: number): boolean {
    return this.allows(nowMs) && this.#tokens === this.#burst;
  }

  spend(): void {
    this.#tokens = Math.max(0, this.#tokens - 1);
  }
}

/**
 * Records of one member that are accepted at once, and per second in the long run. Honest members send one a second.
 */
const BURST = 20;
const PER_SECOND = 4;
const PACED_MAX = 5_000;
/**
 * How often a node answers those who say that it is gone. It is less than others accept from it, because an ignored
 * answer is of no use. It is often enough that half a second, a tick and the way to all nodes are less than
 * SUSPICION_MS_MIN.
 */
const ANSWERS_BURST = 8;
const ANSWERS_PER_SECOND = 2;

/** Limits what this node says about itself because of what others say. */
export function answerPace(nowMs: number): Pace {
  return new Pace(ANSWERS_BURST, ANSWERS_PER_SECOND, nowMs);
}

/** Digests and requests for records of one neighbour. An honest one compares every few seconds, and asks in answer. */
const ASKS_BURST = 20;
const ASKS_PER_SECOND = 2;

/** Bounds how often a neighbour is answered with records, of which there may be thousands. */
export function askPace(nowMs: number): Pace {
  return new Pace(ASKS_BURST, ASKS_PER_SECOND, nowMs);
}

/** Bounds how much news of one member is taken in and passed on. Reconciliation brings dropped news later. */
export class RecordPace {
  readonly #paces = new Map<PeerId, Pace>();

  /** Does not count by itself: only messages that are proven to be the member's own count against it. */
  allows(peer: PeerId, nowMs: number): boolean {
    return this.#paces.get(peer)?.allows(nowMs) ?? true;
  }

  spend(peer: PeerId, nowMs: number): void {
    let pace = this.#paces.get(peer);
    if (pace === undefined) {
      if (this.#paces.size >= PACED_MAX) this.#paces.clear();
      pace = new Pace(BURST, PER_SECOND, nowMs);
      this.#paces.set(peer, pace);
    }
    pace.spend();
  }

  sweep(nowMs: number): void {
    for (const [peer, pace] of this.#paces) if (pace.isFull(nowMs)) this.#paces.delete(peer);
  }
}

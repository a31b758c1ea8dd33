/**
 * The neighbours that a node asks for the time, and their last answers. Times are of this node's monotonic clock unless
 * stated otherwise.
 */
import type { PeerId } from "../../ports/network.ts";
import { SLEW_MS_PER_S } from "./rules.ts";

/**
 * Whose time a node has. new: it has just started, and knows nothing. told: it has just taken over the time of others.
 * (Only nodes of these two ranks listen to nodes of these ranks.) own: its own, or that of nodes that have not been
 * together for long. common: the time of a swarm.
 */
export const RANKS = { new: 0, told: 1, own: 2, common: 3 } as const;
export const RANK_MAX: number = RANKS.common;
/** The latest time that a Date can hold. */
export const TIME_MS_MAX = 8.64e15;

/** The answer to the question for the time: ms since 1970, and the rank of the node that answers. */
export type TimeTold = readonly [commonMs: number, rank: number];

/** How often neighbours are asked: while all is well; while someone is out of line; while this node may be. */
export const ASK_CALM_MS = 30_000;
export const ASK_CURIOUS_MS = 5_000;
export const ASK_URGENT_MS = 400;
/** A neighbour that has not answered for this long is not waited for. */
const ANSWER_MS = 1_000;
/** A sample's error grows by this many ms a second, because either end may slew meanwhile. */
const AGEING_MS_PER_S: number = 2 * SLEW_MS_PER_S;
/** A longer round trip says too little. */
const ROUND_TRIP_MS_MAX = 3_000;
/** How long a sample is kept: until three answers have failed to come. */
const SAMPLE_MS_MAX: number = 4 * ASK_CALM_MS;

export interface Sample {
  /** The neighbour's time when this node's monotonic clock was at zero, as far as that can be told. */
  readonly baseMs: number;
  /** By how much that may be wrong, either way. */
  readonly errorMs: number;
  readonly rank: number;
  readonly atMs: number;
}

interface Neighbour {
  readonly sinceMs: number;
  askedMs: number;
  sample: Sample | undefined;
}

export class Neighbours {
  readonly #byPeer = new Map<PeerId, Neighbour>();
  askEveryMs: number = ASK_URGENT_MS;

  get count(): number {
    return this.#byPeer.size;
  }

  add(peer: PeerId, nowMs: number): void {
    this.#byPeer.set(peer, { sinceMs: nowMs, askedMs: -Infinity, sample: undefined });
  }

  /** False if it was none. */
  delete(peer: PeerId): boolean {
    return this.#byPeer.delete(peer);
  }

  isDue(peer: PeerId, nowMs: number): boolean {
    const neighbour = this.#byPeer.get(peer);
    if (neighbour === undefined) return false;
    // A neighbour that is new will count soon: it is asked more often.
    const askEveryMs = (neighbour.sample?.rank ?? RANKS.own) < RANKS.own ? ASK_CURIOUS_MS : ASK_CALM_MS;
    return nowMs - neighbour.askedMs >= Math.min(askEveryMs, this.askEveryMs);
  }

  /** Whether to ask this neighbour now; it then counts as asked. */
  ask(peer: PeerId, nowMs: number): boolean {
    const neighbour = this.#byPeer.get(peer);
    if (neighbour === undefined || !this.isDue(peer, nowMs)) return false;
    neighbour.askedMs = nowMs;
    return true;
  }

  told(peer: PeerId, [commonMs, rank]: TimeTold, roundTripMs: number, nowMs: number): void {
    const neighbour = this.#byPeer.get(peer);
    if (neighbour === undefined || roundTripMs > ROUND_TRIP_MS_MAX) return;
    const errorMs = roundTripMs / 2;
    const sample = { baseMs: commonMs + errorMs - nowMs, errorMs, rank, atMs: nowMs };
    neighbour.sample = neighbour.sample === undefined ? sample : better(neighbour.sample, sample);
  }

  samples(): Sample[] {
    return [...this.#byPeer.values()].flatMap(({ sample }) => sample ?? []);
  }

  /** Whether at least half have answered, not counting those that take too long. */
  hasHeardEnough(nowMs: number): boolean {
    let awaited = 0;
    for (const { sample, sinceMs } of this.#byPeer.values()) {
      if (sample === undefined && nowMs - sinceMs < ANSWER_MS) awaited++;
    }
    return awaited * 2 <= this.#byPeer.size;
  }

  /** For how many ms there has been a neighbour. */
  sinceMs(nowMs: number): number {
    return Math.max(0, ...Array.from(this.#byPeer.values(), ({ sinceMs }) => nowMs - sinceMs));
  }

  /** What they said may have been overtaken: all are due. */
  askAll(): void {
    for (const neighbour of this.#byPeer.values()) neighbour.askedMs = -Infinity;
  }

  /** Treats all neighbours as new. */
  forgetAll(nowMs: number): void {
    for (const peer of this.#byPeer.keys()) this.add(peer, nowMs);
  }

  forgetOld(nowMs: number): void {
    for (const neighbour of this.#byPeer.values()) {
      if (neighbour.sample !== undefined && nowMs - neighbour.sample.atMs > SAMPLE_MS_MAX) neighbour.sample = undefined;
    }
  }
}

/**
 * The later sample; but if both agree and the former one is more precise, its time is kept, since a lost packet makes a
 * bad sample.
 */
function better(former: Sample, later: Sample): Sample {
  const errorMs = former.errorMs + ((later.atMs - former.atMs) * AGEING_MS_PER_S) / 1_000;
  const doAgree = Math.abs(former.baseMs - later.baseMs) <= errorMs + later.errorMs;
  return doAgree && errorMs < later.errorMs ? { ...later, baseMs: former.baseMs, errorMs } : later;
}

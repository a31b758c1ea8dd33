/**
 * The swarm's common time: what clocks that are wrong by seconds or a few minutes agree on by asking their neighbours.
 *
 * A newcomer takes the median of the times that its informed neighbours tell. From then on it follows its neighbours
 * slowly, so that no single one of them moves it. It steps only where most of them say that it is wrong. Common time is
 * a few round trips wide, and as right as the clocks it began with. Swarms that meet and differ become one: those ahead
 * give way.
 *
 * Whatever neighbours say, and however many they are (a member makes identities at will), common time never leaves this
 * node's own clock by more than OWN_MS_MAX. So two nodes whose own clocks are right are never further apart than twice
 * that, which memory bears. A time that is further off is not believed: either this clock is wrong or the neighbours
 * lie. A node whose clock others have confirmed before keeps writing by it; a newcomer whom nobody confirms is told to
 * set its clock.
 *
 * Assumes that whoever owns the links asks each neighbour when `ask` says so, and hands in its answer with the round
 * trip (membership does, in its pings). Reads the clock, and does nothing by itself.
 */
import { momentWords } from "../../base/moment.ts";
import type { Clock } from "../../ports/clock.ts";
import type { PeerId } from "../../ports/network.ts";
import { OWN_MS_MAX } from "../limits.ts";
import {
  ASK_CALM_MS,
  ASK_CURIOUS_MS,
  ASK_URGENT_MS,
  Neighbours,
  RANKS,
  type Sample,
  TIME_MS_MAX,
  type TimeTold,
} from "./neighbours.ts";
import { apart, OwnClock } from "./own.ts";
import { clamp, leastBehind, lowerMedian, pull, SLEW_MS_PER_S, type Stance, stanceOf, STEP_MS } from "./rules.ts";

/**
 * How long neighbours must keep saying that this node is out of line before it steps. A node that is ahead steps first:
 * otherwise two swarms that meet would swap times, and stamps that are too high do more harm than stamps that are too
 * low. When two swarms meet, perhaps no node has most of its links to the other one. So a node steps back, too, if
 * several neighbours are still behind after the time in which each of them would have stepped.
 */
const PATIENCE_MS: Readonly<Record<Stance, number>> = {
  alone: Infinity,
  "in line": Infinity,
  ahead: 1_000,
  behind: 5_000,
  split: 15_000,
};
/**
 * A node that has stepped to the time of several neighbours stays there this long, although most of its neighbours are
 * ahead until they follow.
 */
const LOYAL_MS = 120_000;
/** The longest time that one tick counts for, however late it is. */
const SLEW_GAP_MS_MAX = 2_000;

/** A newcomer listens and adopts the time of others for this long; until then it does not count for others. */
const LISTEN_MS = 2_000;
/**
 * After this time with links but without an informed neighbour all are taken to be new: the time on which they agree is
 * the time.
 */
const UNKNOWN_MS = 3_000;
/** After this time without links this node's own clock is the time. Joining takes some seconds. */
const ALONE_MS = 10_000;
/** A node that has been in line with others for this long counts as having the swarm's time. */
const COMMON_MS = 10_000;

/** The wall clock has been set, or the machine has slept, if it moves this much against the monotonic one. */
const JUMP_MS = 1_000;
/** A clock that has gone on for longer than this since it was confirmed may as well have been set. */
const AWAY_MS_MAX: number = 90 * 24 * 3_600_000;
/**
 * Common time that is further than this from the own clock is drawn back to it, so slowly that neighbours stay
 * together.
 */
const LEAN_BEYOND_MS = 60_000;
const LEAN_MS_PER_S = 5;

export interface CommonTimeOptions {
  /** Whether there may be others who know the time: the clock of one who founds a swarm is right by definition. */
  readonly hasOthers: boolean;
  /** The wall clock's time when others last confirmed it, in an earlier life of this node. */
  readonly confirmedMs?: number | undefined;
}

export class CommonTime {
  readonly #clock: Clock;
  readonly #neighbours = new Neighbours();
  #rank: number;
  /** Common time less the wall clock. */
  #offsetMs = 0;
  /** The wall clock less the monotonic one, when last seen. */
  #epochMs: number;
  readonly #own: OwnClock;
  /** A jump of the wall clock that was made up for, and that nobody has confirmed or denied yet. */
  #doubtfulMs = 0;
  /** When this node became new, was told, and came to stand as it does, by the monotonic clock. */
  #newMs: number;
  #toldMs = -Infinity;
  #stance: Stance = "alone";
  #stanceMs: number;
  /** When this node last joined several neighbours against most. */
  #splitMs = -Infinity;
  #tickedMs: number;
  /** Others have found this node's clock right, or it founded the swarm: then nobody may stop it from writing. */
  #isConfirmed: boolean;

  constructor(clock: Clock, options: CommonTimeOptions) {
    const nowMs = clock.monotonic();
    this.#clock = clock;
    this.#rank = options.hasOthers ? RANKS.new : RANKS.own;
    this.#epochMs = clock.now() - nowMs;
    this.#own = new OwnClock(this.#epochMs);
    this.#isConfirmed = !options.hasOthers || isConfirmed(clock.now(), options.confirmedMs);
    this.#newMs = nowMs;
    this.#stanceMs = nowMs;
    this.#tickedMs = nowMs;
  }

  /** Milliseconds since 1970 by the swarm's common clock. It may step back, if this node was wrong. */
  now(): number {
    const nowMs = this.#look();
    return nowMs + this.#baseMs;
  }

  /** Whether `now` is the common time; until a newcomer has been told, it is what its own clock says. */
  get isKnown(): boolean {
    this.#look();
    return this.#rank !== RANKS.new;
  }

  /** Why this node's time can't be brought in line with the others', for people; undefined if it is. */
  trouble(): string | undefined {
    // Its own clock may be wrong by a year, so what it would write now would mean nothing to the others.
    if (!this.isKnown) {
      return "This node has just started and does not know yet what time it is for the others. In some seconds it will.";
    }
    if (this.#isConfirmed || this.#unbelieved().length === 0 || this.#believed().length > 0) return undefined;
    return `${this.#wrongClock()} Set the clock of this device right.`;
  }

  /**
   * What people should know about this device's clock, whether this node may write or not; undefined if all is well.
   */
  notice(): string | undefined {
    this.#look();
    if (this.isKnown && this.trouble() !== undefined) return this.trouble();
    if (this.#unbelieved().length * 2 > this.#neighbours.samples().length) {
      return `${this.#wrongClock()} This node goes by its own. If it is wrong, set it right: others set aside what is written in their future.`;
    }
    if (Math.abs(this.#offsetMs) <= LEAN_BEYOND_MS) return undefined;
    return `The clock of this device is ${apart(-this.#offsetMs)} the others'. Set it right.`;
  }

  /**
   * What the wall clock says, if it has been found right and has not been set since: for the next life of this node.
   */
  confirmedMs(): number | undefined {
    this.#look();
    const isNear = Math.abs(this.#offsetMs) <= LEAN_BEYOND_MS;
    return this.#isConfirmed && isNear && this.isKnown ? this.#clock.now() : undefined;
  }

  #wrongClock(): string {
    const aheadMs = lowerMedian(this.#unbelieved().map(({ baseMs }) => baseMs - this.#epochMs));
    const theirs = momentWords(clamp(this.#clock.now() + aheadMs, TIME_MS_MAX));
    const own = momentWords(clamp(this.#clock.now(), TIME_MS_MAX));
    return `The clock of this device (${own}) is ${apart(-aheadMs)} that of the nodes around it (${theirs}).`;
  }

  // Asking and telling

  linkUp(peer: PeerId): void {
    this.#neighbours.add(peer, this.#look());
  }

  linkDown(peer: PeerId): void {
    this.#look();
    if (this.#neighbours.delete(peer) && this.#neighbours.count === 0) this.#believeWall();
  }

  isDue(peer: PeerId): boolean {
    return this.#neighbours.isDue(peer, this.#look());
  }

  /** Whether to ask this neighbour for the time now; it then counts as asked. */
  ask(peer: PeerId): boolean {
    return this.#neighbours.ask(peer, this.#look());
  }

  tell(): TimeTold {
    return [Math.min(TIME_MS_MAX, Math.max(0, Math.round(this.now()))), this.#rank];
  }

  /** A neighbour has answered; from asking to answer it took `roundTripMs`. */
  told(peer: PeerId, time: TimeTold, roundTripMs: number): void {
    const nowMs = this.#look();
    this.#neighbours.told(peer, time, roundTripMs, nowMs);
    this.#adopt(nowMs);
  }

  /** Call it about every half second, or every second at least. */
  tick(): void {
    const nowMs = this.#look();
    const gapMs = Math.min(nowMs - this.#tickedMs, SLEW_GAP_MS_MAX);
    this.#tickedMs = nowMs;
    this.#neighbours.forgetOld(nowMs);
    this.#adopt(nowMs);
    if (this.#isNewcomer) this.#settle(nowMs);
    else this.#follow(nowMs, gapMs);
    this.#neighbours.askEveryMs = this.#askEveryMs();
  }

  #askEveryMs(): number {
    if (this.#isNewcomer || this.#stance === "ahead" || this.#stance === "behind") return ASK_URGENT_MS;
    const isSomeoneOut = this.#differences().some((ms) => Math.abs(ms) > STEP_MS);
    const isLeaning = Math.abs(this.#own.strayMs(this.#baseMs, this.#epochMs)) > LEAN_BEYOND_MS;
    return isSomeoneOut || isLeaning ? ASK_CURIOUS_MS : ASK_CALM_MS;
  }

  // Newcomers

  /**
   * Takes the time of neighbours of higher rank: a newcomer in any case, other nodes if most of their neighbours have
   * such a rank.
   */
  #adopt(nowMs: number): void {
    if (this.#rank === RANKS.common || !this.#neighbours.hasHeardEnough(nowMs)) return;
    const samples = this.#believed();
    const better = samples.filter(({ rank }) => rank > this.#rank);
    if (this.#isNewcomer ? better.length === 0 : better.length * 2 <= samples.length) return;
    if (this.#rank === RANKS.new) this.#toldMs = nowMs;
    this.#rank = this.#isNewcomer ? RANKS.told : RANKS.common;
    this.#step(this.#medianOf(better));
  }

  /** A newcomer begins to count, with the time that it was told or, if nobody can tell, with its own clock. */
  #settle(nowMs: number): void {
    const isTold = this.#rank === RANKS.told;
    // While all are new, this node's clock is as good as any.
    if (!isTold) this.#offsetMs += lowerMedian([0, ...this.#believed().map((sample) => this.#ahead(sample))]);
    this.#bound();
    const hasListened = isTold && nowMs - this.#toldMs >= LISTEN_MS;
    const isUnknown = !isTold && this.#neighbours.sinceMs(nowMs) >= UNKNOWN_MS;
    const isAlone = this.#neighbours.count === 0 && nowMs - this.#newMs >= ALONE_MS;
    if (!hasListened && !isUnknown && !isAlone) return;
    if (isUnknown) this.#believeWall();
    this.#rank = RANKS.own;
    this.#adopt(nowMs);
  }

  // In company

  #follow(nowMs: number, gapMs: number): void {
    const differences = this.#differences();
    const stance = stanceOf(differences);
    this.#stand(stance, nowMs);
    const standsMs = nowMs - this.#stanceMs;
    const isLoyal = stance === "behind" && nowMs - this.#splitMs < LOYAL_MS;
    if (standsMs >= PATIENCE_MS[stance] && !isLoyal) {
      if (stance === "split") this.#splitMs = nowMs;
      this.#step(stance === "split" ? leastBehind(differences) : lowerMedian(differences));
      this.#stand("in line", nowMs);
    } else if (stance === "in line" || stance === "split") {
      this.#offsetMs += clamp(pull(differences), (SLEW_MS_PER_S * gapMs) / 1_000);
      const strayMs = this.#own.strayMs(this.#baseMs, this.#epochMs);
      if (Math.abs(strayMs) > LEAN_BEYOND_MS) this.#offsetMs -= clamp(strayMs, (LEAN_MS_PER_S * gapMs) / 1_000);
      this.#bound();
    }
    if (stance !== "in line" || standsMs < COMMON_MS) return;
    this.#rank = RANKS.common;
    this.#isConfirmed = true;
  }

  /** Keeps common time near this node's own clock. */
  #bound(): void {
    this.#offsetMs = this.#own.bound(this.#baseMs, this.#epochMs) - this.#epochMs;
  }

  #stand(stance: Stance, nowMs: number): void {
    if (stance === this.#stance) return;
    this.#stance = stance;
    this.#stanceMs = nowMs;
  }

  /** What neighbours said before may have been overtaken by steps of their own, so they are asked anew. */
  #step(byMs: number): void {
    this.#offsetMs += byMs;
    this.#bound();
    this.#doubtfulMs = 0;
    this.#neighbours.askAll();
  }

  // The wall clock

  /** Looks whether the wall clock has jumped, and returns the monotonic one. */
  #look(): number {
    const nowMs = this.#clock.monotonic();
    const epochMs = this.#clock.now() - nowMs;
    const jumpMs = epochMs - this.#epochMs;
    this.#epochMs = epochMs;
    if (Math.abs(jumpMs) > JUMP_MS) this.#jumped(jumpMs, nowMs);
    return nowMs;
  }

  /**
   * Either somebody has set the clock, which does not concern the swarm, or the machine has slept while its monotonic
   * clock stood still. If there are links, the others know which. Until they tell, it counts as set, and this node is a
   * newcomer.
   */
  #jumped(jumpMs: number, nowMs: number): void {
    if (this.#neighbours.count === 0) {
      // Set right, the clock needs no correction any more.
      if (Math.abs(jumpMs - this.#offsetMs) < Math.abs(this.#offsetMs)) this.#offsetMs = 0;
      this.#own.believe(this.#epochMs);
      this.#bound();
      const wallMs = this.#clock.now();
      this.#isConfirmed &&= isConfirmed(wallMs, wallMs - jumpMs);
      this.#rank = Math.min(this.#rank, RANKS.own);
      return;
    }
    this.#offsetMs -= jumpMs;
    this.#doubtfulMs += jumpMs;
    this.#rank = RANKS.new;
    this.#newMs = nowMs;
    this.#stand("alone", nowMs);
    this.#neighbours.forgetAll(nowMs);
    this.#neighbours.askEveryMs = ASK_URGENT_MS;
  }

  /** Nobody knows better. */
  #believeWall(): void {
    this.#offsetMs += this.#doubtfulMs;
    this.#doubtfulMs = 0;
    this.#own.believe(this.#epochMs);
    this.#bound();
  }

  // What others say

  get #isNewcomer(): boolean {
    return this.#rank < RANKS.own;
  }

  get #baseMs(): number {
    return this.#epochMs + this.#offsetMs;
  }

  /**
   * By how many ms the neighbours are ahead, beyond the error of their samples. Lower-ranked neighbours count as zero:
   * they will adopt this node's time.
   */
  #differences(): number[] {
    const rankMin = Math.max(this.#rank, RANKS.own);
    return this.#believed().map((sample) => (sample.rank < rankMin ? 0 : this.#surely(sample)));
  }

  #believed(): Sample[] {
    return this.#neighbours.samples().filter((sample) => this.#own.isPlausible(sample, this.#epochMs));
  }

  #unbelieved(): Sample[] {
    return this.#neighbours.samples().filter((sample) => !this.#own.isPlausible(sample, this.#epochMs));
  }

  #medianOf(samples: readonly Sample[]): number {
    return lowerMedian(samples.map((sample) => this.#ahead(sample)));
  }

  #ahead({ baseMs }: Sample): number {
    return baseMs - this.#baseMs;
  }

  #surely(sample: Sample): number {
    const aheadMs = this.#ahead(sample);
    return aheadMs - clamp(aheadMs, sample.errorMs);
  }
}

/**
 * Whether a clock that was confirmed once can still be trusted: since then it must not have gone back, nor have
 * advanced by more than people are away.
 */
function isConfirmed(nowMs: number, confirmedMs: number | undefined): boolean {
  if (confirmedMs === undefined) return false;
  return nowMs >= confirmedMs - OWN_MS_MAX && nowMs <= confirmedMs + AWAY_MS_MAX;
}

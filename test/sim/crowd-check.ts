/**
 * Compares what the members of a simulated swarm believe of each other with the truth: who runs, and on which side of a
 * cut. It looks several times a second of virtual time. An error is an observer, a subject, and how long the observer
 * was wrong.
 */
import type { PeerId } from "../../core/ports/network.ts";
import type { MemberStatus } from "../../core/net/types.ts";
import type { Crowd, CrowdNode } from "./crowd.ts";

export interface CheckLimits {
  /** How long members may be wrong after one came or went, or the swarm was cut. */
  readonly changeMs: number;
  /** How long members may be wrong after the swarm was healed. */
  readonly healMs: number;
  /** How long a member that runs, and was known to run, may be believed gone. */
  readonly falseDeathMs: number;
}

export interface CheckReport {
  /** Errors that lasted longer than their limit; the first few of them. */
  readonly errors: readonly string[];
  /** The longest error of each kind of change, ms. */
  readonly longestMs: Readonly<Record<Kind, number>>;
  /** How many times a member that ran was believed gone. */
  readonly falseDeaths: number;
}

type Kind = "arrival" | "departure" | "cut" | "heal" | "falseDeath";

const LOOK_MS = 500;
const ERRORS_MAX = 20;

interface Wrong {
  readonly kind: Kind;
  readonly sinceMs: number;
  isReported: boolean;
}

interface Subject {
  readonly name: string;
  readonly peer: PeerId;
  isRunning: boolean;
  changedMs: number;
}

export class CrowdChecker {
  readonly #crowd: Crowd;
  readonly #limits: CheckLimits;
  readonly #subjects = new Map<PeerId, Subject>();
  /** By observer, then by subject: only present errors. */
  readonly #wrong = new Map<CrowdNode, Map<PeerId, Wrong>>();
  readonly #errors: string[] = [];
  readonly #longestMs: Record<Kind, number> = { arrival: 0, departure: 0, cut: 0, heal: 0, falseDeath: 0 };
  #falseDeaths = 0;
  /** Increases when the truth changes. */
  #truth = 0;
  /** The value of `#truth` for which an observer was checked last; absent if its beliefs have changed since. */
  readonly #judged = new Map<CrowdNode, number>();
  #isCut = false;
  #cutMs = -Infinity;
  #healedMs = -Infinity;
  #isStopped = false;

  constructor(crowd: Crowd, limits: CheckLimits) {
    this.#crowd = crowd;
    this.#limits = limits;
    this.#look();
  }

  /** The swarm has been cut: members see each other only within a side. */
  cut(): void {
    this.#truth++;
    this.#isCut = true;
    this.#cutMs = this.#crowd.world.nowMs;
  }

  heal(): void {
    this.#truth++;
    this.#isCut = false;
    this.#healedMs = this.#crowd.world.nowMs;
  }

  stop(): CheckReport {
    this.#isStopped = true;
    return { errors: this.#errors, longestMs: this.#longestMs, falseDeaths: this.#falseDeaths };
  }

  /** Wrong beliefs at this moment. */
  wrongNow(): number {
    let count = 0;
    for (const wrong of this.#wrong.values()) count += wrong.size;
    return count;
  }

  #look(): void {
    if (this.#isStopped) return;
    const { world } = this.#crowd;
    this.#census(world.nowMs);
    const running = new Set(this.#crowd.running.values());
    for (const observer of this.#wrong.keys()) {
      if (running.has(observer)) continue;
      this.#wrong.delete(observer);
      this.#judged.delete(observer);
    }
    for (const observer of running) {
      const isUnchanged = this.#judged.get(observer) === this.#truth && this.#wrong.get(observer)?.size === 0;
      if (!isUnchanged) this.#judge(observer, world.nowMs);
      this.#judged.set(observer, this.#truth);
    }
    world.scheduler.after(LOOK_MS, "check", () => this.#look());
  }

  #census(nowMs: number): void {
    for (const { machine, peer } of this.#crowd.running.values()) {
      const subject = this.#subjects.get(peer);
      if (subject === undefined) {
        this.#subjects.set(peer, { name: machine.name, peer, isRunning: true, changedMs: nowMs });
        this.#truth++;
      } else if (!subject.isRunning) {
        subject.isRunning = true;
        this.#truth++;
        subject.changedMs = nowMs;
      }
    }
    for (const subject of this.#subjects.values()) {
      if (subject.isRunning && !this.#crowd.running.has(subject.name)) {
        subject.isRunning = false;
        this.#truth++;
        subject.changedMs = nowMs;
      }
    }
  }

  #judge(observer: CrowdNode, nowMs: number): void {
    let wrong = this.#wrong.get(observer);
    if (wrong === undefined) {
      wrong = new Map();
      this.#wrong.set(observer, wrong);
      observer.membership.onMember(() => this.#judged.delete(observer));
    }
    const side = this.#crowd.side(observer.machine.name);
    for (const subject of this.#subjects.values()) {
      const isApart = this.#isCut && this.#crowd.side(subject.name) !== side;
      const isThere = subject.isRunning && !isApart;
      const status = observer.membership.member(subject.peer)?.status;
      if (believedThere(status) === isThere) {
        if (wrong.size > 0) this.#righted(wrong, subject, nowMs);
        continue;
      }
      const kind = this.#kind(observer, subject, isThere, status, nowMs, wrong.get(subject.peer));
      const before = wrong.get(subject.peer);
      if (before?.kind !== kind) {
        if (kind === "falseDeath") this.#falseDeaths++;
        wrong.set(subject.peer, { kind, sinceMs: nowMs, isReported: false });
      } else {
        this.#report(observer, subject, before, nowMs);
      }
    }
  }

  #righted(wrong: Map<PeerId, Wrong>, subject: Subject, nowMs: number): void {
    const was = wrong.get(subject.peer);
    if (was === undefined) return;
    wrong.delete(subject.peer);
    this.#longestMs[was.kind] = Math.max(this.#longestMs[was.kind], nowMs - was.sinceMs);
  }

  #kind(
    observer: CrowdNode,
    subject: Subject,
    isThere: boolean,
    status: MemberStatus | undefined,
    nowMs: number,
    before: Wrong | undefined,
  ): Kind {
    const latest = Math.max(subject.changedMs, observer.startedMs);
    if (!isThere) return this.#isCut && this.#cutMs > latest && subject.isRunning ? "cut" : "departure";
    if (status === undefined) return "arrival";
    if (before !== undefined && before.kind !== "cut" && before.kind !== "departure") return before.kind;
    if (this.#healedMs > latest && nowMs - this.#healedMs < 2 * this.#limits.healMs) return "heal";
    return nowMs - latest < this.#limits.changeMs ? "arrival" : "falseDeath";
  }

  #report(observer: CrowdNode, subject: Subject, wrong: Wrong, nowMs: number): void {
    const { changeMs, healMs, falseDeathMs } = this.#limits;
    const limitMs = wrong.kind === "heal" ? healMs : wrong.kind === "falseDeath" ? falseDeathMs : changeMs;
    const lastedMs = nowMs - wrong.sinceMs;
    this.#longestMs[wrong.kind] = Math.max(this.#longestMs[wrong.kind], lastedMs);
    if (lastedMs <= limitMs || wrong.isReported) return;
    wrong.isReported = true;
    if (this.#errors.length >= ERRORS_MAX) return;
    const status = observer.membership.member(subject.peer)?.status ?? "unknown";
    this.#errors.push(
      `${(nowMs / 1_000).toFixed(1)} s: ${observer.machine.name} holds ${subject.name} for ${status} ` +
        `(${wrong.kind}, ${(lastedMs / 1_000).toFixed(1)} s)`,
    );
  }
}

function believedThere(status: MemberStatus | undefined): boolean {
  return status === "awake" || status === "suspect" || status === "asleep";
}

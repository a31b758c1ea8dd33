/**
 * Devices that are gone, and whether they are awaited. The time of grace is learnt from the lengths of sessions. It is
 * short after a cut of the swarm, and for devices that were gone before this node came. Used by nodes (devices.ts) and
 * by the model of repair.
 */
import { CUT_SETTLED_MS, MASS_DEPARTURE_PART, MASS_GRACE_MS, REST_GRACES } from "../limits.ts";
import { graceMs, SessionLengths } from "./session-lengths.ts";

export class Absences<Id> {
  readonly #startedAtMs: number;
  readonly #fixedGraceMs: number | undefined;
  readonly #sessions: SessionLengths;
  /** When they went, in this order; kept as long as it may matter. */
  readonly #goneAtMs = new Map<Id, number>();
  #lastGoneAtMs: number;
  #cutAtMs = -Infinity;
  #there = 0;

  /** @param fixedGraceMs how long a missing device is awaited; by default it follows from the observed sessions */
  constructor(nowMs: number, fixedGraceMs?: number) {
    this.#startedAtMs = nowMs;
    this.#lastGoneAtMs = nowMs;
    this.#fixedGraceMs = fixedGraceMs;
    this.#sessions = new SessionLengths(nowMs);
  }

  /** Tells which devices have come and which have gone, and how many are there now. */
  observe(nowMs: number, came: readonly Id[], went: readonly Id[], there: number): void {
    for (const id of came) this.#goneAtMs.delete(id);
    for (const id of went) this.#goneAtMs.set(id, nowMs);
    if (went.length > 0) this.#lastGoneAtMs = nowMs;
    this.#there = there;
    const isCut = went.length > 0 && this.#isMassDeparture(nowMs, MASS_GRACE_MS);
    if (isCut) this.#cutAtMs = nowMs;
    // A cut says nothing about sessions.
    this.#sessions.observe(nowMs, there, isCut ? 0 : went.length);
    this.#forget(nowMs);
  }

  /** Whether one that is not there is expected back. */
  isAwaited(id: Id, nowMs: number): boolean {
    return this.#graceEndMs(this.#goneAtMs.get(id), nowMs) > nowMs;
  }

  /** When the next missing device is no longer awaited, in ms from now; undefined if none is awaited. */
  nextGraceEndMs(nowMs: number): number | undefined {
    const goneAtMs = [...this.#goneAtMs.values(), undefined];
    const ends = goneAtMs.map((atMs) => this.#graceEndMs(atMs, nowMs) - nowMs).filter((inMs) => inMs > 0);
    return ends.length === 0 ? undefined : Math.min(...ends);
  }

  /**
   * Whether nobody has been seen to leave for about the length of a session or, after a cut, for as long as anybody is
   * awaited.
   */
  isAtRest(nowMs: number): boolean {
    const graces = this.#isMassDeparture(nowMs) ? 1 : REST_GRACES;
    return nowMs - this.#lastGoneAtMs > graces * this.#awaitedMs(nowMs);
  }

  /** Whether many devices went at once not long ago: they may be back soon. */
  isCut(nowMs: number): boolean {
    return nowMs - this.#cutAtMs < CUT_SETTLED_MS;
  }

  /** Until when a device is awaited that left at `goneAtMs`; undefined: it left before this node came. */
  #graceEndMs(goneAtMs: number | undefined, nowMs: number): number {
    if (goneAtMs === undefined) return this.#startedAtMs + Math.min(this.#graceMs(), MASS_GRACE_MS);
    return goneAtMs + this.#awaitedMs(nowMs);
  }

  #graceMs(): number {
    return this.#fixedGraceMs ?? graceMs(this.#sessions.medianMs);
  }

  #awaitedMs(nowMs: number): number {
    return this.#isMassDeparture(nowMs) ? Math.min(this.#graceMs(), MASS_GRACE_MS) : this.#graceMs();
  }

  /** Whether more than a certain part of all devices has gone within such a time. */
  #isMassDeparture(nowMs: number, withinMs: number = this.#graceMs()): boolean {
    const sinceMs = nowMs - withinMs;
    let gone = 0;
    for (const atMs of this.#goneAtMs.values()) if (atMs > sinceMs) gone++;
    return gone > 1 && gone > (this.#there + gone) * MASS_DEPARTURE_PART;
  }

  #forget(nowMs: number): void {
    const keptMs = REST_GRACES * this.#graceMs();
    for (const [id, atMs] of this.#goneAtMs) {
      if (nowMs - atMs <= keptMs) break;
      this.#goneAtMs.delete(id);
    }
  }
}

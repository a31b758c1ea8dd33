/**
 * This node's own clock, and how far common time may leave it. Pure.
 *
 * The own clock is the wall clock. If that jumps while there are links, it may have been set wrong, or the machine has
 * slept: until it is known which, the clock as it went on before the jump counts as well. Times are given as bases:
 * what a clock says minus what the monotonic clock says.
 */
import { OWN_MS_MAX } from "../limits.ts";
import type { Sample } from "./neighbours.ts";
import { clamp } from "./rules.ts";

export class OwnClock {
  /** The wall clock's base before it jumped; the same as now if it did not, or its jump has been believed. */
  #steadyMs: number;

  constructor(epochMs: number) {
    this.#steadyMs = epochMs;
  }

  /** The wall clock is right, also after a jump. */
  believe(epochMs: number): void {
    this.#steadyMs = epochMs;
  }

  /** By how much this time is ahead of the own clock. */
  strayMs(baseMs: number, epochMs: number): number {
    const wallMs = baseMs - epochMs;
    const steadyMs = baseMs - this.#steadyMs;
    return Math.abs(steadyMs) < Math.abs(wallMs) ? steadyMs : wallMs;
  }

  /**
   * The allowed common time that is nearest to `baseMs`. If `baseMs` is near the wall clock, the wall clock has proved
   * right, and is believed.
   */
  bound(baseMs: number, epochMs: number): number {
    if (Math.abs(baseMs - epochMs) <= OWN_MS_MAX) this.believe(epochMs);
    const strayMs = this.strayMs(baseMs, epochMs);
    return baseMs - strayMs + clamp(strayMs, OWN_MS_MAX);
  }

  /** Whether a neighbour whose own clock is right could say this to a node whose own clock is right. */
  isPlausible({ baseMs, errorMs }: Sample, epochMs: number): boolean {
    return Math.abs(this.strayMs(baseMs, epochMs)) <= 2 * OWN_MS_MAX + errorMs;
  }
}

const UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ["year", 365 * 86_400_000],
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
];

/** How far one clock is from another, for people: "3 hours ahead of". */
export function apart(ms: number): string {
  const [unit, unitMs] = UNITS.find(([, least]) => Math.round(Math.abs(ms) / 1_000) * 1_000 >= least) ?? [
    "second",
    1_000,
  ];
  const count = Math.round(Math.abs(ms) / unitMs);
  return `${count} ${unit}${count === 1 ? "" : "s"} ${ms < 0 ? "behind" : "ahead of"}`;
}

/**
 * Writes a change of many steps as batches: as one batch if it fits, else as few as possible, each of whole steps in
 * their order. A step is never split: it holds the writes that must stay together.
 */
import { isStarfishError } from "../base/errors.ts";
import type { MapWrite, ReplicatedMap } from "./types.ts";

/** How far a change has come, for callers that report it. */
export interface Progress {
  /** Steps that are written. */
  steps: number;
}

/** Throws as `ReplicatedMap.batch`; then the steps that `progress` counts are written. */
export function inBatches(
  map: ReplicatedMap,
  steps: readonly (readonly MapWrite[])[],
  progress: Progress = { steps: 0 },
): void {
  let size = steps.length;
  while (progress.steps < steps.length) {
    const next = steps.slice(progress.steps, progress.steps + size);
    try {
      map.batch(next.flat());
      progress.steps += next.length;
    } catch (error) {
      if (!isStarfishError(error, "too-large") || next.length === 1) throw error;
      size = Math.ceil(next.length / 2);
    }
  }
}

/**
 * How a node moves its own time, given by how many ms each neighbour is ahead of it. Pure.
 *
 * Slewing is the resilient consensus of LeBlanc, Zhang, Koutsoukos and Sundaram (IEEE JSAC 31(4), 2013), for one liar
 * among each node's neighbours.
 */

/**
 * A difference beyond this is stepped. It is less than the parts above the net tolerate (5 s), and more than a stall of
 * a node.
 */
export const STEP_MS = 3_000;
/**
 * Smaller differences are made up for at this many ms a second. That is enough for the drift of any clock, and a liar
 * moves others no faster.
 */
export const SLEW_MS_PER_S = 50;
/** "Several" neighbours are at least this many (one alone may be lying) and at least this share of all. */
const SEVERAL_MIN = 2;
const SEVERAL_SHARE = 1 / 4;

/** How a node's time stands to its neighbours'. Split: it is in line with most of them, and several are behind. */
export type Stance = "alone" | "in line" | "split" | "ahead" | "behind";

export function stanceOf(aheadMs: readonly number[]): Stance {
  if (aheadMs.length === 0) return "alone";
  const isMost = (count: number): boolean => count * 2 > aheadMs.length;
  const behind = aheadMs.filter((ms) => ms < -STEP_MS).length;
  if (isMost(behind)) return "ahead";
  if (isMost(aheadMs.filter((ms) => ms > STEP_MS).length)) return "behind";
  return behind >= Math.max(SEVERAL_MIN, aheadMs.length * SEVERAL_SHARE) ? "split" : "in line";
}

/**
 * The value to which a node is drawn: the mean of its neighbours and itself, without the one that is furthest ahead and
 * the one that is furthest behind. No neighbour counts for more than a step. Two nodes alone meet in the middle.
 */
export function pull(aheadMs: readonly number[]): number {
  const kept = aheadMs.toSorted((a, b) => a - b);
  if (kept.length > 1) {
    if ((kept.at(-1) ?? 0) > 0) kept.pop();
    if ((kept[0] ?? 0) < 0) kept.shift();
  }
  return kept.reduce((sum, ms) => sum + clamp(ms, STEP_MS), 0) / (kept.length + 1);
}

/** Of those that are too far behind, the one that is the least behind: a single liar among them can't increase it. */
export function leastBehind(aheadMs: readonly number[]): number {
  return Math.max(...aheadMs.filter((ms) => ms < -STEP_MS));
}

/** The lower median: of two nodes that can't agree, the one that is ahead steps back. */
export function lowerMedian(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length / 2) - 1] ?? 0;
}

export function clamp(value: number, limit: number): number {
  return Math.min(limit, Math.max(-limit, value));
}

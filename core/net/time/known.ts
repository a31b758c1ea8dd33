/**
 * Waits until a node knows the time. A node that has just started may not write before, and programs want to write at
 * once.
 */
import { type Clock, sleep } from "../../ports/clock.ts";
import type { Net } from "../types.ts";

/** How often it looks, since there is no event. The first neighbour's answer takes about a second. */
const LOOK_MS = 50;

/**
 * Resolves when this node may write: within a second or two if others are there, after ten (time.ts) if nobody answers.
 */
export async function timeKnown(net: Net, clock: Clock): Promise<void> {
  while (!net.isTimeKnown()) await sleep(clock, LOOK_MS);
}

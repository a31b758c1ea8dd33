/** For programs, which begin to write as soon as they are let: a newcomer knows the time, and so may write, a moment later. */
import { type Clock, sleep } from "../../ports/clock.ts";
import type { Net } from "../types.ts";

/** Nobody tells when it is: the first neighbour's word takes about a second. */
const LOOK_MS = 50;

/** Resolves when this node may write: within a second or two where others are, after ten (time.ts) where nobody answers. */
export async function timeKnown(net: Net, clock: Clock): Promise<void> {
  while (!net.isTimeKnown()) await sleep(clock, LOOK_MS);
}

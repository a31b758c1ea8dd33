/**
 * How content is coded over devices: a pure function of the swarm's size; promise.ts computes what it promises.
 *
 * Up to five devices: plain copies, at most four. Up to 63 devices: one of them holds the stripe whole, and each of the
 * others one shard, of which about a third are enough. Whichever half dies, the rest suffices. The whole copy is not
 * needed for the promise; it makes repair cheap. Its holder sends only the bytes of the lost shard, while other holders
 * would have to read k shards. Without it repair costs swarms of 8 to 32 twice as much (such hybrids: Rodrigues and
 * Liskov, IPTPS 2005). With more devices: twin shards. There are half as many shards as devices, each on two devices,
 * and fewer than half of the shards are enough. If a random half of the devices dies, both twins of a quarter of the
 * shards are gone, and of half of the shards in the worst case. Even the worst case is survived up to 131 devices.
 * Beyond that the number of twins does not grow, and the promise becomes a probability.
 *
 * Up to 128 devices nearly every device holds something of a stripe, so a holder that leaves is not replaced until a
 * new device comes. Therefore k is as low as the storage factor allows. With twins the promise then holds with three to
 * nine holders missing; if half of the shards were needed, it would hold with one. Under churn the mean chance of loss
 * is smaller by a factor of a hundred and more. Repair costs no more, since less is urgent. In larger swarms devices
 * that hold nothing take a shard at once, and half of the shards may be needed. docs/disk.md has the figures.
 *
 * Plain copies at the same cost would lose one stripe in sixteen.
 */
import { assert } from "../../base/assert.ts";
import { HOLDERS_MAX } from "../limits.ts";
import { halfOf, type Health, lossChance, survivesAny, URGENT_CHANCE } from "./promise.ts";

export interface Layout {
  /** Any k shards give the stripe back. */
  readonly k: number;
  readonly n: number;
  /** How many devices hold each shard. All holders of a stripe are distinct devices. */
  readonly copies: 1 | 2;
  /** How many further devices hold the stripe whole: all of its data shards. */
  readonly wholes: 0 | 1;
}

/**
 * Up to here there are four plain copies: of five devices one is spare, and takes a lost copy at once. A code of 2 of 5
 * survives as many deaths, but is more often short of shards.
 */
const COPIES_MAX = 5;
/**
 * Up to here one device holds the whole stripe, and repairs the others. In larger swarms that device would have more to
 * read than twins have to copy.
 */
const WHOLE_MAX = 63;
/**
 * Stored bytes per byte of content, never exceeded: a little below 4.6, since shards have headers and lists of hashes.
 */
export const STORAGE_FACTOR_MAX = 4.58;
/** A stripe is worth recoding if it survives less than it could, by more than one part in this many. */
const SLACK = 8;
/**
 * A code should survive the loss of a half even after one in this many devices has left, before it can be coded again.
 */
const SHRINKING = 6;

/** The layout for new contents in a swarm of `devices` devices. */
export function layoutFor(devices: number): Layout {
  assert(Number.isSafeInteger(devices) && devices >= 1, `a swarm of ${devices} devices`);
  if (devices <= COPIES_MAX) return { k: 1, n: Math.min(devices, 4), copies: 1, wholes: 0 };
  if (devices <= WHOLE_MAX) return withWhole(devices - 1);
  if (devices > HOLDERS_MAX) return { k: HOLDERS_MAX / 4, n: HOLDERS_MAX / 2, copies: 2, wholes: 0 };
  const n = Math.floor(devices / 2);
  return { k: Math.ceil((2 * n) / STORAGE_FACTOR_MAX), n, copies: 2, wholes: 0 };
}

/** One device holds all, and each of the others a shard, with k as low as what may be stored allows. */
function withWhole(others: number): Layout {
  return { k: Math.max(2, Math.ceil(others / (STORAGE_FACTOR_MAX - 1))), n: others, copies: 1, wholes: 1 };
}

/**
 * The layout for new contents when only some of the devices have room: over these alone, as long as the content then
 * survives the loss of any half of all devices. So one full device does not keep contents from being safe.
 */
export function layoutAmong(devices: number, withRoom: number): Layout {
  const all = layoutFor(devices);
  if (withRoom === 0 || withRoom >= devices) return all;
  const fewer = layoutFor(withRoom);
  return survivesAny(healthAtRest(fewer, withRoom)) >= halfOf(devices) ? fewer : all;
}

/** Devices that hold something of a stripe. */
export function holdersWanted({ n, copies, wholes }: Layout): number {
  return n * copies + wholes;
}

/** Shard number n, if the layout has it, stands for all data shards. */
export function shardsOf(shard: number, { k, n }: Layout): number[] {
  return shard === n ? Array.from({ length: k }, (_, each) => each) : [shard];
}

/** Stored bytes per byte of content, with all holders there. */
export function storageFactor({ k, n, copies, wholes }: Layout): number {
  return (n * copies) / k + wholes;
}

/** A stripe with as many holders as the layout wants and the swarm has devices for. */
export function healthAtRest(layout: Layout, devices: number): Health {
  const { k, n, wholes } = layout;
  const holders = Math.min(holdersWanted(layout), devices) - wholes;
  const shards = Math.min(n, holders);
  const twins = holders - shards;
  return { k, living: [n - shards, shards - twins, twins], wholes };
}

/**
 * Whether a stripe's code still suits the swarm:
 * - `fresh`: it is what would be written now, or so near that coding again is not worth its bytes;
 * - `loose`: the promise holds, but another layout survives clearly more: code again in the background, once that has
 *   been so for a while;
 * - `tight`: the promise holds, but would not if the swarm shrank by a sixth, and with what would be written now it
 *   would;
 * - `broken`: with every device holding what it can, a random half is no longer survived. Code again now, as for
 *   `tight`.
 *
 * Swarms that swing settle: what is loose at one end of the swing is coded so as to be fresh at both (6 to 9 devices
 * end at 2 of 7).
 */
export type Staleness = "fresh" | "loose" | "tight" | "broken";

export function staleness(current: Layout, devices: number): Staleness {
  const ideal = layoutFor(devices);
  if (isBroken(current, ideal, devices)) return "broken";
  const fewer = devices - Math.ceil(devices / SHRINKING);
  if (fewer > 0 && isBroken(current, ideal, fewer)) return "tight";
  const possible = survivesAny(healthAtRest(ideal, devices));
  const survives = survivesAny(healthAtRest(current, devices));
  return survives < possible - Math.floor(possible / SLACK) ? "loose" : "fresh";
}

/** Whether it has to be recoded now, and not only in the background. */
export function isPressing(is: Staleness): boolean {
  return is === "broken" || is === "tight";
}

/**
 * Whether a half of `devices` devices may take a content in its present code, and would take it less often in a new
 * one.
 */
function isBroken(current: Layout, anew: Layout, devices: number): boolean {
  const chance = lossChance(healthAtRest(current, devices), devices);
  return chance > URGENT_CHANCE && chance > lossChance(healthAtRest(anew, devices), devices);
}

/**
 * The worth of a stripe's redundancy: the exact chance that the stripe is lost when a random part of the present
 * devices dies at one instant, and the number of devices that may die, whichever they are. The chance is counted, not
 * estimated: it is the part of all equally likely sets of survivors that leave fewer than k shards. Every term is
 * positive, so a chance of 1e-20 is as exact as one of 0.5.
 *
 * Assumes that a device holds one shard of a stripe or all of it, and that deaths are drawn from all devices alike.
 */
import { assert } from "../../base/assert.ts";

/** The present state of a stripe. */
export interface Health {
  /** This many shards give the content back, whichever they are. */
  readonly k: number;
  /** living[h]: how many shards have h living holders; living[0] of them are out of reach. */
  readonly living: readonly number[];
  /** Further devices that are there and hold the whole stripe. */
  readonly wholes: number;
}

/** A stripe with a greater chance to be lost with the next half is repaired at once. */
export const URGENT_CHANCE = 1e-6;
/**
 * Beyond some 800 devices a healthy stripe has about that chance itself. There urgent means this many times worse than
 * a healthy stripe; otherwise repair would never rest.
 */
const URGENT_RATIO = 4;
/** Chances kept by LossChances: states repeat, since stripes of one partition have the same holders. */
const CHANCES_MAX = 65_536;
/** Ways to survive are counted in doubles, which hold 2^1023 of them. */
const HOLDERS_MAX = 1_000;

/** How many devices die when a half does: floor(devices / 2). */
export function halfOf(devices: number): number {
  return Math.floor(devices / 2);
}

/** How many devices may die, whichever they are; -1 if the stripe is lost already. */
export function survivesAny({ k, living, wholes }: Health): number {
  // The worst choice first kills the holders of the whole stripe, and then the shards with the fewest holders.
  let toKill = shardsOf(living) - k + 1;
  if (toKill <= 0) return wholes - 1;
  let deaths = wholes;
  for (let holders = 1; toKill > 0; holders++) {
    const killed = Math.min(toKill, living[holders] ?? 0);
    deaths += killed * holders;
    toKill -= killed;
  }
  return deaths - 1;
}

/**
 * How many machines may be lost, whichever they are, if each device is on one of them; -1 if the stripe is lost
 * already. `holders` are the devices by shard, number n those that hold the whole stripe. Exact if each shard has one
 * holder. With more holders it is never too high: to lose a shard all of its machines have to go, and each counts for
 * its part of it.
 */
export function survivesAnyMachines(
  { k, n }: { readonly k: number; readonly n: number },
  holders: readonly (readonly string[])[],
  hostOf: (device: string) => string,
): number {
  const wholes = new Set((holders[n] ?? []).map(hostOf));
  const lostWith = new Map<string, number>();
  let shards = 0;
  for (const those of holders.slice(0, n)) {
    const hosts = new Set(those.map(hostOf));
    if (hosts.size > 0) shards++;
    for (const host of hosts) lostWith.set(host, (lostWith.get(host) ?? 0) + 1 / hosts.size);
  }
  let toLose = shards - k + 1;
  if (toLose <= 0) return wholes.size - 1;
  for (const host of wholes) toLose -= lostWith.get(host) ?? 0;
  const others = [...lostWith].filter(([host]) => !wholes.has(host)).map(([, lost]) => lost);
  let deaths = wholes.size;
  for (const lost of others.sort((a, b) => b - a)) {
    if (toLose <= ROUNDING) break;
    toLose -= lost;
    deaths++;
  }
  return deaths - 1;
}

/** Parts of shards are summed: a rest smaller than this counts as zero. */
const ROUNDING = 1e-9;

/**
 * The chance that the stripe is lost when `deaths` of `devices` die, every such set of devices being equally likely.
 * `devices` are all that are there, holders or not.
 */
export function lossChance(health: Health, devices: number, deaths: number = halfOf(devices)): number {
  const { k, living, wholes } = health;
  if (wholes > 0) {
    // The holders of the whole stripe are among the dead; the other dead are drawn from the rest.
    if (deaths < wholes) return 0;
    let chance = 1;
    for (let i = 0; i < wholes; i++) chance *= (deaths - i) / (devices - i);
    return chance * lossChance({ k, living, wholes: 0 }, devices - wholes, deaths - wholes);
  }
  const holders = holdersOf(health);
  assert(k >= 1 && holders <= devices && holders <= HOLDERS_MAX, `${holders} holders among ${devices} devices`);
  assert(deaths >= 0 && deaths <= devices, `${deaths} of ${devices} die`);
  if (deaths <= survivesAny(health)) return 0;
  if (shardsOf(living) < k) return 1;
  const logFactorial = new Float64Array(devices + 1);
  for (let i = 1; i <= devices; i++) logFactorial[i] = at(logFactorial, i - 1) + Math.log(i);
  const logChoose = (from: number, some: number): number =>
    some < 0 || some > from
      ? -Infinity
      : at(logFactorial, from) - at(logFactorial, some) - at(logFactorial, from - some);
  const survivors = devices - deaths;
  const logAll = logChoose(devices, survivors);
  const losing = losingWays(k, living, holders);
  let chance = 0;
  for (let left = 0; left <= holders; left++) {
    // `left` of the holders survive, and the other survivors hold nothing.
    const ways = at(losing, left);
    if (ways > 0) chance += ways * Math.exp(logChoose(devices - holders, survivors - left) - logAll);
  }
  return Math.min(1, chance);
}

/**
 * For each number of surviving holders, how many sets of them leave fewer than k shards. Shard by shard: one with h
 * holders stays out of reach in one way, and lives through i of its holders in C(h, i) ways.
 */
function losingWays(k: number, living: readonly number[], holders: number): Float64Array {
  const width = holders + 1;
  /** ways[shards * width + left], for fewer than k living shards. */
  const ways = new Float64Array(k * width);
  ways[0] = 1;
  let shardsMax = 0;
  let leftMax = 0;
  for (let each = 1; each < living.length; each++) {
    const choose = binomials(each);
    for (let count = living[each] ?? 0; count > 0; count--) {
      shardsMax = Math.min(k - 1, shardsMax + 1);
      // Downwards, because each row takes from the one below it as it was before this shard.
      for (let shards = shardsMax; shards > 0; shards--) {
        const to = shards * width;
        const from = to - width;
        for (let left = shards - 1; left <= leftMax; left++) {
          const base = at(ways, from + left);
          if (base > 0)
            for (let i = 1; i <= each; i++) ways[to + left + i] = at(ways, to + left + i) + base * at(choose, i);
        }
      }
      leftMax += each;
    }
  }
  const losing = new Float64Array(width);
  for (let i = 0; i < ways.length; i++) losing[i % width] = at(losing, i % width) + at(ways, i);
  return losing;
}

/** Chances by state, remembered: a swarm asks the same again for thousands of stripes. */
export class LossChances {
  readonly #known = new Map<string, number>();

  /** The chance that a random half of `devices` takes the stripe with it. */
  ofHalf(health: Health, devices: number): number {
    const key = `${health.k} ${health.wholes} ${devices} ${health.living.join(" ")}`;
    let chance = this.#known.get(key);
    if (chance === undefined) {
      chance = lossChance(health, devices);
      if (this.#known.size >= CHANCES_MAX) this.#known.clear();
      this.#known.set(key, chance);
    }
    return chance;
  }

  /** Whether the stripe has to be repaired at once; `ideal` is the best possible state of a stripe in such a swarm. */
  isUrgent(health: Health, ideal: Health, devices: number): boolean {
    const chance = this.ofHalf(health, devices);
    return chance > URGENT_CHANCE && chance > URGENT_RATIO * this.ofHalf(ideal, devices);
  }
}

/** The shards within reach. */
function shardsOf(living: readonly number[]): number {
  return living.reduce((sum, count, holders) => (holders > 0 ? sum + count : sum), 0);
}

/** The devices that hold something. */
export function holdersOf({ living, wholes }: Health): number {
  return living.reduce((sum, count, holders) => sum + count * holders, wholes);
}

function binomials(n: number): Float64Array {
  const row = new Float64Array(n + 1);
  row[0] = 1;
  for (let i = 1; i <= n; i++) row[i] = (at(row, i - 1) * (n - i + 1)) / i;
  return row;
}

function at(array: Float64Array, index: number): number {
  return array[index] ?? 0;
}

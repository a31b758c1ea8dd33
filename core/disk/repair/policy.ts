/**
 * What to repair of a stripe now, and what to leave: pure decisions, which the repairer of a real node and the simulated
 * one both follow.
 *
 * Repair is paid for in bytes, and most who leave come back. So a leaver is awaited for a time of grace; whoever comes
 * back counts again, even where its shard has been copied meanwhile, which saves the next copy (Carbonite: Chun et al.,
 * NSDI 2006). What can be had for the bytes of one shard is replaced when the grace is over: a shard whose twin is there, or
 * one of a stripe that somebody holds whole. Who is to hold it whole is replaced as soon, which takes k shards and makes the
 * others cheap again. Where both twins are gone, a shard has to be rebuilt from k, which costs little more for several than
 * for one: so it waits for company, or for a holder that comes back after all. Of plain copies there are to be enough,
 * whichever they are. Patience ends where the promise is at stake: a stripe that a random half might take with more than one
 * in a million is repaired at once, cheapest first, until it is well below.
 *
 * A device holds one shard of a stripe, or all. Where all devices hold something, a holder that is one too many for its
 * shard can take another instead; but it is worth more as it is, since it saves a copy later. So that waits until the swarm is
 * at rest, or the stripe in danger.
 *
 * test/sim/disk-model.ts measures what that costs; the constants were chosen by it.
 */
import { healthAtRest, type Layout, layoutFor } from "../code/layout.ts";
import { halfOf, type Health, type LossChances, URGENT_CHANCE } from "../code/promise.ts";

/** This many lost pairs are rebuilt together, or k / 2 where that is less. With 4 the traffic was a tenth higher. */
const BATCH = 8;
/** An urgent repair goes on until the chance is this much better than urgent, so that the next departure is none. */
const RELIEF = 8;
/** Above this a holder too many for its shard takes another. At the urgent chance, swarms of 64 paid a fiftieth more. */
const MOVE_CHANCE = 1e-5;
/** Further holders of one shard hardly help; states that differ in them alone count as one. */
const HOLDERS_COUNTED = 3;
/** In large swarms devices are rounded up to a multiple: the chances get a little greater and much fewer. */
const DEVICES_STEP = 8;
const DEVICES_EXACT_MAX = 128;

/** The holders of a stripe's shards, by shard; those that hold it whole have the number n among them. */
export interface ShardStates {
  /** Holders that are there. */
  readonly living: ArrayLike<number>;
  /** Holders that left and are still expected back. */
  readonly awaited: ArrayLike<number>;
}

export interface RepairPlan {
  /** Shards to copy from a living holder to one more device, most needed first. Number n: the device is to hold it whole. */
  readonly copy: readonly number[];
  /** Shards without living holder, to be rebuilt together from k others, each for one device. */
  readonly rebuild: readonly number[];
  readonly isUrgent: boolean;
  /** That a random half takes the stripe as it is now; the greatest is repaired first. */
  readonly chance: number;
}

/**
 * @param devices all that are there, holders or not; holders are distinct devices
 * @param isAtRest nobody has left for long, or somebody wants the stripe whole: nothing is put off
 */
export function planRepair(
  layout: Layout,
  states: ShardStates,
  devices: number,
  chances: LossChances,
  isAtRest: boolean,
): RepairPlan {
  const { k, copies, wholes } = layout;
  const rounded = devices <= DEVICES_EXACT_MAX ? devices : Math.ceil(devices / DEVICES_STEP) * DEVICES_STEP;
  // Not this stripe's layout, which may be one for another size of swarm.
  const ideal = healthAtRest(layoutFor(devices), rounded);
  const health = healthOf(layout, states.living, HOLDERS_COUNTED);
  const chance = chances.ofHalf(health, rounded);
  const missing = missingOf(layout, states, devices);
  if (k === 1) return { ...copiesRepair(layout, states, missing, devices), rebuild: [], chance };
  const isUrgent = chances.isUrgent(health, ideal, rounded);
  const room = isAtRest || chance > MOVE_CHANCE ? missing.room : missing.free;
  const target = Math.max(URGENT_CHANCE / RELIEF, chances.ofHalf(ideal, rounded));
  const isRelief = (living: readonly number[], added: number): boolean => {
    const counted = added > missing.free ? copies : HOLDERS_COUNTED;
    return chances.ofHalf(healthOf(layout, living, counted), rounded) <= target;
  };
  if (wholes > 0) {
    const freely = isAtRest ? missing.room : missing.free;
    const copy = cheapRepair(layout, states, missing, freely, room, isUrgent ? isRelief : undefined);
    return { copy, rebuild: [], isUrgent, chance };
  }
  const lazy = lazyRepair(layout, missing, room, isAtRest);
  if (!isUrgent) return { ...lazy, isUrgent, chance };
  return { ...urgentRepair(layout, missing, states, lazy, room, isRelief), isUrgent, chance };
}

/**
 * Where somebody holds all: what is gone, as far as there are devices that take it `freely`; and until `isRelief`, if that is
 * asked for, what is awaited too, and on those that give something up for it. Where nobody holds all who should, that one.
 */
function cheapRepair(
  { n }: Layout,
  states: ShardStates,
  { gone, late }: Missing,
  freely: number,
  room: number,
  isRelief: ((living: readonly number[], added: number) => boolean) | undefined,
): number[] {
  if (at(states.living, n) === 0) {
    return room > 0 && (isRelief !== undefined || at(states.awaited, n) === 0) ? [n] : [];
  }
  const living = Array.from(states.living);
  const copy = gone.slice(0, freely);
  for (const shard of copy) living[shard] = 1;
  if (isRelief === undefined) return copy;
  for (const shard of [...gone.slice(freely), ...late]) {
    if (copy.length >= room || isRelief(living, copy.length)) break;
    copy.push(shard);
    living[shard] = 1;
  }
  return copy;
}

/**
 * Plain copies, of which any does as well as another: as many as are wanted, with those awaited. In so small a swarm the
 * step from safe to lost with every other half is a short one; so when the next to leave would bring it there, one is made
 * at once.
 */
function copiesRepair(
  { n }: Layout,
  states: ShardStates,
  { gone, late, free }: Missing,
  devices: number,
): Pick<RepairPlan, "copy" | "isUrgent"> {
  let [living, awaited] = [0, 0];
  for (let copy = 0; copy < n; copy++) {
    living += at(states.living, copy);
    awaited += at(states.awaited, copy);
  }
  const enough = Math.min(n, halfOf(devices - 1) + 2);
  const lacking = Math.max(enough - living, n - living - awaited, 0);
  return { copy: [...gone, ...late].slice(0, Math.min(lacking, free)), isUrgent: living < enough };
}

type Repairs = Pick<RepairPlan, "copy" | "rebuild">;

/** What a stripe lacks. */
interface Missing {
  /** Shards with a holder, but too few of them, also counting those awaited. */
  readonly copy: readonly number[];
  /** Shards without any; and those without any that is there, of which one is awaited. */
  readonly gone: readonly number[];
  readonly late: readonly number[];
  /** Devices that hold nothing of it; and with those that are too many for their shard. */
  readonly free: number;
  readonly room: number;
}

function missingOf({ n, copies }: Layout, states: ShardStates, devices: number): Missing {
  const [copy, gone, late]: [number[], number[], number[]] = [[], [], []];
  // Who holds all is never one too many.
  let [free, room] = [devices - at(states.living, n), devices - at(states.living, n)];
  for (let shard = 0; shard < n; shard++) {
    const living = at(states.living, shard);
    const awaited = at(states.awaited, shard);
    free -= living;
    room -= Math.min(living, copies);
    if (living === 0) (awaited === 0 ? gone : late).push(shard);
    else if (living + awaited < copies) copy.push(shard);
  }
  return { copy, gone, late, free, room };
}

function lazyRepair({ k }: Layout, { copy, gone }: Missing, room: number, isAtRest: boolean): Repairs {
  const isBatch = Math.min(gone.length, room - copy.length) >= Math.min(BATCH, Math.ceil(k / 2));
  return within(room, copy, isBatch || isAtRest ? gone : []);
}

/** The lazy repairs and as many more as bring relief: copies first, since each costs one shard. */
function urgentRepair(
  { copies }: Layout,
  { gone, late }: Missing,
  states: ShardStates,
  lazy: Repairs,
  room: number,
  isRelief: (living: readonly number[], added: number) => boolean,
): Repairs {
  const before = states.living;
  const living = Array.from(before);
  const copy = [...lazy.copy];
  for (const shard of [...lazy.copy, ...lazy.rebuild]) living[shard] = at(living, shard) + 1;
  const added = (): number => copy.length + lazy.rebuild.length;
  for (let shard = 0; shard < living.length; shard++) {
    if (at(before, shard) === 0 || at(living, shard) >= copies) continue;
    if (added() >= room || isRelief(living, added())) break;
    copy.push(shard);
    living[shard] = at(living, shard) + 1;
  }
  if (isRelief(living, added())) return { copy, rebuild: lazy.rebuild };
  // Once k shards are read, each costs one more: those that are lost, and as many of those awaited as it takes.
  const rebuild = [...lazy.rebuild];
  for (const shard of [...gone, ...late]) {
    if (at(living, shard) > 0) continue;
    if (copy.length + rebuild.length >= room) break;
    if (at(states.awaited, shard) > 0 && isRelief(living, copy.length + rebuild.length)) break;
    rebuild.push(shard);
    living[shard] = 1;
  }
  return { copy, rebuild };
}

/** As much as there are devices to take it. */
function within(room: number, copy: readonly number[], rebuild: readonly number[]): Repairs {
  const copied = copy.slice(0, room);
  return { copy: copied, rebuild: rebuild.slice(0, room - copied.length) };
}

/** What is left of a stripe whose shards have so many living holders; more than `holdersMax` count as that many. */
export function healthOf(
  { k, n }: Pick<Layout, "k" | "n">,
  living: ArrayLike<number>,
  holdersMax: number = Infinity,
): Health {
  const counts: number[] = [0, 0, 0];
  for (let shard = 0; shard < n; shard++) {
    const holders = Math.min(at(living, shard), holdersMax);
    while (counts.length <= holders) counts.push(0);
    counts[holders] = at(counts, holders) + 1;
  }
  return { k, living: counts, wholes: Math.min(at(living, n), holdersMax) };
}

function at(array: ArrayLike<number>, index: number): number {
  return array[index] ?? 0;
}

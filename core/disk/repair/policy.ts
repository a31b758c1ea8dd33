/**
 * Decides what to repair of a stripe now, and what to leave. These are pure decisions, which the repairer of a real
 * node and that of the simulator share.
 *
 * Repair costs bytes, and most devices that leave come back. So a device that has left is awaited for a time of grace.
 * If it comes back it counts again, even if its shard was copied meanwhile; that saves the next copy (Carbonite: Chun
 * et al., NSDI 2006). After the grace, what costs the bytes of a single shard is replaced: a shard whose twin is there,
 * or a shard of a stripe that somebody holds whole. A missing holder of the whole stripe is replaced then, too; this
 * takes k shards and makes the other repairs cheap again. If both twins of a shard are gone, the shard has to be
 * rebuilt from k others, which costs little more for several shards than for one. So it waits until more shards have to
 * be rebuilt, or until a holder comes back. Of plain copies there have to be enough, no matter which. Waiting ends when
 * the promise is at stake: a stripe that a random half of the devices would take along with a probability of more than
 * one in a million is repaired at once, the cheapest shards first, until the probability is far below.
 *
 * A device holds one shard of a stripe, or all. If all devices hold something, a surplus holder of one shard could take
 * another shard instead. But it is worth more as it is, since it saves a copy later. So that waits until the swarm is
 * at rest, or the stripe is in danger.
 *
 * test/sim/disk-model.ts measures the costs; the constants were chosen with it.
 */
import { healthAtRest, type Layout, layoutFor } from "../code/layout.ts";
import { halfOf, type Health, type LossChances, URGENT_CHANCE } from "../code/promise.ts";

/** This many lost pairs are rebuilt together, or k / 2 if that is less. With 4 the traffic was a tenth higher. */
const BATCH = 8;
/**
 * An urgent repair goes on until the chance of loss is this much below the urgent one, so that the next departure is
 * not urgent again.
 */
const RELIEF = 8;
/**
 * Above this chance of loss a surplus holder of a shard takes another shard. With the urgent chance in its place,
 * swarms of 64 used a fiftieth more bytes.
 */
const MOVE_CHANCE = 1e-5;
/** Further holders of one shard hardly help; states that differ only in these count as equal. */
const HOLDERS_COUNTED = 3;
/**
 * In large swarms the number of devices is rounded up to a multiple: the chances get a little greater, and there are
 * far fewer of them to compute.
 */
const DEVICES_STEP = 8;
const DEVICES_EXACT_MAX = 128;

/** The holders of a stripe's shards, by shard. Those that hold the whole stripe have the number n. */
export interface ShardStates {
  /** Holders that are there. */
  readonly living: ArrayLike<number>;
  /** Holders that left and are still expected back. */
  readonly awaited: ArrayLike<number>;
}

export interface RepairPlan {
  /**
   * Shards to copy from a living holder to one more device, the most needed first. Number n: the device gets the whole
   * stripe.
   */
  readonly copy: readonly number[];
  /** Shards without a living holder, which are rebuilt together from k others, each for one device. */
  readonly rebuild: readonly number[];
  readonly isUrgent: boolean;
  /**
   * The chance that a random half of the devices takes the stripe along as it is now. The greatest chance is repaired
   * first.
   */
  readonly chance: number;
}

/**
 * @param devices all devices that are there, holders or not; holders are distinct devices
 * @param isAtRest nobody has left for long, or somebody wants the whole stripe: nothing is postponed
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
  // The layout for the present size of the swarm; the stripe's own may be for another size.
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
 * Repairs while some device holds the whole stripe: replaces what is gone, on devices that take it `freely`. With
 * `isRelief`, until it holds, also what is awaited, and on devices that give up something for it. If no device holds
 * the whole stripe although one should, this repairs that.
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
 * Plain copies, all of which are equal: as many as wanted, counting the awaited ones. In such a small swarm only a few
 * departures separate a safe state from a loss. So if the next departure could cause the loss, one copy is made at
 * once.
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
  /** Shards with too few holders, also counting the awaited ones. */
  readonly copy: readonly number[];
  /** Shards without any holder; and shards without a holder that is there, with one awaited. */
  readonly gone: readonly number[];
  readonly late: readonly number[];
  /** Devices that hold nothing of the stripe; and these together with surplus holders. */
  readonly free: number;
  readonly room: number;
}

function missingOf({ n, copies }: Layout, states: ShardStates, devices: number): Missing {
  const [copy, gone, late]: [number[], number[], number[]] = [[], [], []];
  // A holder of the whole stripe is never surplus.
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

/** The lazy repairs, and as many further ones as bring relief: copies first, since each costs one shard. */
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
  // Once k shards are read, each further shard costs one more: the lost ones, and as many of the awaited ones as are
  // needed.
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

/** As many as there are devices to take them. */
function within(room: number, copy: readonly number[], rebuild: readonly number[]): Repairs {
  const copied = copy.slice(0, room);
  return { copy: copied, rebuild: rebuild.slice(0, room - copied.length) };
}

/**
 * The state of a stripe whose shards have these numbers of living holders; more than `holdersMax` count as
 * `holdersMax`.
 */
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

/**
 * Decides which devices hold what, by rendezvous hashing (base/rendezvous.ts) of partition and device. Nodes that see
 * the same devices compute the same order without asking each other. A device that comes or goes changes only its own
 * place. Contents fall into 1,024 partitions. So the orders can be kept in memory, and a node can say on one page what
 * it holds. Stripes of one partition that were placed at the same time have the same holders.
 *
 * Chosen holders stay. The order says who is next when one is lost, not who should hold a shard now. (If shards
 * followed the ranks, one departure would move a third of all shards.)
 *
 * The hash mixes well but is no secret: a member could make itself a device id that comes first for a partition of its
 * choice. Members are trusted with content; this only decides the balance.
 */
import { assert } from "../../base/assert.ts";
import { hashOf, type IdHash, ranked, scoreOf } from "../../base/rendezvous.ts";
import type { Layout } from "../code/layout.ts";

export const PARTITIONS = 1_024;

/** Classes of free space, so that the order does not change with every block that is written. */
const CLASSES: readonly { readonly freeBytesMin: number; readonly weight: number }[] = [
  { freeBytesMin: 64 * 2 ** 30, weight: 4 },
  { freeBytesMin: 8 * 2 ** 30, weight: 2 },
];

export interface Candidate {
  /** The device's id. */
  readonly id: string;
  /**
   * The number of tickets that it has in the draw, a small whole number: a device with twice as many comes first twice
   * as often. Weights usually use logarithms, which may differ between engines; tickets don't.
   */
  readonly weight?: number;
}

/** The weight of a device with this much free space. */
export function weightOf(freeBytes: number): number {
  return CLASSES.find((of) => freeBytes >= of.freeBytesMin)?.weight ?? 1;
}

/** The partition of a stripe: the first ten bits of its root, which is a hash. */
export function partitionOf(root: Uint8Array): number {
  const [high, low] = root;
  assert(high !== undefined && low !== undefined, "a root has at least two bytes");
  return (high << 2) | (low >>> 6);
}

/**
 * The order of the devices in each partition. Made anew when the devices change. An order is computed when it is first
 * asked for, and then kept (1,000 devices in all partitions: 8 MB, a third of a second).
 */
export class Placement {
  /** In the order of their ids, so that ties are settled the same way everywhere. */
  readonly #devices: readonly { readonly id: string; readonly weight: number; readonly hash: IdHash }[];
  readonly #orders = new Map<number, readonly string[]>();

  constructor(devices: Iterable<Candidate>) {
    this.#devices = [...devices]
      .map(({ id, weight = 1 }) => ({ id, weight, hash: hashOf(id) }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    assert(new Set(this.#devices.map(({ id }) => id)).size === this.#devices.length, "each device once");
  }

  get size(): number {
    return this.#devices.length;
  }

  /** All devices, first choice first. */
  order(partition: number): readonly string[] {
    let order = this.#orders.get(partition);
    if (order === undefined) {
      order = this.#draw(partition);
      this.#orders.set(partition, order);
    }
    return order;
  }

  #draw(partition: number): string[] {
    const count = this.#devices.length;
    // Score and index in one double, 32 and 20 bits, because sorting numbers is many times faster than comparing
    // objects.
    const drawn = new Float64Array(count);
    for (const [i, { hash, weight }] of this.#devices.entries()) {
      let best = 0;
      for (let ticket = 0; ticket < weight; ticket++) {
        best = Math.max(best, scoreOf(hash, partition + PARTITIONS * ticket));
      }
      drawn[i] = best * INDEX + (count - 1 - i);
    }
    drawn.sort();
    const order: string[] = [];
    for (let at = count - 1; at >= 0; at--) {
      const value = drawn[at] ?? 0;
      order.push(this.#devices[count - 1 - (value - Math.floor(value / INDEX) * INDEX)]?.id ?? "");
    }
    return order;
  }
}

/**
 * The same devices, one machine after the other in turn. So whatever uses the first of them uses as many machines as
 * possible. A machine has had one turn for each of its devices in `taken`. If each device is on a machine of its own,
 * nothing changes.
 */
export function overMachines(
  order: readonly string[],
  hostOf: (device: string) => string,
  taken: Iterable<string>,
): readonly string[] {
  const had = new Map<string, number>();
  const next = (device: string): number => {
    const host = hostOf(device);
    const turns = had.get(host) ?? 0;
    had.set(host, turns + 1);
    return turns;
  };
  const already = new Set(taken);
  for (const device of already) next(device);
  const turns = new Map(order.map((device) => [device, already.has(device) ? 0 : next(device)]));
  return order.toSorted((a, b) => (turns.get(a) ?? 0) - (turns.get(b) ?? 0));
}

/** The holders of each shard of a stripe. Number n, if the layout has it, are the holders of the whole stripe. */
export type Holders = readonly (readonly string[])[];

export interface Assignment {
  /** For each shard the holders that stay and those that are added. */
  readonly holders: Holders;
  /** What has to be placed, the most needed first: each shard once before any twin. */
  readonly added: readonly { readonly shard: number; readonly device: string }[];
}

/**
 * The holders of a stripe's shards from now on. All `current` holders stay (the caller leaves out those that it has
 * given up), even if there are more than needed. Missing holders are the first in `order` that hold nothing of the
 * stripe and have room. If there are too few devices, shards or twins stay without a holder.
 */
export function chooseHolders(
  layout: Layout,
  order: Iterable<string>,
  current: Holders,
  hasRoom: (device: string) => boolean,
): Assignment {
  const holders = Array.from({ length: layout.n + layout.wholes }, (_, shard) => [...(current[shard] ?? [])]);
  const taken = new Set(holders.flat());
  const added: { shard: number; device: string }[] = [];
  const vacancies = vacanciesOf(holders, layout.copies);
  for (const device of order) {
    if (added.length === vacancies.length) break;
    if (taken.has(device) || !hasRoom(device)) continue;
    const shard = vacancies[added.length] ?? 0;
    holders[shard]?.push(device);
    added.push({ shard, device });
  }
  return { holders, added };
}

/** The shards that need one more holder; those without any come first. */
function vacanciesOf(holders: Holders, copies: number): number[] {
  const vacancies: number[] = [];
  for (let wanted = 1; wanted <= copies; wanted++) {
    for (const [shard, those] of holders.entries()) if (those.length < wanted) vacancies.push(shard);
  }
  return vacancies;
}

/**
 * The nodes that repair a stripe, in turn: if the first makes no progress for some time, the next one takes over. They
 * are holders, because these have a shard of the stripe already. They are drawn independently of the order of
 * placement, whose first device would otherwise repair most.
 */
export function repairersOf<Id extends string>(root: Uint8Array, holders: Iterable<Id>): Id[] {
  let key = REPAIR_SALT;
  for (let i = 0; i < 4; i++) key = Math.imul(key, 0x01000193) ^ (root[i] ?? 0);
  return ranked(holders, key);
}

/** More devices than a swarm has. 32 bits of score and this index fit into the 53 bits of a double. */
const INDEX = 2 ** 20;
const REPAIR_SALT = 0x7e9a_1255;

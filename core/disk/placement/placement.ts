/**
 * Which devices hold what: rendezvous hashing (base/rendezvous.ts) of partition and device. Every node that sees the same devices works out the same order without asking, and a device that comes or goes
 * moves nothing but its own place. Content falls into 1,024 partitions, so that the orders can be kept and a node can say
 * in one page what it holds; stripes of one partition that were placed at the same time share their holders.
 *
 * Holders once chosen stay: the order says who is next when one is lost, not who should hold now. (If shard and rank went
 * together, one departure would move a third of all shards.)
 *
 * The hash mixes well and is no secret: a member could make itself a device id that is first for a partition of its
 * choice. Members are trusted with content; what this decides is balance.
 */
import { assert } from "../../base/assert.ts";
import { hashOf, type IdHash, ranked, scoreOf } from "../../base/rendezvous.ts";
import type { Layout } from "../code/layout.ts";

export const PARTITIONS = 1_024;

/** Free space of devices by classes, so that the order does not change with every block written. */
const CLASSES: readonly { readonly freeBytesMin: number; readonly weight: number }[] = [
  { freeBytesMin: 64 * 2 ** 30, weight: 4 },
  { freeBytesMin: 8 * 2 ** 30, weight: 2 },
];

export interface Candidate {
  /** The device's id. */
  readonly id: string;
  /**
   * How many tickets it has in the draw, a small whole number: a device with twice as many comes first twice as often.
   * Whole tickets, because logarithms, with which weights are usually given, may differ between engines.
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
 * The devices of a swarm in each partition's order. Made anew when they change; an order is worked out when first asked
 * for and then kept (1,000 devices in all partitions: 8 MB, a third of a second).
 */
export class Placement {
  /** In the order of their ids, which settles ties alike everywhere. */
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
    // Score and index in one double, 32 and 20 bits, because sorting numbers is many times faster than by comparing.
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
 * The same devices in turn from each machine, so that what is spread over the first of them is spread over as many machines
 * as there are. A machine has had its turn for each of its devices in `taken`. Where each device is on a machine by itself
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

/** Who holds each shard of a stripe, and as number n, where the layout wants one, who holds all. */
export type Holders = readonly (readonly string[])[];

export interface Assignment {
  /** Per shard, those who stay and those who are added. */
  readonly holders: Holders;
  /** What has to be placed, most needed first: each shard once before any has its twin. */
  readonly added: readonly { readonly shard: number; readonly device: string }[];
}

/**
 * Who holds a stripe's shards from now on: `current` holders all stay (the caller leaves out those it has given up),
 * even if there are more than needed, and what is missing goes to the first in `order` that hold nothing of the stripe
 * and have room. Where devices do not suffice, shards or twins stay without holder.
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

/** Which shards want one more holder, those without any first. */
function vacanciesOf(holders: Holders, copies: number): number[] {
  const vacancies: number[] = [];
  for (let wanted = 1; wanted <= copies; wanted++) {
    for (const [shard, those] of holders.entries()) if (those.length < wanted) vacancies.push(shard);
  }
  return vacancies;
}

/**
 * Who repairs a stripe, in turn: the first does, and when it has made no progress for a while, the next. Holders, since
 * they have a shard of the stripe already; drawn apart from the order of placement, whose first would else repair most.
 */
export function repairersOf<Id extends string>(root: Uint8Array, holders: Iterable<Id>): Id[] {
  let key = REPAIR_SALT;
  for (let i = 0; i < 4; i++) key = Math.imul(key, 0x01000193) ^ (root[i] ?? 0);
  return ranked(holders, key);
}

/** More devices than a swarm has; 32 bits of score and these fit a double's 53. */
const INDEX = 2 ** 20;
const REPAIR_SALT = 0x7e9a_1255;

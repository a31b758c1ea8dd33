/**
 * The device to which each shard belongs. A partition has a list of devices in the map. Shard i of its stripes belongs
 * to the i-th device, its twin to the device n further on; the devices that hold stripes whole come after these. Lists
 * grow with the swarm and keep the order in which devices were chosen, so that stripes of older codes keep their
 * holders. A node that needs a longer list, or another device in the place of a missing one, writes it. All nodes
 * choose alike; if two have not, what nodes really hold counts.
 */
import { type Bytes, utf8 } from "../../base/bytes.ts";
import type { Crypto } from "../../ports/crypto.ts";
import type { Catalogue } from "./catalogue.ts";
import type { Devices } from "./devices.ts";
import { holdersWanted, type Layout } from "../code/layout.ts";
import { partitionOf } from "./placement.ts";

export class Slots {
  readonly #catalogue: Catalogue;
  readonly #devices: Devices;
  readonly #crypto: Crypto;

  constructor(catalogue: Catalogue, devices: Devices, crypto: Crypto) {
    this.#catalogue = catalogue;
    this.#devices = devices;
    this.#crypto = crypto;
  }

  /** A hash that stands for a stripe's root in placement: it can be computed before the stripe exists. */
  nameHash(id: string, stripe: number): Bytes {
    return this.#crypto.sha256(utf8(`${id}-${stripe}`));
  }

  partition(id: string, stripe: number): number {
    return partitionOf(this.nameHash(id, stripe));
  }

  /** The devices by slot, missing or not. */
  of(partition: number): readonly string[] {
    return this.#catalogue.slots(partition);
  }

  /** The slots of a shard; for number n, the slot of the device that holds the whole stripe. */
  static ofShard(shard: number, { n, copies }: Layout): number[] {
    return copies === 1 ? [shard] : [shard, n + shard];
  }

  /** The slots of all devices that hold a shard or can give it, including the one that holds the whole stripe. */
  static sourcesOf(shard: number, code: Layout): number[] {
    return code.wholes === 0 || shard >= code.n ? Slots.ofShard(shard, code) : [...Slots.ofShard(shard, code), code.n];
  }

  /** The slots of all devices that hold a shard. */
  static holdersOf(shard: number, code: Layout): number[] {
    return shard < code.k ? Slots.sourcesOf(shard, code) : Slots.ofShard(shard, code);
  }

  /** Which shard belongs in a slot; number n is the whole stripe. */
  static shardOf(slot: number, { n, copies }: Layout): number {
    return copies === 1 ? slot : slot % n;
  }

  /** The devices for a code, as many as there are. Chooses missing ones. */
  ensure(partition: number, code: Layout): readonly string[] {
    const slots = this.of(partition);
    const wanted = holdersWanted(code);
    if (slots.length >= wanted) return slots;
    const added = this.#candidates(partition, slots).slice(0, wanted - slots.length);
    if (added.length === 0) return slots;
    const grown =
      code.wholes === 0 ? [...slots, ...added] : this.#withWholeApart([...slots, ...added], slots.length, code.n);
    this.#catalogue.chooseSlots(partition, grown);
    return grown;
  }

  /** Puts another device into the slot of a missing one; undefined if none has room. */
  replace(partition: number, slot: number, mayHold: (device: string) => boolean): string | undefined {
    const slots = this.of(partition);
    const kept = slots.filter((_, other) => other !== slot);
    const device = this.#candidates(partition, kept).find((each) => each !== slots[slot] && mayHold(each));
    if (device === undefined || slot >= slots.length) return undefined;
    this.#catalogue.chooseSlots(partition, slots.with(slot, device));
    return device;
  }

  /** Gives a slot to another device. If that device had a later slot, the two devices change places. */
  give(partition: number, slot: number, device: string): void {
    const slots = this.of(partition);
    const before = slots[slot];
    if (before === undefined || before === device) return;
    const other = slots.indexOf(device);
    const given = slots.with(slot, device);
    this.#catalogue.chooseSlots(partition, other === -1 ? given : given.with(other, before));
  }

  /**
   * For machines with several devices: the device that holds stripes whole is put on the machine with the fewest of the
   * others, so that the loss of the machine with the most is survived. Slots before `from` stay.
   */
  #withWholeApart(slots: readonly string[], from: number, whole: number): readonly string[] {
    if (from > whole || slots.length <= whole || this.#devices.machines === this.#devices.count) return slots;
    const hosts = slots.map((device) => this.#devices.hostOf(device));
    const crowd = (slot: number): number => hosts.filter((host) => host === hosts[slot]).length;
    let best = whole;
    for (let slot = whole; slot >= from; slot--) if (crowd(slot) < crowd(best)) best = slot;
    return slots.with(whole, slots[best] ?? "").with(best, slots[whole] ?? "");
  }

  #candidates(partition: number, slots: readonly string[]): string[] {
    const taken = new Set(slots);
    return this.#devices
      .order(partition, taken)
      .filter((device) => !taken.has(device) && this.#devices.hasRoom(device));
  }
}

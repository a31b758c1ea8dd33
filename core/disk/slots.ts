/**
 * Which device each shard belongs to. A partition has a list of devices, in the map, and shard i of its stripes belongs to
 * the i-th, its twin to the one n further on. Lists grow as the swarm does, and keep the order in which devices were
 * chosen, so that stripes of older codes keep their holders. Whoever needs a longer list, or another device in the place
 * of one that is gone, writes it; all choose alike, and where two did not, what counts is what nodes really hold.
 */
import { type Bytes, utf8 } from "../base/bytes.ts";
import type { Crypto } from "../ports/crypto.ts";
import type { Catalogue } from "./catalogue.ts";
import type { Devices } from "./devices.ts";
import type { Layout } from "./layout.ts";
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

  /** What takes the place of a stripe's root: it is there before the stripe is. */
  nameHash(id: string, stripe: number): Bytes {
    return this.#crypto.sha256(utf8(`${id}-${stripe}`));
  }

  partition(id: string, stripe: number): number {
    return partitionOf(this.nameHash(id, stripe));
  }

  /** Devices by slot, as they stand, gone or not. */
  of(partition: number): readonly string[] {
    return this.#catalogue.slots(partition);
  }

  /** The slots of a shard. */
  static ofShard(shard: number, { n, copies }: Layout): number[] {
    return copies === 1 ? [shard] : [shard, n + shard];
  }

  /** The devices for a code, as many as there are; chooses those that are missing. */
  ensure(partition: number, { n, copies }: Layout): readonly string[] {
    const slots = this.of(partition);
    if (slots.length >= n * copies) return slots;
    const added = this.#candidates(partition, slots).slice(0, n * copies - slots.length);
    if (added.length === 0) return slots;
    const grown = [...slots, ...added];
    this.#catalogue.writeSlots(partition, grown);
    return grown;
  }

  /** Puts another device in the slot of one that is gone; undefined if there is none with room. */
  replace(partition: number, slot: number, mayHold: (device: string) => boolean): string | undefined {
    const slots = this.of(partition);
    const device = this.#candidates(partition, slots).find(mayHold);
    if (device === undefined || slot >= slots.length) return undefined;
    this.#catalogue.writeSlots(partition, slots.with(slot, device));
    return device;
  }

  #candidates(partition: number, slots: readonly string[]): string[] {
    const taken = new Set(slots);
    return this.#devices.order(partition).filter((device) => !taken.has(device) && this.#devices.hasRoom(device));
  }
}

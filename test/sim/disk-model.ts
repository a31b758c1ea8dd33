/**
 * Stripes over devices that come and go, without a network. Repair is what a policy plans at each step, so that days of
 * a swarm take seconds, and policies can be compared under the same comings and goings. The code of real nodes decides
 * which devices are awaited and what is planned (disk/placement/absences.ts, disk/repair/policy.ts). Payloads are
 * counted, not moved. Deaths are known at the next step. A repair takes a step, and fails if its source or its target
 * has left by then.
 */
import { Absences } from "../../core/disk/placement/absences.ts";
import type { Layout } from "../../core/disk/code/layout.ts";
import { halfOf, type Health, LossChances } from "../../core/disk/code/promise.ts";
import { healthOf, type RepairPlan, type ShardStates } from "../../core/disk/repair/policy.ts";
import { pick, sample } from "../../core/ports/random.ts";
import type { ChurnEvent } from "./disk-churn.ts";
import { SeededRandom } from "./random.ts";

/**
 * A third of the devices hold nothing of a stripe, so that all draws fail once in 3,000 times; then the first free
 * device is taken.
 */
const DRAWS_MAX = 20;

export interface Scheme {
  readonly layout: Pick<Layout, "k" | "n" | "wholes"> & { readonly copies: number };
  /** Whether its plan depends only on a stripe's own holders, and not on other devices that are there. */
  readonly isLocal?: boolean;
  /** Whether it knows which devices have left for good; it awaits all others for ever. */
  readonly isOracle?: boolean;
  plan(states: ShardStates, devices: number, isAtRest: boolean): Pick<RepairPlan, "copy" | "rebuild" | "isUrgent">;
}

interface Device {
  readonly id: number;
  isThere: boolean;
  isAwaited: boolean;
  /** The shards that it holds, as stripe * n + shard. */
  readonly places: Set<number>;
}

interface Repair {
  readonly stripe: number;
  readonly shard: number;
  readonly isRebuild: boolean;
  readonly to: Device;
}

/** All but the counts are in multiples of the content's size. */
export interface RepairTally {
  copied: number;
  rebuilt: number;
  rebuilds: number;
  urgent: number;
  /** The most that was moved in one step. */
  peak: number;
  /** Stripes that could not be read at some moment. */
  readonly unreadable: Set<number>;
}

export class DiskModel {
  readonly tally: RepairTally = { copied: 0, rebuilt: 0, rebuilds: 0, urgent: 0, peak: 0, unreadable: new Set() };
  readonly #scheme: Scheme;
  readonly #stripes: number;
  /** What devices may hold of a stripe: its shards and, as number n, all of it. */
  readonly #width: number;
  readonly #random: SeededRandom;
  readonly #devices = new Map<number, Device>();
  #there: Device[] = [];
  readonly #living: Uint8Array;
  readonly #awaited: Uint8Array;
  /** Per stripe, its shards within reach. */
  readonly #shards: Uint16Array;
  /** Per stripe, the ids of all devices that hold something of it, there or away. */
  readonly #holders: Set<number>[];
  readonly #dirty = new Set<number>();
  readonly #absences = new Absences<Device>(0);
  /** The devices that are away and awaited. */
  readonly #away = new Set<Device>();
  readonly #chances = new LossChances();
  #running: Repair[] = [];
  #wasAtRest = true;

  constructor(scheme: Scheme, stripes: number, seed: number) {
    this.#scheme = scheme;
    this.#stripes = stripes;
    this.#random = new SeededRandom(`disk model/${seed}`);
    this.#width = scheme.layout.n + scheme.layout.wholes;
    this.#living = new Uint8Array(stripes * this.#width);
    this.#awaited = new Uint8Array(stripes * this.#width);
    this.#shards = new Uint16Array(stripes);
    this.#holders = Array.from({ length: stripes }, () => new Set());
  }

  get devices(): number {
    return this.#there.length;
  }

  /** Places all stripes on the devices that are there. */
  write(): void {
    const { n, copies, wholes } = this.#scheme.layout;
    for (let stripe = 0; stripe < this.#stripes; stripe++) {
      for (const [i, device] of sample(this.#random, this.#there, n * copies + wholes).entries()) {
        this.#give(device, stripe, i < n * copies ? i % n : n);
      }
    }
  }

  step(nowMs: number, events: readonly ChurnEvent[]): void {
    for (const event of events) this.#happen(event);
    this.#endGraces(nowMs);
    this.#finish();
    const isAtRest = this.#absences.isAtRest(nowMs);
    // Any device that comes or goes changes, for all stripes, what is possible and what is enough.
    const isNew = events.length > 0 || (isAtRest && !this.#wasAtRest);
    if (isNew && this.#scheme.isLocal !== true)
      for (let stripe = 0; stripe < this.#stripes; stripe++) this.#dirty.add(stripe);
    this.#wasAtRest = isAtRest;
    this.#plan(isAtRest);
  }

  /** The chance of each stripe to be lost with a random half now. */
  chances(): number[] {
    return Array.from({ length: this.#stripes }, (_, stripe) => {
      return this.#chances.ofHalf(this.health(stripe), this.#there.length);
    });
  }

  isReadable(): boolean {
    return this.#shards.every((shards) => shards >= this.#scheme.layout.k);
  }

  health(stripe: number): Health {
    const { k, n } = this.#scheme.layout;
    return healthOf({ k, n }, this.#statesOf(stripe).living);
  }

  /** How many stripes a random half would take now. */
  lostToHalf(): number {
    const { k } = this.#scheme.layout;
    const width = this.#width;
    const living = Uint8Array.from(this.#living);
    for (const { places } of sample(this.#random, this.#there, halfOf(this.#there.length))) {
      for (const place of places) living[place] = (living[place] ?? 0) - 1;
    }
    let lost = 0;
    for (let stripe = 0; stripe < this.#stripes; stripe++) {
      const left = living.subarray(stripe * width, (stripe + 1) * width);
      if (left.reduce((shards, count, i) => (count > 0 ? shards + this.#worth(i) : shards), 0) < k) lost++;
    }
    return lost;
  }

  /** Stored bytes per byte of content, on devices that are there. */
  stored(): number {
    const shards = this.#living.reduce((sum, count, place) => sum + count * this.#worth(place % this.#width), 0);
    return shards / this.#scheme.layout.k / this.#stripes;
  }

  #happen({ atMs, device: id, what }: ChurnEvent): void {
    if (what === "came" || what === "returned") this.#come(id, atMs);
    else this.#leave(id, what === "gone", atMs);
  }

  #come(id: number, atMs: number): void {
    const device = this.#devices.get(id) ?? { id, isThere: true, isAwaited: false, places: new Set() };
    this.#devices.set(id, device);
    this.#there.push(device);
    this.#absences.observe(atMs, [device], [], this.#there.length);
    device.isThere = true;
    for (const place of device.places) {
      this.#live(place, 1);
      if (device.isAwaited) this.#add(this.#awaited, place, -1);
    }
    device.isAwaited = false;
    this.#away.delete(device);
  }

  #leave(id: number, isForGood: boolean, atMs: number): void {
    const device = this.#devices.get(id);
    if (device?.isThere !== true) return;
    const { k } = this.#scheme.layout;
    this.#there = this.#there.filter((other) => other !== device);
    this.#absences.observe(atMs, [], [device], this.#there.length);
    device.isThere = false;
    device.isAwaited = !(this.#scheme.isOracle === true && isForGood);
    if (device.isAwaited) this.#away.add(device);
    for (const place of device.places) {
      this.#live(place, -1);
      if (device.isAwaited) this.#add(this.#awaited, place, 1);
      const stripe = Math.floor(place / this.#width);
      if ((this.#shards[stripe] ?? 0) < k) this.tally.unreadable.add(stripe);
      if (isForGood) this.#holders[stripe]?.delete(id);
    }
    if (isForGood) this.#devices.delete(id);
  }

  #endGraces(nowMs: number): void {
    if (this.#scheme.isOracle === true) return;
    for (const device of this.#away) {
      if (this.#absences.isAwaited(device, nowMs)) continue;
      this.#away.delete(device);
      device.isAwaited = false;
      for (const place of device.places) this.#add(this.#awaited, place, -1);
    }
  }

  #finish(): void {
    const { k, wholes } = this.#scheme.layout;
    for (const { stripe, shard, isRebuild, to } of this.#running) {
      this.#dirty.add(stripe);
      const isSourced =
        isRebuild || wholes > 0 || k === 1
          ? (this.#shards[stripe] ?? 0) >= k
          : (this.#living[stripe * this.#width + shard] ?? 0) > 0;
      if (to.isThere && isSourced) this.#give(to, stripe, shard);
      else this.#holders[stripe]?.delete(to.id);
    }
    this.#running = [];
  }

  #plan(isAtRest: boolean): void {
    const { k } = this.#scheme.layout;
    let bytes = 0;
    for (const stripe of this.#dirty) {
      const states = this.#statesOf(stripe);
      if ((this.#shards[stripe] ?? 0) < k) continue;
      const { copy, rebuild, isUrgent } = this.#scheme.plan(states, this.#there.length, isAtRest);
      const copies = this.#begin(stripe, copy, false);
      const rebuilds = this.#begin(stripe, rebuild, true);
      // The repairer is a holder, and reads one shard less.
      const rebuilt = rebuilds > 0 ? (k - 1 + rebuilds) / k : 0;
      const copied = copy.slice(0, copies).reduce((sum, shard) => sum + this.#worth(shard), 0) / k;
      this.tally.copied += copied / this.#stripes;
      this.tally.rebuilt += rebuilt / this.#stripes;
      this.tally.rebuilds += rebuilds;
      if (isUrgent) this.tally.urgent++;
      bytes += copied + rebuilt;
    }
    this.#dirty.clear();
    this.tally.peak = Math.max(this.tally.peak, bytes / this.#stripes);
  }

  #begin(stripe: number, shards: readonly number[], isRebuild: boolean): number {
    let begun = 0;
    for (const shard of shards) {
      const to = this.#candidate(stripe);
      if (to === undefined) break;
      this.#holders[stripe]?.add(to.id);
      this.#running.push({ stripe, shard, isRebuild, to });
      begun++;
    }
    return begun;
  }

  /** A random device that is there and holds nothing of the stripe, as rendezvous hashing would give. */
  #candidate(stripe: number): Device | undefined {
    const holders = this.#holders[stripe] ?? new Set();
    for (let draw = 0; draw < DRAWS_MAX; draw++) {
      const device = pick(this.#random, this.#there);
      if (device !== undefined && !holders.has(device.id)) return device;
    }
    return this.#there.find(({ id }) => !holders.has(id)) ?? this.#superfluous(stripe);
  }

  /**
   * For a stripe of which all devices hold something: a device that gives up its shard for another, as in repair.ts,
   * since others hold the shard too.
   */
  #superfluous(stripe: number): Device | undefined {
    const { n, copies } = this.#scheme.layout;
    for (const device of this.#there) {
      for (let place = stripe * this.#width; place < stripe * this.#width + n; place++) {
        if (!device.places.has(place) || (this.#living[place] ?? 0) <= copies) continue;
        device.places.delete(place);
        this.#live(place, -1);
        return device;
      }
    }
    return undefined;
  }

  #give(device: Device, stripe: number, shard: number): void {
    const place = stripe * this.#width + shard;
    device.places.add(place);
    this.#holders[stripe]?.add(device.id);
    this.#live(place, 1);
  }

  #live(place: number, change: 1 | -1): void {
    const stripe = Math.floor(place / this.#width);
    this.#add(this.#living, place, change);
    if (this.#living[place] !== (change === 1 ? 1 : 0)) return;
    this.#shards[stripe] = (this.#shards[stripe] ?? 0) + change * this.#worth(place % this.#width);
  }

  /** How many shards it gives. */
  #worth(shard: number): number {
    const { k, n } = this.#scheme.layout;
    return shard < n ? 1 : k;
  }

  #add(counts: Uint8Array, place: number, change: number): void {
    counts[place] = (counts[place] ?? 0) + change;
    this.#dirty.add(Math.floor(place / this.#width));
  }

  #statesOf(stripe: number): ShardStates {
    const [from, to] = [stripe * this.#width, (stripe + 1) * this.#width];
    return { living: this.#living.subarray(from, to), awaited: this.#awaited.subarray(from, to) };
  }
}

/**
 * Looks after what is stored: compares what nodes really hold with what the promise requires, and repairs the
 * difference.
 *
 * Every node looks after a part of all stripes, by rendezvous hashing. For each part a few other nodes stand by, and
 * take over if nothing gets better. A unit is checked when devices have come or gone, when the grace of a missing one
 * is over, when a read has found damage, and every ten minutes. policy.ts decides what to do then. Each round asks for
 * everything again, so an interrupted repair needs no undoing.
 */
import { type Clock, every, sleep, type Timer } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { PeerId } from "../../ports/network.ts";
import type { Catalogue } from "../placement/catalogue.ts";
import { type CensusParts, type Found, holdersByShard, inSlices, takeCensus, type Unit } from "./census.ts";
import { holdersWanted, type Layout } from "../code/layout.ts";
import {
  FOUND_BELIEVED_MS,
  LOOK_DELAY_MS,
  LOOK_MS,
  REPAIR_BYTES_PER_MS,
  REPAIR_TIME_PART,
  SILENT_BELIEVED_MS,
} from "../limits.ts";
import { bytesOf, type Mending, Mender, type MendParts, type Target } from "./mend.ts";
import { LossChances, survivesAny } from "../code/promise.ts";
import { healthOf, planRepair, type RepairPlan } from "./policy.ts";
import { type DueUnit, RepairSchedule } from "./schedule.ts";
import { Slots } from "../placement/slots.ts";
import { type Move, moveToSpread } from "./spread.ts";
import type { PutResult } from "../shards/wire.ts";

export interface RepairParts extends MendParts, CensusParts {
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly log: Log;
}

interface Job {
  readonly unit: DueUnit;
  readonly stripe: number;
  readonly plan: RepairPlan;
  readonly found: Found;
  /** Devices that hold something of the stripe, and those of them whose shard others hold too. */
  readonly taken: Set<string>;
  readonly superfluous: string[];
  /** A move, if nothing is missing but one of its shards would be better on another machine. */
  readonly move?: Move | undefined;
}

export class Repair {
  readonly #parts: RepairParts;
  readonly #schedule: RepairSchedule;
  readonly #chances = new LossChances();
  readonly #mender: Mender;
  /** Stripes that are being repaired, and the bytes that are moved for them. */
  readonly #underWay = new Set<string>();
  #underWayBytes = 0;
  /** Devices with a node that has not answered lately, and since when, monotonic ms. */
  readonly #silentSince = new Map<string, number>();
  #isLooking = false;
  /** When the next repair that is not urgent may begin, monotonic ms. */
  #paceMs = 0;
  /** The rate of the last repair, together with those that ran beside it. */
  #msPerByte = 1 / REPAIR_BYTES_PER_MS;
  #repaired = 0;
  #soon: Timer | undefined;
  #graceEnd: Timer | undefined;
  #settled: Timer | undefined;
  readonly #stops: (() => void)[] = [];

  constructor(parts: RepairParts) {
    this.#parts = parts;
    const { catalogue, clock, devices } = parts;
    this.#schedule = new RepairSchedule(parts);
    this.#mender = new Mender(parts);
    const looking = every(clock, LOOK_MS, () => this.#lookSoon(0));
    this.#stops.push(
      () => looking.cancel(),
      catalogue.onChange((what) => {
        if (what === "content") this.#schedule.stir();
      }),
      devices.onChange(() => {
        this.#lookAgain();
        this.#awaitGrace();
        this.#awaitSettled();
      }),
    );
    this.#awaitGrace();
    this.#awaitSettled();
  }

  /** Shards that this node has copied or rebuilt. */
  get repaired(): number {
    return this.#repaired;
  }

  close(): void {
    for (const stop of this.#stops) stop();
    this.#soon?.cancel();
    this.#graceEnd?.cancel();
    this.#settled?.cancel();
  }

  /** This node checks the layout now. */
  nudge(id: string): void {
    this.#schedule.nudge(id);
    this.#lookSoon(LOOK_DELAY_MS);
  }

  /** Checks units again that were in order. */
  #lookAgain(): void {
    this.#schedule.begin();
    this.#soon?.cancel();
    this.#soon = undefined;
    this.#lookSoon(LOOK_DELAY_MS);
  }

  #awaitGrace(): void {
    const { devices, clock } = this.#parts;
    const inMs = devices.nextGraceEndMs();
    this.#graceEnd?.cancel();
    this.#graceEnd =
      inMs === undefined
        ? undefined
        : clock.timer(inMs + 1, () => {
            this.#lookAgain();
            this.#awaitGrace();
          });
  }

  /** Shards may move to a machine once its device has been there for some time. */
  #awaitSettled(): void {
    const { devices, clock } = this.#parts;
    const inMs = devices.nextSettledMs();
    this.#settled?.cancel();
    this.#settled =
      inMs === undefined
        ? undefined
        : clock.timer(inMs + 1, () => {
            this.#lookAgain();
            this.#awaitSettled();
          });
  }

  #lookSoon(delayMs: number): void {
    if (this.#soon !== undefined || this.#parts.signal.aborted) return;
    this.#soon = this.#parts.clock.timer(delayMs, () => {
      this.#soon = undefined;
      void this.#look();
    });
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const { units, isMore } = this.#schedule.due();
      const isProgress = units.length === 0 || (await this.#verify(units));
      // Repairs under way would only be asked for again.
      if (isMore && isProgress) this.#lookSoon(0);
    } catch (error) {
      if (!this.#parts.signal.aborted) this.#parts.log.write("warn", "disk.repair", { error: String(error) });
    } finally {
      this.#isLooking = false;
    }
  }

  /** Returns whether some units were found in order. */
  async #verify(units: readonly DueUnit[]): Promise<boolean> {
    const { signal, clock } = this.#parts;
    const { round } = this.#schedule;
    // The answers do not show what ends while they are collected.
    const before = new Set(this.#underWay);
    const { found, silent: unheard } = await takeCensus(this.#parts, units, { signal });
    const silent = this.#believed(unheard);
    const jobs: Job[] = [];
    /** Units to check again in the next round: somebody else may have repaired the same, or a device refused. */
    const open = new Set<Unit>();
    for await (const [i, unit] of inSlices(this.#parts, units, { signal })) {
      jobs.push(...this.#jobs(unit, found[i] ?? [], silent));
    }
    // A stand-by begins with its own stripes, and finds the rest done by then.
    jobs.sort((a, b) => b.plan.chance - a.plan.chance || a.unit.rank - b.unit.rank);
    const beganAtMs = clock.monotonic();
    for (const job of jobs) {
      if (signal.aborted) return false;
      const isOld = clock.monotonic() - beganAtMs > FOUND_BELIEVED_MS;
      if (isOld || before.has(keyOf(job)) || this.#underWay.has(keyOf(job))) {
        open.add(job.unit);
        continue;
      }
      const targets = this.#targets(job);
      if (targets.length === 0) continue;
      open.add(job.unit);
      await this.#begin({ ...job, targets, isRebuilding: job.plan.rebuild.length > 0 }, job.plan.isUrgent);
    }
    for (const unit of units) if (!open.has(unit)) this.#schedule.inOrder(unit, round);
    return open.size < units.length;
  }

  /** Resolves when the repair has begun. */
  async #begin(mending: Mending, isUrgent: boolean): Promise<void> {
    const { clock, log } = this.#parts;
    const bytes = bytesOf(mending);
    const mend = await this.#mender.begin(mending);
    if (!isUrgent) await this.#pace(bytes);
    this.#underWay.add(keyOf(mending));
    this.#underWayBytes += bytes;
    const [startMs, sharedBytes] = [clock.monotonic(), this.#underWayBytes];
    void mend()
      .then((results) => {
        this.#mended(mending, results);
        // A repair that moves nothing tells nothing about the rate.
        const isMoved = bytes > 0 && results.every((result) => result === "ok");
        const sample = (clock.monotonic() - startMs) / sharedBytes;
        if (isMoved) this.#msPerByte = Math.max(sample, this.#msPerByte / 2);
      })
      .catch((error: unknown) => log.write("error", "disk.repair", { error: String(error) }))
      .finally(() => {
        this.#underWay.delete(keyOf(mending));
        this.#underWayBytes -= bytes;
      });
  }

  #mended({ targets }: Mending, results: readonly PutResult[]): void {
    const { devices } = this.#parts;
    for (const [i, { node }] of targets.entries()) {
      const result = results[i];
      if (result === "ok") this.#repaired++;
      const device = result === "full" || result === "io" ? devices.deviceOf(node) : undefined;
      // Whatever is wrong with its disk, others are asked for some time.
      if (device !== undefined) devices.sawFull(device);
    }
  }

  /** Silent devices that have not been silent for long: they may be busy. */
  #believed(silent: ReadonlySet<string>): ReadonlySet<string> {
    const nowMs = this.#parts.clock.monotonic();
    for (const device of this.#silentSince.keys()) if (!silent.has(device)) this.#silentSince.delete(device);
    for (const device of silent) if (!this.#silentSince.has(device)) this.#silentSince.set(device, nowMs);
    const isBelieved = (device: string): boolean => nowMs - (this.#silentSince.get(device) ?? 0) < SILENT_BELIEVED_MS;
    return new Set([...silent].filter(isBelieved));
  }

  /** Keeps repairs that are not urgent within a rate or, on fast links, within a part of the time. */
  async #pace(bytes: number): Promise<void> {
    const { clock, signal } = this.#parts;
    const delayMs = this.#paceMs - clock.monotonic();
    const msPerByte = Math.min(1 / REPAIR_BYTES_PER_MS, this.#msPerByte / REPAIR_TIME_PART);
    this.#paceMs = Math.max(this.#paceMs, clock.monotonic()) + bytes * msPerByte;
    if (delayMs > 0) await sleep(clock, delayMs, { signal });
  }

  #jobs(unit: DueUnit, found: readonly Found[], silent: ReadonlySet<string>): Job[] {
    const { devices, slots } = this.#parts;
    const { code, id } = unit.stored;
    const isAtRest = devices.isAtRest || this.#schedule.isNudged(id);
    return found.flatMap((shards, i) => {
      const stripe = unit.from + i;
      const partition = slots.partition(id, stripe);
      const bySlot = slots.of(partition).slice(0, holdersWanted(code));
      const holders = holdersByShard(this.#parts, code, partition, shards);
      const awaited = holders.map(() => 0);
      for (const [slot, device] of bySlot.entries()) {
        const shard = Slots.shardOf(slot, code);
        // A device that answers slowly is assumed to hold what it should.
        if (silent.has(device) && !holders.flat().includes(device)) holders[shard]?.push(device);
        else if (devices.isAwaited(device)) awaited[shard] = (awaited[shard] ?? 0) + 1;
      }
      // A holder that has left since it was asked is added to the count again.
      const there = Math.max(devices.count, holders.flat().length);
      const living = holders.map(({ length }) => length);
      if (survivesAny(healthOf(code, living)) < 0) return [];
      const plan = planRepair(code, { living, awaited }, there, this.#chances, isAtRest);
      if (plan.copy.length + plan.rebuild.length === 0) {
        const move = this.#spread(code, partition, bySlot, holders);
        if (move === undefined) return [];
        const moving = { ...plan, copy: [move.shard], isUrgent: false };
        return [{ unit, stripe, plan: moving, found: shards, taken: new Set(), superfluous: [], move }];
      }
      // The device to which the shard belongs comes first, and stays; plain copies are all equal.
      const superfluous = code.k === 1 ? [] : holders.slice(0, code.n).flatMap((those) => those.slice(code.copies));
      return [{ unit, stripe, plan, found: shards, taken: new Set(holders.flat()), superfluous }];
    });
  }

  /** A move after which the stripe would survive the loss of one more machine. */
  #spread(
    code: Layout,
    partition: number,
    bySlot: readonly string[],
    holders: readonly (readonly string[])[],
  ): Move | undefined {
    const { devices } = this.#parts;
    if (devices.machines < 2 || devices.machines === devices.count) return undefined;
    const able = devices
      .order(partition, new Set(holders.flat()))
      .filter((device) => devices.hasRoom(device) && devices.isSettled(device));
    return moveToSpread({ code, bySlot, holders, devices: able, hostOf: (device) => devices.hostOf(device) });
  }

  /** The shards that can be repaired now. */
  #targets(job: Job): Target[] {
    if (job.move !== undefined) return this.#moved(job, job.move);
    return [...job.plan.rebuild, ...job.plan.copy].flatMap((shard) => {
      const node = this.#target(job, shard);
      return node === undefined ? [] : [{ shard, node }];
    });
  }

  #moved({ unit, stripe }: Job, { shard, slot, device }: Move): Target[] {
    const { devices, slots } = this.#parts;
    const partition = slots.partition(unit.stored.id, stripe);
    const [node] = devices.nodesOf(device, partition);
    if (node === undefined) return [];
    slots.give(partition, slot, device);
    return [{ shard, node }];
  }

  /**
   * The device to which a shard goes: the one it belongs to, one that replaces a missing device, or one whose own shard
   * others hold too.
   */
  #target({ unit, stripe, taken, superfluous }: Job, shard: number): PeerId | undefined {
    const { devices, slots } = this.#parts;
    const { code, id } = unit.stored;
    const partition = slots.partition(id, stripe);
    const bySlot = slots.ensure(partition, code);
    const isFree = (device: string): boolean =>
      !taken.has(device) && devices.isAwake(device) && devices.hasRoom(device);
    let device: string | undefined;
    for (const slot of Slots.ofShard(shard, code)) {
      const belongs = bySlot[slot];
      if (belongs === undefined) continue;
      if (isFree(belongs)) device = belongs;
      // A device that is full, or has another shard of the stripe, keeps the slot for other stripes.
      else if (!devices.isAwake(belongs)) device = slots.replace(partition, slot, isFree);
      if (device !== undefined) break;
    }
    device ??= devices.order(partition, taken).find(isFree);
    while (device === undefined && superfluous.length > 0) {
      const other = superfluous.pop();
      if (other !== undefined && devices.isAwake(other) && devices.hasRoom(other)) device = other;
    }
    if (device === undefined) return undefined;
    taken.add(device);
    return devices.nodesOf(device, partition)[0];
  }
}

function keyOf({ unit, stripe }: Pick<Mending, "unit" | "stripe">): string {
  return `${unit.stored.id}-${stripe}`;
}

/**
 * Looks after what is stored: compares what nodes really hold with what the promise wants, and repairs the difference.
 *
 * Every node looks after a part of all stripes, by rendezvous; for each there are a few who stand by and take their turn
 * when nothing gets better. A unit is looked at when devices have come or gone, when the grace of one that is gone is over,
 * when a read has found damage, and every ten minutes. What then is to be done is decided by policy.ts. Everything
 * is asked for and written again in the next round, so that a repair that broke off needs no undoing.
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
  /** Devices that hold something of the stripe; and those of them whose shard others hold too. */
  readonly taken: Set<string>;
  readonly superfluous: string[];
  /** Nothing is missing, but one of its shards would be better off on another machine. */
  readonly move?: Move | undefined;
}

export class Repair {
  readonly #parts: RepairParts;
  readonly #schedule: RepairSchedule;
  readonly #chances = new LossChances();
  readonly #mender: Mender;
  /** Stripes that are being repaired, and the bytes that are moved for it. */
  readonly #underWay = new Set<string>();
  #underWayBytes = 0;
  /** Devices of which some node has not answered lately, and since when, monotonic ms. */
  readonly #silentSince = new Map<string, number>();
  #isLooking = false;
  /** When the next repair that is not urgent may begin, monotonic ms. */
  #paceMs = 0;
  /** At which the last repair went, together with those beside it. */
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

  /** This layout is to be looked at now, by this node. */
  nudge(id: string): void {
    this.#schedule.nudge(id);
    this.#lookSoon(LOOK_DELAY_MS);
  }

  /** Units that were in order are looked at again. */
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

  /** Shards may move to a machine once its device has been there for a while. */
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
      // What is under way would only be asked for again.
      if (isMore && isProgress) this.#lookSoon(0);
    } catch (error) {
      if (!this.#parts.signal.aborted) this.#parts.log.write("warn", "disk.repair", { error: String(error) });
    } finally {
      this.#isLooking = false;
    }
  }

  /** Whether some were found in order. */
  async #verify(units: readonly DueUnit[]): Promise<boolean> {
    const { signal, clock } = this.#parts;
    const { round } = this.#schedule;
    // What ends while all are asked is not in what they say.
    const before = new Set(this.#underWay);
    const { found, silent: unheard } = await takeCensus(this.#parts, units, { signal });
    const silent = this.#believed(unheard);
    const jobs: Job[] = [];
    /** What is looked at again in the next round: somebody else may have repaired the same, or a device refused. */
    const open = new Set<Unit>();
    for await (const [i, unit] of inSlices(this.#parts, units, { signal })) {
      jobs.push(...this.#jobs(unit, found[i] ?? [], silent));
    }
    // Who stands by begins with what is its own, and by then finds the rest done.
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

  /** Resolves when it has begun. */
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
        // What moves nothing says nothing of the rate.
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
      // Whatever ails its disk: for a while others are asked.
      if (device !== undefined) devices.sawFull(device);
    }
  }

  /** Those of the silent that have not been so for long: they may be busy. */
  #believed(silent: ReadonlySet<string>): ReadonlySet<string> {
    const nowMs = this.#parts.clock.monotonic();
    for (const device of this.#silentSince.keys()) if (!silent.has(device)) this.#silentSince.delete(device);
    for (const device of silent) if (!this.#silentSince.has(device)) this.#silentSince.set(device, nowMs);
    const isBelieved = (device: string): boolean => nowMs - (this.#silentSince.get(device) ?? 0) < SILENT_BELIEVED_MS;
    return new Set([...silent].filter(isBelieved));
  }

  /** Keeps what is not urgent within its rate, or where the way is wide, within a part of the time. */
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
        // Who is slow to answer is taken to hold what it should.
        if (silent.has(device) && !holders.flat().includes(device)) holders[shard]?.push(device);
        else if (devices.isAwaited(device)) awaited[shard] = (awaited[shard] ?? 0) + 1;
      }
      // Who has left since it was asked is counted once more.
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
      // The one that belongs there comes first, and stays; of plain copies any does.
      const superfluous = code.k === 1 ? [] : holders.slice(0, code.n).flatMap((those) => those.slice(code.copies));
      return [{ unit, stripe, plan, found: shards, taken: new Set(holders.flat()), superfluous }];
    });
  }

  /** What would let the stripe survive the loss of one more machine. */
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

  /** What can be repaired now. */
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
   * Where a shard is to go: to the device it belongs to, to one that takes the place of a device that is gone, or to one
   * whose own shard others hold too.
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
      // One that is full, or has another shard of the stripe, keeps the slot for other stripes.
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

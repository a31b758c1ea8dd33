/**
 * Looks after what is stored: compares what nodes really hold with what the promise wants, and repairs the difference.
 *
 * Every node looks after a part of all stripes, by rendezvous; for each there are a few who stand by and take their turn
 * when nothing gets better. A unit is looked at when devices have come or gone, when the grace of one that is gone is over,
 * when a read has found damage, and every ten minutes. What then is to be done is decided by repair-policy.ts. Everything
 * is asked for and written again in the next round, so that a repair that broke off needs no undoing.
 */
import { assert } from "../base/assert.ts";
import { isStarfishError } from "../base/errors.ts";
import { type Clock, every, sleep, type Timer } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { PeerId } from "../ports/network.ts";
import type { Catalogue } from "./catalogue.ts";
import { type CensusParts, type Found, holdersByShard, inSlices, takeCensus, type Unit } from "./census.ts";
import type { Fetcher } from "./fetch.ts";
import { gather, type GatherParts } from "./gather.ts";
import { holdersWanted, shardsOf } from "./layout.ts";
import {
  BULK_HEDGE_MS,
  LOOK_DELAY_MS,
  LOOK_MS,
  REPAIR_BYTES_PER_MS,
  REPAIR_TIME_PART,
  REPAIR_WINDOW_BYTES,
  SILENT_BELIEVED_MS,
} from "./limits.ts";
import type { Lists } from "./lists.ts";
import { LossChances, survivesAny } from "./promise.ts";
import { healthOf, planRepair, type RepairPlan } from "./repair-policy.ts";
import { Rota } from "./rota.ts";
import { stripeOf } from "./shard-list.ts";
import { Slots } from "./slots.ts";
import { Window } from "./window.ts";
import { type PutResult, SOURCES_MAX } from "./wire.ts";

export interface RepairParts extends GatherParts, CensusParts {
  readonly catalogue: Catalogue;
  readonly lists: Lists;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly fetcher: Fetcher;
}

interface Job {
  readonly unit: Unit;
  readonly stripe: number;
  readonly plan: RepairPlan;
  readonly found: Found;
  /** Devices that hold something of the stripe; and those of them that are too many for their shard. */
  readonly taken: Set<string>;
  readonly superfluous: string[];
}

/** Sees to it that a node holds a shard. */
type Place = (shard: number, node: PeerId) => Promise<PutResult>;

export class Repair {
  readonly #parts: RepairParts;
  readonly #rota: Rota;
  readonly #chances = new LossChances();
  readonly #window = new Window(REPAIR_WINDOW_BYTES);
  /** Devices of which some node has not answered lately, and since when, monotonic ms. */
  readonly #silentSince = new Map<string, number>();
  #isLooking = false;
  /** When the next repair that is not urgent may begin, monotonic ms. */
  #paceMs = 0;
  /** What the last repair took, ms. */
  #msPerByte = 1 / REPAIR_BYTES_PER_MS;
  #repaired = 0;
  #soon: Timer | undefined;
  #graceEnd: Timer | undefined;
  readonly #stops: (() => void)[] = [];

  constructor(parts: RepairParts) {
    this.#parts = parts;
    const { catalogue, clock, devices } = parts;
    this.#rota = new Rota(parts);
    const looking = every(clock, LOOK_MS, () => this.#lookSoon(0));
    this.#stops.push(
      () => looking.cancel(),
      catalogue.onChange((what) => {
        if (what === "content") this.#rota.stir();
      }),
      devices.onChange(() => {
        this.#begin();
        this.#awaitGrace();
      }),
    );
    this.#awaitGrace();
  }

  /** Shards that this node has copied or rebuilt. */
  get repaired(): number {
    return this.#repaired;
  }

  close(): void {
    for (const stop of this.#stops) stop();
    this.#soon?.cancel();
    this.#graceEnd?.cancel();
  }

  /** This layout is to be looked at now, by this node. */
  nudge(id: string): void {
    this.#rota.nudge(id);
    this.#lookSoon(LOOK_DELAY_MS);
  }

  /** What was in order may be so no more. */
  #begin(): void {
    this.#rota.begin();
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
            this.#begin();
            this.#awaitGrace();
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
      const { units, isMore } = this.#rota.due();
      if (units.length > 0) await this.#verify(units);
      if (isMore) this.#lookSoon(0);
    } catch (error) {
      if (!this.#parts.signal.aborted) this.#parts.log.write("warn", "disk.repair", { error: String(error) });
    } finally {
      this.#isLooking = false;
    }
  }

  async #verify(units: readonly Unit[]): Promise<void> {
    const { signal } = this.#parts;
    const { round } = this.#rota;
    const { found, silent: unheard } = await takeCensus(this.#parts, units, { signal });
    const silent = this.#believed(unheard);
    const jobs: Job[] = [];
    for await (const [i, unit] of inSlices(this.#parts, units, { signal })) {
      jobs.push(...this.#jobs(unit, found[i] ?? [], silent));
    }
    jobs.sort((a, b) => b.plan.chance - a.plan.chance);
    /** What is looked at again in the next round: somebody else may have repaired the same, or a device refused. */
    const open = new Set<string>();
    const running = new Set<Promise<void>>();
    for (const job of jobs) {
      if (signal.aborted) return;
      const bytes = bytesOf(job);
      const release = await this.#window.take(bytes);
      if (!job.plan.isUrgent) await this.#pace(bytes);
      const startMs = this.#parts.clock.monotonic();
      const work = this.#run(job)
        .then((isSettled) => {
          if (!isSettled) open.add(keyOf(job.unit));
          this.#msPerByte = (this.#parts.clock.monotonic() - startMs) / bytes;
        })
        .finally(() => {
          release();
          running.delete(work);
        });
      running.add(work);
    }
    await Promise.all(running);
    for (const unit of units) if (!open.has(keyOf(unit))) this.#rota.inOrder(unit, round);
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

  #jobs(unit: Unit, found: readonly Found[], silent: ReadonlySet<string>): Job[] {
    const { devices, slots } = this.#parts;
    const { code, id } = unit.stored;
    const isAtRest = devices.isAtRest || this.#rota.isNudged(id);
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
      if (plan.copy.length + plan.rebuild.length === 0) return [];
      // The one that belongs there comes first, and stays.
      const superfluous = holders.slice(0, code.n).flatMap((those) => those.slice(code.copies));
      return [{ unit, stripe, plan, found: shards, taken: new Set(holders.flat()), superfluous }];
    });
  }

  /** Repairs what can be; whether there was nothing that could. */
  async #run(job: Job): Promise<boolean> {
    const { devices } = this.#parts;
    const { plan } = job;
    try {
      const shards = [...plan.rebuild, ...plan.copy];
      const targets = shards.map((shard) => [shard, this.#target(job, shard)] as const);
      const placeable = targets.flatMap(([shard, node]) => (node === undefined ? [] : [{ shard, node }]));
      if (placeable.length === 0) return true;
      const place = plan.rebuild.length === 0 ? this.#fetcher(job) : await this.#giver(job, placeable);
      await Promise.all(
        placeable.map(async ({ shard, node }) => {
          const result = await place(shard, node);
          if (result === "ok") this.#repaired++;
          const device = result === "full" || result === "io" ? devices.deviceOf(node) : undefined;
          // Whatever ails its disk: for a while others are asked.
          if (device !== undefined) devices.sawFull(device);
        }),
      );
    } catch (error) {
      if (!isStarfishError(error)) throw error;
    }
    return false;
  }

  /** Has the target itself get what it is to hold from who holds that, or all. */
  #fetcher({ unit: { stored }, stripe, found }: Job): Place {
    const { self, peers, fetcher, signal } = this.#parts;
    const wholes = (found.get(0) ?? []).filter((node) =>
      shardsOf(stored.code.n, stored.code).every((shard) => found.get(shard)?.includes(node) === true),
    );
    return async (shard, node) => {
      const from = [...(found.get(shard) ?? []), ...wholes].slice(0, SOURCES_MAX);
      const request = { id: stored.id, stripe, shard, from };
      try {
        const bytes = stripeOf(stored, stripe).shardBytes * shardsOf(shard, stored.code).length;
        return await (node === self ? fetcher.serve(request, signal) : peers.fetch(node, request, bytes));
      } catch (error) {
        // The others go on.
        if (!isStarfishError(error)) throw error;
        // Who is too slow for it, or of a version that does not know how, gives way to another device.
        return error.code === "timeout" || error.code === "unknown-protocol" ? "io" : "busy";
      }
    };
  }

  /** Gets it here, where several are rebuilt for the price of little more than one, and gives it to the target. */
  async #giver({ unit, stripe, found }: Job, placeable: readonly { readonly shard: number }[]): Promise<Place> {
    const { lists, peers, signal } = this.#parts;
    const { list } = await lists.of(unit.stored, { signal });
    const wanted = placeable.map(({ shard }) => shard);
    const shards = await gather(this.#parts, list, unit.stored.id, stripe, wanted, {
      signal,
      found,
      hedgeMs: BULK_HEDGE_MS,
    });
    return async (shard, node) => {
      const bytes = shards.get(shard);
      assert(bytes !== undefined, "gathering gives what is wanted");
      const name = { id: unit.stored.id, stripe, shard };
      return peers.put(node, name, { bytes, sha256: list.hashOf(stripe, shard) });
    };
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
    device ??= devices.order(partition).find(isFree);
    while (device === undefined && superfluous.length > 0) {
      const other = superfluous.pop();
      if (other !== undefined && devices.isAwake(other) && devices.hasRoom(other)) device = other;
    }
    if (device === undefined) return undefined;
    taken.add(device);
    return devices.nodesOf(device, partition)[0];
  }
}

/** That are moved for it. */
function bytesOf({ unit: { stored }, stripe, plan }: Job): number {
  const { code } = stored;
  const { shardBytes } = stripeOf(stored, stripe);
  if (plan.rebuild.length === 0) return shardBytes * plan.copy.flatMap((shard) => shardsOf(shard, code)).length;
  return shardBytes * (code.k + plan.copy.length + plan.rebuild.length);
}

function keyOf({ stored, from }: Unit): string {
  return `${stored.id}-${from}`;
}

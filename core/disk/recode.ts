/**
 * Codes contents anew when the swarm's size asks for it, and drops what stands in the way: of several layouts of one
 * content all but the best, once that one is whole. One content at a time, by the node that rendezvous gives it to; the old
 * layout goes when the new one is safe.
 */
import { isStarfishError, toStarfishError } from "../base/errors.ts";
import { type Clock, every } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { PeerId } from "../ports/network.ts";
import type { Catalogue, Stored } from "./catalogue.ts";
import { type CensusParts, holdersByShard, inSlices, isWhole, takeCensus, unitsOf } from "./census.ts";
import { healthAtRest, holdersWanted, type Layout, staleness, type Staleness } from "./layout.ts";
import { BROKEN_FOR_MS, LOOSE_FOR_MS, RECODE_AGAIN_MS, RECODE_LOOK_MS } from "./limits.ts";
import { repairersOf } from "./placement.ts";
import { survivesAny } from "./promise.ts";
import type { ContentRef } from "./types.ts";

export interface RecodeParts extends CensusParts {
  readonly self: PeerId;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Stores the content once more, in the code of now; resolves to its layout when that is safe. */
  readonly again: (ref: ContentRef, signal: AbortSignal) => Promise<Stored>;
}

export class Recode {
  readonly #parts: RecodeParts;
  readonly #staleness = new Map<string, Staleness>();
  /** By code, since when it has been broken or loose without a break, monotonic ms. */
  readonly #since = new Map<string, { readonly is: Staleness; readonly brokenMs: number; readonly staleMs: number }>();
  readonly #stop: () => void;
  /** Contents that could not be coded anew, and when to try again, monotonic ms. */
  readonly #failed = new Map<string, number>();
  #isBusy = false;

  constructor(parts: RecodeParts) {
    this.#parts = parts;
    const looking = every(parts.clock, RECODE_LOOK_MS, () => void this.#look());
    this.#stop = () => looking.cancel();
  }

  close(): void {
    this.#stop();
  }

  async #look(): Promise<void> {
    const { signal, log, devices } = this.#parts;
    this.#watch();
    if (this.#isBusy || signal.aborted || devices.isCut) return;
    this.#isBusy = true;
    try {
      // Where the promise is broken first.
      for (const wanted of ["broken", "loose"] as const) {
        for (const cid of this.#mine()) await this.#settle(cid, wanted);
      }
    } catch (error) {
      if (!signal.aborted) log.write("warn", "disk.recode", { error: toStarfishError(error, "io").message });
    } finally {
      this.#isBusy = false;
    }
  }

  /** Keeps account of how long each code has not suited the swarm. */
  #watch(): void {
    const nowMs = this.#parts.clock.monotonic();
    const codes = new Map<string, Layout>();
    for (const { code } of this.#parts.catalogue.all()) codes.set(nameOf(code), code);
    for (const name of this.#since.keys()) if (!codes.has(name)) this.#since.delete(name);
    for (const [name, code] of codes) {
      const is = this.#of(code);
      const before = this.#since.get(name);
      const staleMs = before === undefined || before.is === "fresh" ? nowMs : before.staleMs;
      const brokenMs = before?.is === "broken" ? before.brokenMs : nowMs;
      this.#since.set(name, { is, brokenMs, staleMs });
    }
  }

  /** Whether the code is so stale, and has been for long enough. */
  #isStale(code: Layout, wanted: Staleness): boolean {
    const since = this.#since.get(nameOf(code));
    if (since === undefined || since.is !== wanted) return false;
    const nowMs = this.#parts.clock.monotonic();
    return wanted === "broken" ? nowMs - since.brokenMs >= BROKEN_FOR_MS : nowMs - since.staleMs >= LOOSE_FOR_MS;
  }

  /** Contents that are this node's to code anew, and for which there is something to do. */
  #mine(): string[] {
    const { catalogue, devices, slots, self } = this.#parts;
    const nodes = devices.nodes();
    const seen = new Set<string>();
    for (const { cid, code } of catalogue.all()) {
      // As it was a moment ago: there may be 100,000 contents, in a few codes.
      const isFresh = this.#since.get(nameOf(code))?.is === "fresh";
      if (seen.has(cid) || (isFresh && catalogue.layouts(cid).length === 1)) continue;
      if (repairersOf(slots.nameHash(cid, 0), nodes)[0] === self) seen.add(cid);
    }
    return [...seen];
  }

  async #settle(cid: string, wanted: Staleness): Promise<void> {
    const { catalogue, signal, again } = this.#parts;
    const layouts = catalogue.layouts(cid);
    const best = layouts.find(({ code }) => this.#of(code) === "fresh") ?? layouts[0];
    if (best === undefined) return;
    let safe = best;
    if (this.#of(best.code) === "fresh") {
      if (layouts.length === 1 || !(await this.#isWhole(best))) return;
    } else {
      if (!this.#isStale(best.code, wanted)) return;
      const { clock } = this.#parts;
      if ((this.#failed.get(cid) ?? 0) > clock.monotonic()) return;
      try {
        safe = await again({ cid, sizeBytes: best.sizeBytes }, signal);
        this.#failed.delete(cid);
      } catch (error) {
        if (!isStarfishError(error)) throw error;
        // Out of reach or of room now; there will be another time.
        this.#failed.set(cid, clock.monotonic() + RECODE_AGAIN_MS);
        return;
      }
    }
    for (const stored of catalogue.layouts(cid)) if (stored.id !== safe.id) catalogue.remove(stored);
  }

  async #isWhole(stored: Stored): Promise<boolean> {
    const units = unitsOf(stored);
    const { found } = await takeCensus(this.#parts, units, { signal: this.#parts.signal });
    const { slots, devices } = this.#parts;
    for await (const [i, { from }] of inSlices(this.#parts, units, { signal: this.#parts.signal })) {
      const isUnitWhole = (found[i] ?? []).every((shards, j) => {
        const partition = slots.partition(stored.id, from + j);
        return isWhole(stored.code, holdersByShard(this.#parts, stored.code, partition, shards), devices.count);
      });
      if (!isUnitWhole) return false;
    }
    return true;
  }

  #of(code: Layout): Staleness {
    const { count, layout } = this.#parts.devices;
    const devices = Math.max(1, count);
    const key = `${nameOf(code)} ${layout.n} ${devices}`;
    let is = this.#staleness.get(key);
    if (is !== undefined) return is;
    const survives = (each: Layout): number => survivesAny(healthAtRest(each, devices));
    // While many devices are full, what is written now may be no better.
    const isNarrow = holdersWanted(layout) < Math.min(devices, holdersWanted(code));
    is = isNarrow && survives(layout) <= survives(code) ? "fresh" : staleness(code, devices);
    this.#staleness.set(key, is);
    return is;
  }
}

function nameOf({ k, n, copies, wholes }: Layout): string {
  return `${k} ${n} ${copies} ${wholes}`;
}

/**
 * Codes contents anew when the swarm's size requires it, and removes superfluous layouts: of several layouts of one
 * content all but the best, once that one is complete. One content is recoded at a time, by the node that rendezvous
 * hashing chooses; the old layout is removed when the new one is safe.
 *
 * Two nodes may both take a content to be theirs, while they don't know the same members. So only layouts older than
 * the best are removed at once: of two new layouts both nodes keep the same one.
 */
import { isStarfishError, toStarfishError } from "../../base/errors.ts";
import { type Clock, every, sleep } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { PeerId } from "../../ports/network.ts";
import type { Catalogue, Stored } from "../placement/catalogue.ts";
import { type CensusParts, holdersByShard, inSlices, isWhole, takeCensus, type Unit, unitBatches } from "./census.ts";
import { healthAtRest, holdersWanted, isPressing, type Layout, staleness, type Staleness } from "../code/layout.ts";
import {
  CODES_PER_LOOK,
  LOOSE_FOR_MS,
  PRESSING_FOR_MS,
  RANKED_PER_LOOK,
  RECODE_AGAIN_MS,
  RECODE_LOOK_MS,
} from "../limits.ts";
import { repairersOf } from "../placement/placement.ts";
import { survivesAny } from "../code/promise.ts";
import type { ContentRef } from "../types.ts";

export interface RecodeParts extends CensusParts {
  readonly self: PeerId;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Stores the content once more, in the present code; resolves to its layout when that is safe. */
  readonly again: (ref: ContentRef, signal: AbortSignal) => Promise<Stored>;
}

/** How many pairs of a code and a number of devices are remembered, each with its staleness. */
const STALENESS_KNOWN_MAX = 10_000;

export class Recode {
  readonly #parts: RecodeParts;
  readonly #staleness = new Map<string, Staleness>();
  /**
   * By code: the time since which it has been stale without a break, and since which it has been pressing; monotonic
   * ms.
   */
  readonly #since = new Map<
    string,
    { readonly is: Staleness; readonly pressingMs: number; readonly staleMs: number }
  >();
  readonly #stop: () => void;
  /** Contents that could not be recoded, and when to try again, monotonic ms. */
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
      // Contents whose promise is broken come first.
      for (const wanted of ["broken", "tight", "loose"] as const) {
        for (const cid of await this.#due(wanted)) await this.#settle(cid, wanted);
      }
    } catch (error) {
      if (!signal.aborted) log.write("warn", "disk.recode", { error: toStarfishError(error, "io").message });
    } finally {
      this.#isBusy = false;
    }
  }

  /** Keeps track of how long each code has not suited the swarm. */
  #watch(): void {
    const nowMs = this.#parts.clock.monotonic();
    const codes = new Map<string, Layout>();
    for (const { code } of this.#parts.catalogue.all()) codes.set(nameOf(code), code);
    for (const name of this.#since.keys()) if (!codes.has(name)) this.#since.delete(name);
    let worked = 0;
    for (const [name, code] of codes) {
      // Any member can name codes; a code that is not reached now is reached at one of the next looks.
      if (!this.#isKnown(code) && ++worked > CODES_PER_LOOK) continue;
      const is = this.#of(code);
      const before = this.#since.get(name);
      const staleMs = before === undefined || before.is === "fresh" ? nowMs : before.staleMs;
      const pressingMs = before !== undefined && isPressing(before.is) ? before.pressingMs : nowMs;
      this.#since.set(name, { is, pressingMs, staleMs });
    }
  }

  /** Whether the code is that stale, and has been so for long enough. */
  #isStale(codeName: string, wanted: Staleness): boolean {
    const since = this.#since.get(codeName);
    if (since === undefined || since.is !== wanted) return false;
    const nowMs = this.#parts.clock.monotonic();
    return isPressing(wanted) ? nowMs - since.pressingMs >= PRESSING_FOR_MS : nowMs - since.staleMs >= LOOSE_FOR_MS;
  }

  /** Contents that this node has to recode, and for which there is something to do. */
  async #due(wanted: Staleness): Promise<string[]> {
    const { catalogue, clock, signal } = this.#parts;
    // There may be 100,000 contents, in a few codes.
    const staleCodes = new Set<string>();
    for (const name of this.#since.keys()) if (this.#isStale(name, wanted)) staleCodes.add(name);
    const candidates = new Set<string>();
    for (const { cid, code } of catalogue.all()) {
      if (staleCodes.has(nameOf(code)) || catalogue.layoutCount(cid) > 1) candidates.add(cid);
    }
    const due: string[] = [];
    let asked = 0;
    for (const cid of candidates) {
      if (++asked % RANKED_PER_LOOK === 0) await sleep(clock, 0, { signal });
      if (this.#isMine(cid)) due.push(cid);
    }
    return due;
  }

  #isMine(cid: string): boolean {
    const { devices, slots, self } = this.#parts;
    return repairersOf(slots.nameHash(cid, 0), devices.nodes())[0] === self;
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
      // The work before took time; another node may have to do it by now.
      if (!this.#isStale(nameOf(best.code), wanted) || !this.#isMine(cid)) return;
      const { clock } = this.#parts;
      if ((this.#failed.get(cid) ?? 0) > clock.monotonic()) return;
      try {
        safe = await again({ cid, sizeBytes: best.sizeBytes }, signal);
        this.#failed.delete(cid);
      } catch (error) {
        if (!isStarfishError(error)) throw error;
        // Out of reach or out of room now; it is tried again later.
        this.#failed.set(cid, clock.monotonic() + RECODE_AGAIN_MS);
        return;
      }
    }
    const now = catalogue.layouts(cid);
    const at = now.findIndex(({ id }) => id === safe.id);
    // Somebody else has found a better layout, and removed this one.
    if (at === -1) return;
    for (const [i, stored] of now.entries()) {
      const isOld = catalogue.map.now() - stored.writtenAtMs >= LOOSE_FOR_MS;
      if (i > at || (i < at && isOld)) catalogue.remove(stored);
    }
  }

  /** Whether all of it is complete, including its list. */
  async #isWhole(stored: Stored): Promise<boolean> {
    const { list } = stored;
    if (list instanceof Uint8Array) return this.#areStripesWhole(stored);
    for (const each of this.#parts.catalogue.listLayouts(stored))
      if (await this.#isWhole(each)) return this.#areStripesWhole(stored);
    return false;
  }

  async #areStripesWhole(stored: Stored): Promise<boolean> {
    for (const units of unitBatches(stored)) if (!(await this.#areUnitsWhole(units))) return false;
    return true;
  }

  async #areUnitsWhole(units: readonly Unit[]): Promise<boolean> {
    const { found } = await takeCensus(this.#parts, units, { signal: this.#parts.signal });
    const { slots, devices } = this.#parts;
    for await (const [i, { stored, from }] of inSlices(this.#parts, units, { signal: this.#parts.signal })) {
      const isUnitWhole = (found[i] ?? []).every((shards, j) => {
        const partition = slots.partition(stored.id, from + j);
        return isWhole(stored.code, holdersByShard(this.#parts, stored.code, partition, shards), devices.count);
      });
      if (!isUnitWhole) return false;
    }
    return true;
  }

  #of(code: Layout): Staleness {
    const { layout } = this.#parts.devices;
    const devices = this.#devices;
    const key = this.#keyOf(code);
    let is = this.#staleness.get(key);
    if (is !== undefined) return is;
    const survives = (each: Layout): number => survivesAny(healthAtRest(each, devices));
    // While many devices are full, what is written now may not be better.
    const isNarrow = holdersWanted(layout) < Math.min(devices, holdersWanted(code));
    is = isNarrow && survives(layout) <= survives(code) ? "fresh" : staleness(code, devices);
    if (this.#staleness.size >= STALENESS_KNOWN_MAX) this.#staleness.clear();
    this.#staleness.set(key, is);
    return is;
  }

  #isKnown(code: Layout): boolean {
    return this.#staleness.has(this.#keyOf(code));
  }

  #keyOf(code: Layout): string {
    return `${nameOf(code)} ${this.#parts.devices.layout.n} ${this.#devices}`;
  }

  get #devices(): number {
    return Math.max(1, this.#parts.devices.count);
  }
}

function nameOf({ k, n, copies, wholes }: Layout): string {
  return `${k} ${n} ${copies} ${wholes}`;
}

/**
 * Stripes in a swarm that grows and shrinks: repaired as in disk-model.ts, and coded anew by the rules of recode.ts,
 * when their code has not suited the swarm for long enough. Coding anew takes a step and needs k shards; the old shards
 * are dropped then.
 */
import { Absences } from "../../core/disk/placement/absences.ts";
import { halfOf, survivesAny } from "../../core/disk/code/promise.ts";
import { isPressing, type Layout, type Staleness, staleness, storageFactor } from "../../core/disk/code/layout.ts";
import { LOOSE_FOR_MS, PRESSING_FOR_MS } from "../../core/disk/limits.ts";
import type { ChurnEvent } from "./disk-churn.ts";
import { ourScheme } from "./disk-lab.ts";
import { DiskModel, type Scheme } from "./disk-model.ts";

export interface Moment {
  readonly atMs: number;
  readonly devices: number;
  /** The size of a half, and the number of the weakest stripe's holders that may die, whichever they are. */
  readonly half: number;
  readonly survivesAny: number;
  /** The probability that a random half takes the weakest stripe with it. */
  readonly chance: number;
}

export class RecodedModel {
  readonly moments: Moment[] = [];
  /** The times at which stripes were coded anew, and their new codes. */
  readonly recodings: { readonly atMs: number; readonly code: string }[] = [];
  /** In multiples of the content. */
  recoded = 0;
  /** Stripes that could not be read at some moment. */
  unreadable = 0;
  readonly #stripes: number;
  readonly #seed: number;
  readonly #there = new Set<number>();
  readonly #absences = new Absences<number>(0);
  #scheme: Scheme;
  #model: DiskModel;
  #repairedBefore = 0;
  #is: Staleness = "fresh";
  #pressingAtMs = 0;
  #staleAtMs = 0;

  constructor(stripes: number, seed: number, first: readonly ChurnEvent[]) {
    this.#stripes = stripes;
    this.#seed = seed;
    this.#follow(first);
    this.#scheme = ourScheme(this.#there.size);
    this.#model = this.#write(0);
  }

  /** What repair has moved, in multiples of the content. */
  get repaired(): number {
    return this.#repairedBefore + this.#model.tally.copied + this.#model.tally.rebuilt;
  }

  step(nowMs: number, events: readonly ChurnEvent[]): void {
    this.#follow(events);
    this.#model.step(nowMs, events);
    this.#watch(nowMs);
    const isDue =
      (isPressing(this.#is) && nowMs - this.#pressingAtMs >= PRESSING_FOR_MS) ||
      (this.#is === "loose" && nowMs - this.#staleAtMs >= LOOSE_FOR_MS);
    if (isDue && !this.#absences.isCut(nowMs) && this.#model.isReadable()) this.#recode(nowMs);
    const chance = Math.max(...this.#model.chances());
    const healths = Array.from({ length: this.#stripes }, (_, stripe) => survivesAny(this.#model.health(stripe)));
    const devices = this.#there.size;
    this.moments.push({ atMs: nowMs, devices, half: halfOf(devices), survivesAny: Math.min(...healths), chance });
    this.unreadable += this.#model.tally.unreadable.size;
    this.#model.tally.unreadable.clear();
  }

  /** Watches whether the code suits the swarm, as recode.ts does. */
  #watch(nowMs: number): void {
    const is = staleness(this.#layout, Math.max(1, this.#there.size));
    if (this.#is === "fresh") this.#staleAtMs = nowMs;
    if (!isPressing(this.#is)) this.#pressingAtMs = nowMs;
    this.#is = is;
  }

  #recode(nowMs: number): void {
    this.#repairedBefore = this.repaired;
    this.#scheme = ourScheme(this.#there.size);
    this.#model = this.#write(nowMs);
    const { k, n, copies, wholes } = this.#layout;
    const more = copies === 2 ? " twins" : wholes > 0 ? " and whole" : "";
    this.recodings.push({ atMs: nowMs, code: `${k} of ${n}${more}` });
    // The node that codes anew reads the content first, and keeps no more of it than any other.
    this.recoded += 1 + storageFactor(this.#layout);
    this.#is = "fresh";
  }

  get #layout(): Layout {
    const { copies, ...others } = this.#scheme.layout;
    return { ...others, copies: copies === 1 ? 1 : 2 };
  }

  #write(nowMs: number): DiskModel {
    const model = new DiskModel(this.#scheme, this.#stripes, this.#seed + this.recodings.length);
    model.step(
      nowMs,
      [...this.#there].map((device) => ({ atMs: nowMs, device, what: "came" as const })),
    );
    model.write();
    return model;
  }

  #follow(events: readonly ChurnEvent[]): void {
    for (const { atMs, device, what } of events) {
      const isArrival = what === "came" || what === "returned";
      if (isArrival) this.#there.add(device);
      else this.#there.delete(device);
      this.#absences.observe(atMs, isArrival ? [device] : [], isArrival ? [] : [device], this.#there.size);
    }
  }
}

/** Devices that come and go for good, one at a time, so that there are as many as wanted at each moment. */
export function followingSize(sizeAt: (atMs: number) => number, random: () => number): (nowMs: number) => ChurnEvent[] {
  const there: number[] = [];
  let devices = 0;
  return (nowMs) => {
    const events: ChurnEvent[] = [];
    const wanted = Math.round(sizeAt(nowMs));
    while (there.length < wanted) {
      there.push(devices);
      events.push({ atMs: nowMs, device: devices++, what: "came" });
    }
    while (there.length > wanted) {
      const [device = -1] = there.splice(Math.floor(random() * there.length), 1);
      events.push({ atMs: nowMs, device, what: "gone" });
    }
    return events;
  };
}

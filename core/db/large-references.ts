/**
 * The contents to which large values refer, for the disk's garbage collector. Each time that it asks, a new pass through
 * the map begins, a part at a time, unless one is running. The answer is what the last complete pass and this one have
 * found. It may be some minutes old, which does no harm: contents without references are kept for two days.
 */
import type { MapEntry, ReplicatedMap } from "../memory/types.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import { isLarge, readLarge } from "./cells/large.ts";
import { REFERENCES_LOOKED_AT } from "./limits.ts";

export class LargeReferences {
  readonly #map: ReplicatedMap;
  readonly #clock: Clock;
  #last: ReadonlySet<string> = new Set();
  #found = new Set<string>();
  #entries: IterableIterator<MapEntry> | undefined;
  #timer: Timer | undefined;

  constructor(map: ReplicatedMap, clock: Clock) {
    this.#map = map;
    this.#clock = clock;
  }

  close(): void {
    this.#timer?.cancel();
  }

  *all(): Generator<string, void, undefined> {
    if (this.#entries === undefined) {
      this.#entries = this.#map.entries();
      this.#goOn(this.#entries);
    }
    for (const cids of [this.#last, this.#found]) yield* cids;
  }

  #goOn(entries: IterableIterator<MapEntry>): void {
    for (let i = 0; i < REFERENCES_LOOKED_AT; i++) {
      const { done, value: entry } = entries.next();
      if (done === true) {
        this.#last = this.#found;
        this.#found = new Set();
        this.#entries = undefined;
        return;
      }
      const { value } = entry;
      if (!(value instanceof Uint8Array) || !isLarge(value)) continue;
      const cid = readLarge(value)?.cid;
      if (cid !== undefined) this.#found.add(cid);
    }
    this.#timer = this.#clock.timer(0, () => this.#goOn(entries));
  }
}

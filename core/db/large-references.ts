/**
 * The contents to which large values refer, for the disk's collector. The map is gone through a part at a time, anew each
 * time that the collector asks; it gets what was found the last time and so far. That is some minutes old, and what nobody
 * refers to is kept for two days.
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

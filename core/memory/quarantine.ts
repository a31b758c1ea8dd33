/**
 * Writes whose time is further in the future than clocks may differ. They wait here, outside the map and its sums,
 * until their time comes. The number of other nodes' writes is bounded: beyond it, those furthest in the future are
 * dropped, and nodes that hold them will offer them again. Those that this node has stored are bounded by its store.
 */
import type { Keyed } from "./pack.ts";
import { QUARANTINE_BYTES_MAX, QUARANTINE_ENTRIES_MAX } from "./limits.ts";

export class Quarantine {
  /** By key: of two writes to a key the later one replaces the other anyway. */
  readonly #waiting = new Map<string, Keyed>();
  readonly #isBounded: boolean;
  #bytes = 0;

  constructor({ isBounded }: { readonly isBounded: boolean } = { isBounded: true }) {
    this.#isBounded = isBounded;
  }

  get size(): number {
    return this.#waiting.size;
  }

  add(keyed: Keyed): void {
    const before = this.#waiting.get(keyed.key);
    if (before !== undefined && before.entry.stamp >= keyed.entry.stamp) return;
    if (before !== undefined) this.#remove(before);
    this.#waiting.set(keyed.key, keyed);
    this.#bytes += sizeOf(keyed);
    if (this.#isBounded && this.#isOver(1)) this.#dropFurthest();
  }

  all(): Iterable<Keyed> {
    return this.#waiting.values();
  }

  delete(key: string): void {
    const keyed = this.#waiting.get(key);
    if (keyed !== undefined) this.#remove(keyed);
  }

  /** Takes out the writes whose stamp is at most this. */
  release(stampMax: number): Keyed[] {
    const released: Keyed[] = [];
    for (const keyed of this.#waiting.values()) if (keyed.entry.stamp <= stampMax) released.push(keyed);
    for (const keyed of released) this.#remove(keyed);
    return released;
  }

  /** Half of them at once, so that a flood does not cost a search for each. */
  #dropFurthest(): void {
    const furthestFirst = [...this.#waiting.values()].sort((x, y) => y.entry.stamp - x.entry.stamp);
    for (const keyed of furthestFirst) {
      if (!this.#isOver(0.5)) return;
      this.#remove(keyed);
    }
  }

  #isOver(share: number): boolean {
    return this.#waiting.size > share * QUARANTINE_ENTRIES_MAX || this.#bytes > share * QUARANTINE_BYTES_MAX;
  }

  #remove(keyed: Keyed): void {
    this.#waiting.delete(keyed.key);
    this.#bytes -= sizeOf(keyed);
  }
}

function sizeOf({ key, entry }: Keyed): number {
  return key.length + entry.value.length;
}

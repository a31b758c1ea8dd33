/**
 * Writes that claim to be from further ahead than clocks may differ. They wait here, outside the map and its sums, until
 * their time comes. Bounded: when it is full the furthest is dropped; whoever holds it will offer it again.
 */
import type { Keyed } from "./pack.ts";
import { QUARANTINE_BYTES_MAX, QUARANTINE_ENTRIES_MAX } from "./limits.ts";

export class Quarantine {
  /** By key: of two writes to it the later one replaces the other in any case. */
  readonly #waiting = new Map<string, Keyed>();
  #bytes = 0;

  get size(): number {
    return this.#waiting.size;
  }

  add(keyed: Keyed): void {
    const before = this.#waiting.get(keyed.key);
    if (before !== undefined && before.entry.stamp >= keyed.entry.stamp) return;
    if (before !== undefined) this.#remove(before);
    this.#waiting.set(keyed.key, keyed);
    this.#bytes += sizeOf(keyed);
    while (this.#waiting.size > QUARANTINE_ENTRIES_MAX || this.#bytes > QUARANTINE_BYTES_MAX) this.#dropFurthest();
  }

  /** Takes out those whose stamp is no greater. */
  release(stampMax: number): Keyed[] {
    const released: Keyed[] = [];
    for (const keyed of this.#waiting.values()) if (keyed.entry.stamp <= stampMax) released.push(keyed);
    for (const keyed of released) this.#remove(keyed);
    return released;
  }

  #dropFurthest(): void {
    let furthest: Keyed | undefined;
    for (const keyed of this.#waiting.values()) {
      if (furthest === undefined || keyed.entry.stamp > furthest.entry.stamp) furthest = keyed;
    }
    if (furthest !== undefined) this.#remove(furthest);
  }

  #remove(keyed: Keyed): void {
    this.#waiting.delete(keyed.key);
    this.#bytes -= sizeOf(keyed);
  }
}

function sizeOf({ key, entry }: Keyed): number {
  return key.length + entry.value.length;
}

/**
 * Entries of a map that its reader does not use, because they exceed a bound or contradict themselves. They are counted
 * and logged, whether they have just arrived or were stored long before. They stay in the map, where later writes
 * replace them.
 */
import type { Log } from "../ports/log.ts";

export class SetAside {
  readonly #map: string;
  readonly #log: Log;
  readonly #keys = new Set<string>();
  /** How many there have been. Logs of them become rarer, since a member can write any number. */
  #seen = 0;

  constructor(map: string, log: Log) {
    this.#map = map;
    this.#log = log;
  }

  /** How many there are now. */
  get size(): number {
    return this.#keys.size;
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  add(key: string, why: string): void {
    if (this.#keys.has(key)) return;
    this.#keys.add(key);
    this.#seen++;
    const isPowerOfTwo = (this.#seen & (this.#seen - 1)) === 0;
    if (isPowerOfTwo) {
      this.#log.write("warn", "memory.set-aside", { map: this.#map, key, why, entries: this.#keys.size });
    }
  }

  /** It was deleted, or replaced by an entry that can be used. */
  delete(key: string): void {
    this.#keys.delete(key);
  }
}

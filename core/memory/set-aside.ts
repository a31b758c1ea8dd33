/**
 * Entries of a map that the part which reads it does not take in, since what they say contradicts a bound or itself: counted
 * and told, whether they came a moment ago or were stored long before. They stay in the map, where later writes replace them.
 */
import type { Log } from "../ports/log.ts";

export class SetAside {
  readonly #map: string;
  readonly #log: Log;
  readonly #keys = new Set<string>();
  /** How many there have been; those that are told grow rarer, since a member can write any number. */
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

  /** It is gone, or has been replaced by what can be taken in. */
  delete(key: string): void {
    this.#keys.delete(key);
  }
}

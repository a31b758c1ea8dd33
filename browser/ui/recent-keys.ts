/**
 * Which keys of the memory are shown, and in which order. Those changed last come first, but a visible key keeps its
 * place, so that counters count in place instead of overtaking each other. Bounded. Pure.
 */
export class RecentKeys {
  readonly #shownMax: number;
  readonly #still: number;
  #order: string[] = [];

  /** At most `shownMax` keys, of which the first `still` don't move when they change. */
  constructor(shownMax: number, still: number) {
    this.#shownMax = shownMax;
    this.#still = still;
  }

  get order(): readonly string[] {
    return this.#order;
  }

  /** The key exists and has changed. */
  touch(key: string): void {
    const at = this.#order.indexOf(key);
    if (at >= 0 && at < this.#still) return;
    if (at >= 0) this.#order.splice(at, 1);
    this.#order.unshift(key);
    if (this.#order.length > this.#shownMax) this.#order.pop();
  }

  remove(key: string): void {
    const at = this.#order.indexOf(key);
    if (at >= 0) this.#order.splice(at, 1);
  }

  /** Adds keys after those that are shown, as far as there is room and they are not shown yet. */
  append(keys: Iterable<string>): void {
    const shown = new Set(this.#order);
    for (const key of keys) {
      if (this.#order.length >= this.#shownMax) return;
      if (!shown.has(key)) this.#order.push(key);
    }
  }
}

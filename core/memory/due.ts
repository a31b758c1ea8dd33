/**
 * Keys, ordered by the time at which something is due for them and then by key: a binary heap. The caller checks
 * whether a key has changed since.
 */
export class DueQueue {
  readonly #times: number[] = [];
  readonly #keys: string[] = [];

  get size(): number {
    return this.#keys.length;
  }

  /** When the first is due. */
  get nextMs(): number | undefined {
    return this.#times[0];
  }

  add(atMs: number, key: string): void {
    let i = this.#keys.length;
    this.#times.push(atMs);
    this.#keys.push(key);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!this.#isBefore(i, parent)) break;
      this.#swap(i, parent);
      i = parent;
    }
  }

  /** Takes out the earliest key that is due by `nowMs`. */
  take(nowMs: number): string | undefined {
    if (this.#keys.length === 0 || this.#time(0) > nowMs) return undefined;
    this.#swap(0, this.#keys.length - 1);
    this.#times.pop();
    const key = this.#keys.pop();
    let i = 0;
    for (;;) {
      const left = 2 * i + 1;
      const right = left + 1;
      let least = i;
      if (left < this.#keys.length && this.#isBefore(left, least)) least = left;
      if (right < this.#keys.length && this.#isBefore(right, least)) least = right;
      if (least === i) return key;
      this.#swap(i, least);
      i = least;
    }
  }

  clear(): void {
    this.#times.length = 0;
    this.#keys.length = 0;
  }

  #isBefore(i: number, j: number): boolean {
    const [x, y] = [this.#time(i), this.#time(j)];
    return x < y || (x === y && (this.#keys[i] as string) < (this.#keys[j] as string));
  }

  #time(i: number): number {
    return this.#times[i] as number;
  }

  #swap(i: number, j: number): void {
    const [time, key] = [this.#time(i), this.#keys[i] as string];
    this.#times[i] = this.#time(j);
    this.#keys[i] = this.#keys[j] as string;
    this.#times[j] = time;
    this.#keys[j] = key;
  }
}

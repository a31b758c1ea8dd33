/**
 * The keys of one name beyond the latest few: a binary heap beside a set, because only the greatest is ever asked for.
 * Each step costs the logarithm of their number.
 */
export class KeyHeap {
  readonly #keys = new Set<string>();
  /** The key at i is not less than those at 2i + 1 and 2i + 2. Some may be gone from the set. */
  #heap: string[] = [];

  get size(): number {
    return this.#keys.size;
  }

  keys(): IterableIterator<string> {
    return this.#keys.values();
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  add(key: string): void {
    if (this.#keys.has(key)) return;
    this.#keys.add(key);
    this.#push(key);
  }

  /** Whether it was there. */
  delete(key: string): boolean {
    if (!this.#keys.delete(key)) return false;
    // A key that is added again would be in it twice, and removed keys must not pile up.
    if (this.#heap.length > 2 * this.#keys.size + 64) {
      this.#heap = [];
      for (const each of this.#keys) this.#push(each);
    }
    return true;
  }

  takeGreatest(): string | undefined {
    for (;;) {
      const key = this.#pop();
      if (key === undefined || this.#keys.delete(key)) return key;
    }
  }

  #push(key: string): void {
    const heap = this.#heap;
    let i = heap.push(key) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || above >= key) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = key;
  }

  #pop(): string | undefined {
    const heap = this.#heap;
    const greatest = heap[0];
    const last = heap.pop();
    if (heap.length === 0 || last === undefined) return greatest;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if ((heap[child + 1] ?? "") > (heap[child] ?? "")) child++;
      const below = heap[child];
      if (below === undefined || below <= last) break;
      heap[i] = below;
      i = child;
    }
    heap[i] = last;
    return greatest;
  }
}

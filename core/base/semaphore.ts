/**
 * A counting semaphore with weights (Dijkstra 1965): a bound on what is under way, whose waiters are served in order.
 */

interface Waiter {
  readonly amount: number;
  readonly enter: () => void;
}

export class Semaphore {
  readonly #max: number;
  #used = 0;
  readonly #waiters: Waiter[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  /** Waits for `amount` units; a request above the bound runs alone. Resolves to the function that releases them. */
  async acquire(amount: number): Promise<() => void> {
    if (this.#waiters.length > 0 || !this.#fits(amount)) {
      await new Promise<void>((enter) => this.#waiters.push({ amount, enter }));
    } else {
      this.#used += amount;
    }
    return this.#release(amount);
  }

  /** The same without waiting: undefined if there is no room now. */
  tryAcquire(amount: number): (() => void) | undefined {
    if (this.#waiters.length > 0 || !this.#fits(amount)) return undefined;
    this.#used += amount;
    return this.#release(amount);
  }

  /** Calling it twice releases once. */
  #release(amount: number): () => void {
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#used -= amount;
      this.#admit();
    };
  }

  #fits(amount: number): boolean {
    return this.#used === 0 || this.#used + amount <= this.#max;
  }

  #admit(): void {
    for (let next = this.#waiters[0]; next !== undefined && this.#fits(next.amount); next = this.#waiters[0]) {
      this.#waiters.shift();
      this.#used += next.amount;
      next.enter();
    }
  }
}

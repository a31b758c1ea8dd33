/** A bound on what is under way: who wants a part of it waits, in order, until there is room. */

interface Waiting {
  readonly amount: number;
  readonly enter: () => void;
}

export class Window {
  readonly #max: number;
  #used = 0;
  readonly #waiting: Waiting[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  /** Takes so much, also where that alone is more than the bound, and gives what returns it. */
  async take(amount: number): Promise<() => void> {
    if (this.#waiting.length > 0 || !this.#fits(amount)) {
      await new Promise<void>((enter) => this.#waiting.push({ amount, enter }));
    } else {
      this.#used += amount;
    }
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#used -= amount;
      this.#admit();
    };
  }

  #fits(amount: number): boolean {
    return this.#used === 0 || this.#used + amount <= this.#max;
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#fits(next.amount); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#used += next.amount;
      next.enter();
    }
  }
}

/**
 * Shares this node's cores among the jobs in which it takes part: whose turn it is when a core is free. The job with
 * the fewest running tasks goes first, then the one that has waited longest, so that a short job does not wait behind a
 * long one.
 */
import type { Pool } from "../sandbox/pool.ts";

/** A job that wants cores. */
export interface Sharer {
  /** Whether it may use cores that this node does not lend. */
  readonly own: boolean;
  readonly running: number;
  /** How many tasks it wants at its cores: more than one each if they are too short to wait for the next. */
  readonly depth: number;
  /** Starts a task; returns false if it has none to start now. */
  startNext(): boolean;
}

/** Sums of fractions are a little off. */
const isLess = (sum: number, cores: number): boolean => sum < cores - 1e-6;

export class Shares {
  readonly #pool: Pool;
  readonly #cores: number;
  /** In the order of their last turn. */
  readonly #sharers = new Set<Sharer>();
  #isPumping = false;

  constructor(pool: Pool, cores: number) {
    this.#pool = pool;
    this.#cores = cores;
  }

  /** Cores that a job may use here. */
  coresFor(own: boolean): number {
    return own ? this.#cores : this.#pool.lent;
  }

  add(sharer: Sharer): void {
    this.#sharers.add(sharer);
  }

  remove(sharer: Sharer): void {
    this.#sharers.delete(sharer);
    this.pump();
  }

  /** Starts as many tasks as there is room for. */
  pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      for (let next = this.#next(); next !== undefined; next = this.#next()) {
        this.#sharers.delete(next);
        this.#sharers.add(next);
      }
    } finally {
      this.#isPumping = false;
    }
  }

  #next(): Sharer | undefined {
    const all = [...this.#sharers].filter((sharer) => this.#hasRoom(sharer)).sort((a, b) => a.running - b.running);
    return all.find((sharer) => sharer.startNext());
  }

  /** Tasks count as parts of a core, so that one of a second finds room beside a hundred short ones. */
  #hasRoom({ own }: Sharer): boolean {
    let all = 0;
    let lent = 0;
    for (const sharer of this.#sharers) {
      const cores = sharer.running / sharer.depth;
      all += cores;
      if (!sharer.own) lent += cores;
    }
    return isLess(all, this.#cores) && (own || isLess(lent, this.#pool.lent));
  }
}

/**
 * Which tab lends which of the browser's cores. Each lent core is a Web Lock, so no core is offered to the swarm twice.
 * When a tab goes in any way, another one that was waiting lends its cores. (core-budget.ts bounds how many tasks run
 * at once; this file is about what is promised.)
 */

import type { Locks } from "./tab-locks.ts";

export class LendingShare {
  readonly #locks: Locks;
  readonly #onChange: (cores: number) => void;
  /** For each core, what ends waiting for it or holding it. */
  readonly #wanted: AbortController[] = [];
  #held = 0;

  /** `onChange` is told how many cores this tab may lend now. */
  constructor(locks: Locks, onChange: (cores: number) => void) {
    this.#locks = locks;
    this.#onChange = onChange;
  }

  get held(): number {
    return this.#held;
  }

  /** Asks for the browser's first `cores` cores; gives back the others. */
  want(cores: number): void {
    while (this.#wanted.length > cores) this.#wanted.pop()?.abort();
    while (this.#wanted.length < cores) {
      const ending = new AbortController();
      const core = this.#wanted.push(ending) - 1;
      // Rejects if it was still waiting at the end.
      this.#locks
        .request(`starfish/lent/${core}`, { signal: ending.signal }, () => this.#hold(ending.signal))
        .catch(() => {});
    }
  }

  async #hold(ending: AbortSignal): Promise<void> {
    if (ending.aborted) return;
    this.#onChange(++this.#held);
    await new Promise<void>((resolve) => ending.addEventListener("abort", () => resolve(), { once: true }));
    this.#onChange(--this.#held);
  }
}

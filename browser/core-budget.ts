/**
 * The cores of one browser, shared by its tabs with Web Locks: core n is the lock "starfish-core-<n>". The tab that has
 * the lock may run a task. The browser frees the lock when the tab is closed or crashes.
 */
import type { Locks } from "./tab-locks.ts";
import { cancelled } from "../core/base/errors.ts";
import type { CoreBudget, CoreLease } from "../core/sandbox/core-budget.ts";

/**
 * How long a tab keeps a core that others may want, while it has tasks. A lock costs about 1 ms, which is little
 * against this.
 */
const TURN_MS = 1_000;

/** `cores` is the number of cores that the browser gives to tasks in all. */
export function sharedCores(locks: Locks, cores: number): CoreBudget {
  const names = Array.from({ length: cores }, (_, core) => `starfish-core-${core}`);

  async function acquire(signal: AbortSignal): Promise<CoreLease> {
    for (const name of names) {
      const lease = await hold(locks, name, { ifAvailable: true });
      if (lease !== undefined) return checked(lease, signal);
    }
    // All are taken: waits for each, and keeps the first.
    const giveUp = new AbortController();
    const either = AbortSignal.any([signal, giveUp.signal]);
    let winner: CoreLease | undefined;
    const waits = names.map(async (name) => {
      const lease = await hold(locks, name, { signal: either });
      if (winner !== undefined) lease?.release();
      else winner = lease;
      return lease;
    });
    try {
      await Promise.any(waits);
    } catch {
      // Every wait was aborted, so `winner` stays empty.
    }
    giveUp.abort();
    if (winner === undefined) throw cancelled(signal);
    return checked(winner, signal);
  }
  return { acquire };
}

function checked(lease: CoreLease, signal: AbortSignal): CoreLease {
  if (!signal.aborted) return lease;
  lease.release();
  throw cancelled(signal);
}

/** The lock, held until it is released; undefined if another holds it now. */
function hold(locks: Locks, name: string, options: LockOptions): Promise<CoreLease | undefined> {
  return new Promise((resolve, reject) => {
    locks
      .request(name, options, (lock) => {
        if (lock === null) return resolve(undefined);
        const untilMs = performance.now() + TURN_MS;
        return new Promise<void>((release) => {
          resolve({ wanted: () => performance.now() >= untilMs, release });
        });
      })
      .catch(reject);
  });
}

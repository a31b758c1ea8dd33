/**
 * Cores that several nodes of one device share (the tabs of one browser). A core is leased while tasks run on it.
 * Between two tasks it is given up if another node waits for it.
 */
export interface CoreLease {
  /** Whether another node waits for the core. */
  wanted(): boolean;
  release(): void;
}

export interface CoreBudget {
  /** A core, when one is free. Rejects with "cancelled" when the signal aborts. */
  acquire(signal: AbortSignal): Promise<CoreLease>;
}

/** For a node that has its device for itself: as many cores as it asks for. */
export const unsharedCores: CoreBudget = {
  acquire: () => Promise.resolve({ wanted: () => false, release: () => {} }),
};

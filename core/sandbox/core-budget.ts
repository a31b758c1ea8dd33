/**
 * Cores that several nodes of one device share (the tabs of one browser). A core is leased while tasks run on it and
 * given up between two tasks when another node waits for it.
 */
export interface CoreLease {
  /** Whether it is time to let somebody else have it. */
  wanted(): boolean;
  release(): void;
}

export interface CoreBudget {
  /** A core, when one is free. Rejects with "cancelled" when the signal aborts. */
  acquire(signal: AbortSignal): Promise<CoreLease>;
}

/** For a node that has its device for itself: as many as it asks for. */
export const unsharedCores: CoreBudget = {
  acquire: () => Promise.resolve({ wanted: () => false, release: () => {} }),
};

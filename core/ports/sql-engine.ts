/**
 * A thread in which SQLite holds the index of the shared database, off the thread of the node. What is said to a thread and
 * by it is core/db's (engine/messages.ts); an adapter only carries it, structured clones as they are.
 */

export interface SqlThread {
  /** Buffers in `transfer` are given away. */
  post(message: unknown, transfer: readonly ArrayBuffer[]): void;
  /**
   * Tells the call with that id, which runs now, to end. Does nothing where a running thread can't be told (a tab without
   * shared memory): then it is terminated.
   */
  interrupt(id: number): void;
  /** Whether somebody waits for it: only then does it keep the process that it belongs to from ending. */
  setBusy(isBusy: boolean): void;
  /** Ends the thread whatever it is doing. */
  terminate(): void;
}

interface SqlThreadEvents {
  /** Called with everything that the thread posts. */
  readonly receive: (message: unknown) => void;
  /** Called when it could not start, or has ended without being asked to. */
  readonly died: (message: string) => void;
}

export interface SqlEngine {
  spawn(events: SqlThreadEvents): SqlThread;
}

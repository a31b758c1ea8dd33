/**
 * A thread in which SQLite holds the index of the shared database, off the node's thread. core/db/engine/messages.ts
 * defines the messages to and from a thread; an adapter only carries them, as structured clones.
 */

export interface SqlThread {
  /** The buffers in `transfer` are moved, not copied. */
  post(message: unknown, transfer: readonly ArrayBuffer[]): void;
  /**
   * Tells the running call with that id to end. If a running thread can't be told (a tab without shared memory), it
   * does nothing, and the thread has to be terminated.
   */
  interrupt(id: number): void;
  /** Whether somebody waits for the thread. Only a busy thread keeps the process alive. */
  setBusy(isBusy: boolean): void;
  /** Ends the thread, whatever it is doing. */
  terminate(): void;
}

interface SqlThreadEvents {
  /** Called with everything that the thread posts. */
  readonly receive: (message: unknown) => void;
  /** Called if the thread could not start, or has ended without being told to. */
  readonly died: (message: string) => void;
}

export interface SqlEngine {
  spawn(events: SqlThreadEvents): SqlThread;
}

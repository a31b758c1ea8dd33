/**
 * Threads in which programs (WASI preview 1 commands) run, off the thread of the node. One thread carries all programs of a
 * session: a call that waits suspends its program (JavaScript Promise Integration), so that the others go on. What is said
 * to a thread and by it is core/process's (messages.ts); an adapter only carries it, structured clones as they are.
 */

export interface ProgramThread {
  /** Buffers in `transfer` are given away. */
  post(message: unknown, transfer: readonly ArrayBuffer[]): void;
  /** Whether somebody waits for it: only then does it keep the process that it belongs to from ending. */
  setBusy(isBusy: boolean): void;
  /** Ends the thread whatever it is doing. */
  terminate(): void;
}

interface ProgramThreadEvents {
  /** Called with everything that the thread posts. */
  readonly receive: (message: unknown) => void;
  /** Called when it could not start, or has ended without being asked to. */
  readonly died: (message: string) => void;
}

export interface Programs {
  spawn(events: ProgramThreadEvents): ProgramThread;
}

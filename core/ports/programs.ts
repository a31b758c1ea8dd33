/**
 * Threads in which programs (WASI preview 1 commands) run, off the node's thread. One thread runs all programs of a
 * session: a call that waits suspends its program (JavaScript Promise Integration), so that the others go on.
 * core/process/messages.ts defines the messages to and from a thread; an adapter only carries them, as structured
 * clones.
 */

export interface ProgramThread {
  /** The buffers in `transfer` are moved, not copied. */
  post(message: unknown, transfer: readonly ArrayBuffer[]): void;
  /** Whether somebody waits for the thread. Only a busy thread keeps the process alive. */
  setBusy(isBusy: boolean): void;
  /** Ends the thread, whatever it is doing. */
  terminate(): void;
}

interface ProgramThreadEvents {
  /** Called with everything that the thread posts. */
  readonly receive: (message: unknown) => void;
  /** Called if the thread could not start, or has ended without being told to. */
  readonly died: (message: string) => void;
}

export interface Programs {
  spawn(events: ProgramThreadEvents): ProgramThread;
}

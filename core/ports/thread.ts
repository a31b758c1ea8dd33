/**
 * A thread off the node's own, which runs until it is ended. The part that uses it defines the messages; an adapter
 * only carries them, as structured clones.
 */

export interface Thread {
  /** The buffers in `transfer` are moved, not copied. */
  post(message: unknown, transfer: readonly ArrayBuffer[]): void;
  /** Whether somebody waits for the thread. Only a busy thread keeps the process alive. */
  setBusy(isBusy: boolean): void;
  /** Ends the thread, whatever it is doing. */
  terminate(): void;
}

export interface ThreadEvents {
  /** Called with everything that the thread posts. */
  readonly receive: (message: unknown) => void;
  /** Called if the thread could not start, or has ended without being told to. */
  readonly died: (message: string) => void;
}

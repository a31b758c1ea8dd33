/** Time. This port is the only source of it in core/: real in tabs and Node.js, virtual in the simulator. */
import { cancelled, StarfishError } from "../base/errors.ts";

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** The wall clock of this node: milliseconds since 1970 UTC. It may be wrong, and it may jump. */
  now(): number;
  /** Milliseconds since some moment; never goes back. Use it for every duration. */
  monotonic(): number;
  /**
   * Calls `fire` once, not before `delayMs` from now. How much later is not promised (in hidden tabs by 1 s or more).
   */
  timer(delayMs: number, fire: () => void): Timer;
}

/** Calls `fire` every `periodMs` or later, until it is cancelled. A late call delays the ones after it. */
export function every(clock: Clock, periodMs: number, fire: () => void): Timer {
  let timer = clock.timer(periodMs, tick);
  let ended = false;
  function tick(): void {
    if (ended) return;
    timer = clock.timer(periodMs, tick);
    fire();
  }
  return {
    cancel(): void {
      ended = true;
      timer.cancel();
    },
  };
}

/** Resolves after `delayMs`. Rejects with "cancelled" when the signal aborts. */
export function sleep(
  clock: Clock,
  delayMs: number,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(cancelled(signal));
    const stop = (): void => {
      timer.cancel();
      if (signal) reject(cancelled(signal));
    };
    const timer = clock.timer(delayMs, () => {
      signal?.removeEventListener("abort", stop);
      resolve();
    });
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/**
 * Runs `work` with a signal that aborts after `timeoutMs` (with "timeout", retryable) or with the outer signal. Frees
 * the timer when the work settles. Rejects as soon as the signal aborts, even if the work ignores it.
 */
export async function withDeadline<T>(
  clock: Clock,
  timeoutMs: number,
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<T> {
  const controller = new AbortController();
  const timer = clock.timer(timeoutMs, () =>
    controller.abort(new StarfishError("timeout", `${what} took longer than ${timeoutMs} ms`, { retryable: true })),
  );
  const outer = options.signal;
  const stop = (): void => controller.abort(outer?.reason);
  if (outer?.aborted) stop();
  outer?.addEventListener("abort", stop, { once: true });
  try {
    return await abortable(controller.signal, work(controller.signal));
  } finally {
    timer.cancel();
    outer?.removeEventListener("abort", stop);
  }
}

/** The promise, or a rejection as soon as the signal aborts. */
export function abortable<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(cancelled(signal));
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

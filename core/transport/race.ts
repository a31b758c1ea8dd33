/**
 * Tries several ways to one end in order, each with a head start over the next: the idea of Happy Eyeballs (RFC 8305).
 */
import { StarfishError } from "../base/errors.ts";
import { abortable } from "../ports/clock.ts";

export interface Attempt<T> {
  /** For error messages: "tcp 10.0.0.7:4001". */
  readonly name: string;
  /** How long this attempt runs alone before the next one starts beside it. A failure starts the next one at once. */
  readonly leadMs: number;
  readonly timeoutMs: number;
  run(signal: AbortSignal): Promise<T>;
}

export interface Failure {
  readonly name: string;
  readonly error: unknown;
}

export type Outcome<T> =
  | { readonly won: true; readonly value: T }
  | { readonly won: false; readonly failures: Failure[] };

/** The first success, after which all other attempts are cancelled; or all failures. Never rejects. */
export async function race<T>(attempts: readonly Attempt<T>[], signal: AbortSignal): Promise<Outcome<T>> {
  const failures: Failure[] = [];
  const running = new Set<AbortController>();
  const result = Promise.withResolvers<Outcome<T>>();
  let started = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function startNext(): void {
    clearTimeout(timer);
    const attempt = signal.aborted ? undefined : attempts[started];
    if (attempt === undefined) {
      if (running.size === 0) result.resolve({ won: false, failures });
      return;
    }
    started++;
    timer = setTimeout(startNext, attempt.leadMs);
    const controller = new AbortController();
    running.add(controller);
    void run(attempt, controller);
  }

  async function run(attempt: Attempt<T>, controller: AbortController): Promise<void> {
    try {
      result.resolve({ won: true, value: await limited(attempt, controller, signal) });
      running.delete(controller);
    } catch (error) {
      running.delete(controller);
      failures.push({ name: attempt.name, error });
      startNext();
    }
  }

  startNext();
  const outcome = await result.promise;
  clearTimeout(timer);
  for (const controller of running) controller.abort();
  return outcome;
}

/**
 * Runs an attempt with a signal that does not abort after the attempt has succeeded, because libp2p's TCP would end the
 * connection even then. Settles when the signal aborts, even if the attempt ignores it.
 */
async function limited<T>(attempt: Attempt<T>, controller: AbortController, outer: AbortSignal): Promise<T> {
  const stop = (): void => controller.abort(outer.reason);
  const timer = setTimeout(() => {
    controller.abort(new StarfishError("timeout", `no answer within ${attempt.timeoutMs} ms`, { retryable: true }));
  }, attempt.timeoutMs);
  outer.addEventListener("abort", stop, { once: true });
  try {
    return await abortable(controller.signal, attempt.run(controller.signal));
  } finally {
    clearTimeout(timer);
    outer.removeEventListener("abort", stop);
  }
}

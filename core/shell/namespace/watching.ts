/**
 * The changes that a listener is told, as an endless stream. Several changes of a path that nobody has read yet become
 * one.
 */
import type { Unsubscribe } from "../../base/events.ts";

/** Paths that wait to be told. Beyond it, the directory that is watched stands for all of them. */
const WAITING_MAX = 1_024;

/** Ends when the signal aborts. `listen` begins at the first step. */
export async function* changesOf(
  listen: (listener: (path: string) => void) => Unsubscribe,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  const waiting = new Set<string>();
  let wake: (() => void) | undefined;
  const stop = listen((path) => {
    if (waiting.size < WAITING_MAX) waiting.add(path);
    wake?.();
  });
  const end = (): void => wake?.();
  signal.addEventListener("abort", end);
  try {
    while (!signal.aborted) {
      const [path] = waiting;
      if (path === undefined) {
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      waiting.delete(path);
      yield path;
    }
  } finally {
    stop();
    signal.removeEventListener("abort", end);
  }
}

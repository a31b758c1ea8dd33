/** What `top` and `watch` share: their screen changes by itself until a person leaves it. */
import { StarfishError } from "../../base/errors.ts";
import { type FullScreen, isKey, type ScreenEvent } from "./full-screen.ts";

/**
 * Runs `repeat`, which draws again and again until its signal is aborted; draws also at every key and new size.
 * Resolves to the status when a person has left or `repeat` has ended, and rejects with the error of `repeat`.
 */
export async function untilLeft(
  screen: FullScreen,
  draw: () => Promise<void>,
  repeat: (signal: AbortSignal) => Promise<void>,
): Promise<number> {
  const stop = new AbortController();
  // If a person's key ends it, it rejects, and that is not an error.
  const repeating = repeat(stop.signal).catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  try {
    for (;;) {
      const event = await Promise.race([screen.next(), repeating.then(() => undefined)]);
      if (event === undefined || isLeaving(event)) return 0;
      await draw();
    }
  } finally {
    stop.abort(new StarfishError("cancelled", "Not watched any more"));
    await repeating;
  }
}

function isLeaving(event: ScreenEvent): boolean {
  const isLetter = event.kind === "key" && event.key.kind === "text" && /^q/i.test(event.key.text);
  return isLetter || isKey(event, "interrupt") || isKey(event, "quit");
}

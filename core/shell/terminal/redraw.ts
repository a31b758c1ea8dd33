/** What programs share whose screen changes by itself until a person leaves it: `top` and `watch`. */
import { StarfishError } from "../../base/errors.ts";
import { type FullScreen, isKey, type ScreenEvent } from "./full-screen.ts";

/**
 * Runs `repeat`, which draws again and again until its signal is aborted, and draws besides with every key and new size.
 * Resolves to the status once a person has left or `repeat` has ended; rejects with what it rejects with.
 */
export async function untilLeft(
  screen: FullScreen,
  draw: () => Promise<void>,
  repeat: (signal: AbortSignal) => Promise<void>,
): Promise<number> {
  const stop = new AbortController();
  // Ended by the person's key, it rejects, which is told to nobody.
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

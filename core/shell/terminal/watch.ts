/** The program behind `watch`: what a command prints, drawn anew each time. */
import { StarfishError } from "../../base/errors.ts";
import { oneLine } from "../harmless.ts";
import { decodeText } from "../language/bytes.ts";
import type { Text } from "../styled.ts";
import { cut } from "../width.ts";
import { isKey, type FullScreen, type ScreenEvent } from "./full-screen.ts";
import { inverse, screenOf, visibleText, windowOf } from "./rows.ts";

export async function runWatch(
  screen: FullScreen,
  title: string | undefined,
  output: (signal: AbortSignal) => Promise<Uint8Array>,
  pause: (signal: AbortSignal) => Promise<void>,
): Promise<number> {
  const stop = new AbortController();
  let shown: readonly string[] = [];
  const draw = async (): Promise<void> => {
    const { columns, rows } = screen.info();
    const head: Text[] = title === undefined ? [] : [inverse(cut(oneLine(title), Math.max(1, columns - 1)))];
    const lines = shown.slice(0, Math.max(0, rows - head.length));
    await screen.draw(screenOf([...head, ...lines.map((line) => windowOf(visibleText(line), 0, columns))]));
  };
  const repeat = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      shown = decodeText(await output(stop.signal)).split("\n");
      await draw();
      await pause(stop.signal);
    }
  };
  await draw();
  // Ends with the person's key; what it was ended by is not told.
  const repeating = repeat().catch((error: unknown) => {
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

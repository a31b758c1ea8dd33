/** The program behind `watch`: the output of a command, redrawn each time. */
import { oneLine } from "../harmless.ts";
import { decodeText } from "../language/bytes.ts";
import type { Text } from "../styled.ts";
import { cut } from "../width.ts";
import type { FullScreen } from "./full-screen.ts";
import { untilLeft } from "./redraw.ts";
import { inverse, screenOf, visibleText, windowOf } from "./rows.ts";

export async function runWatch(
  screen: FullScreen,
  title: string | undefined,
  output: (signal: AbortSignal) => Promise<Uint8Array>,
  pause: (signal: AbortSignal) => Promise<void>,
): Promise<number> {
  let shown: readonly string[] = [];
  const draw = async (): Promise<void> => {
    const { columns, rows } = screen.info();
    const head: Text[] = title === undefined ? [] : [inverse(cut(oneLine(title), Math.max(1, columns - 1)))];
    const lines = shown.slice(0, Math.max(0, rows - head.length));
    await screen.draw(screenOf([...head, ...lines.map((line) => windowOf(visibleText(line), 0, columns))]));
  };
  await draw();
  return await untilLeft(screen, draw, async (signal) => {
    while (!signal.aborted) {
      shown = decodeText(await output(signal)).split("\n");
      await draw();
      await pause(signal);
    }
  });
}

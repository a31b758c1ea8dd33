/**
 * `sql --watch`: shows the answer, and each new one, on the whole screen; without a screen, one answer after the other.
 */
import { StarfishError } from "../../base/errors.ts";
import type { LiveQuery, Snapshot, SqlRow } from "../../db/types.ts";
import { abortable } from "../../ports/clock.ts";
import { oneLine } from "../harmless.ts";
import { joined, linesOf, type Text } from "../styled.ts";
import type { FullScreen } from "../terminal/full-screen.ts";
import { untilLeft } from "../terminal/redraw.ts";
import { inverse, screenOf } from "../terminal/rows.ts";
import type { CommandContext } from "../types.ts";
import { cut } from "../width.ts";
import { laidOut, type Mode } from "./layout.ts";
import { toJson } from "../mem/value.ts";

export async function watchOnScreen(
  live: LiveQuery<SqlRow>,
  title: string,
  mode: Mode,
  screen: FullScreen,
): Promise<number> {
  let wake: () => void = () => {};
  const stop = live.subscribe(() => wake());
  const draw = (): Promise<void> => screen.draw(frame(live.current(), title, mode, screen));
  try {
    return await untilLeft(screen, draw, async (signal) => {
      for (;;) {
        const changed = new Promise<void>((resolve) => (wake = resolve));
        await draw();
        await abortable(signal, changed);
      }
    });
  } finally {
    stop();
  }
}

function frame(
  { rows, columns, isReady, error }: Snapshot<SqlRow>,
  title: string,
  mode: Mode,
  screen: FullScreen,
): Text {
  const info = screen.info();
  const head = inverse(cut(oneLine(`${title} · q leaves`), Math.max(1, info.columns - 1)));
  const told = error === undefined ? [] : [cut(oneLine(error.message), info.columns)];
  const room = Math.max(0, info.rows - 1 - told.length);
  // Rows below the screen need not be laid out.
  const shown = rows.slice(0, room).map((row) => columns.map((name) => row[name] ?? null));
  const lines = isReady ? linesOf(laidOut(mode, columns, shown, info)) : [error === undefined ? "…" : ""];
  const kept = lines.slice(0, room);
  const isCut = lines.length > room || rows.length > shown.length;
  if (isCut && kept.length > 0) kept[kept.length - 1] = `… ${rows.length} rows`;
  return screenOf([head, ...told, ...kept]);
}

/** Answers separated by a blank line; as JSON, one answer a line. Ends when the signal aborts, or nobody reads. */
export async function watchInPipe(
  live: LiveQuery<SqlRow>,
  mode: Mode,
  { stdout, stderr, signal, terminal }: CommandContext,
): Promise<number> {
  let wake: () => void = () => {};
  const stop = live.subscribe(() => wake());
  let told: Error | undefined;
  let last: Snapshot<SqlRow> | undefined;
  try {
    for (;;) {
      const changed = new Promise<void>((resolve) => (wake = resolve));
      const snapshot = live.current();
      if (snapshot.error !== undefined && snapshot.error !== told) {
        // There was never an answer, so the query itself is wrong.
        if (last === undefined) throw snapshot.error;
        await stderr.print(`sql: ${snapshot.error.message}\n`);
      }
      told = snapshot.error;
      if (snapshot.isReady && snapshot.error === undefined && snapshot !== last) {
        if (last !== undefined && mode !== "json") await stdout.print("\n");
        last = snapshot;
        await stdout.print(answer(snapshot, mode, terminal.stdout));
      }
      await abortable(signal, changed);
    }
  } finally {
    stop();
  }
}

function answer({ rows, columns }: Snapshot<SqlRow>, mode: Mode, screen: CommandContext["terminal"]["stdout"]): Text {
  if (mode === "json") return `${toJson(rows)}\n`;
  return joined([
    laidOut(
      mode,
      columns,
      rows.map((row) => columns.map((name) => row[name] ?? null)),
      screen,
    ),
  ]);
}

/** Throws "usage" for statements that can't be watched. */
export function checkWatched(queries: readonly string[]): string {
  const [query, another] = queries;
  if (query === undefined) throw new StarfishError("usage", "the query to be watched is missing");
  if (another !== undefined) throw new StarfishError("usage", "one query can be watched, not several");
  return query;
}

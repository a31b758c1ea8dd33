/**
 * Where answers are shown: a pipe, a terminal, or between the lines of an interactive session; and how a large answer
 * is paged.
 */
import { utf8 } from "../../base/bytes.ts";
import { isStarfishError } from "../../base/errors.ts";
import type { Cursor } from "../../db/types.ts";
import { createPipe } from "../pipe.ts";
import { compose, joined, linesOf, type Text } from "../styled.ts";
import type { CommandContext, TerminalInfo } from "../types.ts";
import { dim, count } from "../format.ts";
import { layoutOf, type Mode } from "./layout.ts";
import { AHEAD_BYTES_MAX } from "./limits.ts";

export interface Place {
  print(text: Text): Promise<void>;
  /** Prints what is not part of the answer. */
  tell(text: Text): Promise<void>;
  /** The terminal, if it is one. */
  readonly screen: TerminalInfo | undefined;
  /** Shows the answer screen by screen until the person has seen enough; present if there is a screen. */
  readonly page?: ((pieces: AsyncIterable<Text>) => Promise<void>) | undefined;
}

export function placeOf(context: CommandContext): Place {
  const { stdout, stderr, terminal, fullScreen } = context;
  return {
    print: (text) => stdout.print(text),
    tell: (text) => stderr.print(text),
    get screen() {
      return terminal.stdout;
    },
    ...(fullScreen === undefined ? {} : { page: (pieces: AsyncIterable<Text>) => leafThrough(pieces, context) }),
  };
}

/** Shows it in the shell's own `less`. A large answer is fetched ahead, so that nobody waits for a person who reads. */
export async function leafThrough(pieces: AsyncIterable<Text>, { run }: CommandContext): Promise<void> {
  const pipe = createPipe(AHEAD_BYTES_MAX);
  const fetching = (async () => {
    for await (const piece of pieces) await pipe.output.write(utf8(colourless(piece)));
  })().finally(() => pipe.output.end());
  // Its error is shown when the screen is free again.
  fetching.catch(() => {});
  await run(["less", "-S"], { stdin: pipe.input });
  pipe.close();
  await fetching.catch((error: unknown) => {
    if (!isStarfishError(error, "closed")) throw error;
  });
}

/** less shows plain text only. */
function colourless(text: Text): string {
  if (typeof text === "string") return text;
  return text.parts.map((part) => (part.own ? "" : part.text)).join("");
}

/** Rows of the screen for a prompt and what was typed. */
const OWN_ROWS = 3;

/** Shows all rows, or says what was changed. Closes the cursor. */
export async function showAnswer(cursor: Cursor, mode: Mode, place: Place): Promise<void> {
  await using open = cursor;
  const { screen } = place;
  if (open.columns.length === 0) {
    if (screen !== undefined && open.changes > 0)
      await place.tell(compose`${dim(`${count(open.changes, "row")} changed.`, screen)}\n`);
    return;
  }
  const pieces = answerOf(open, mode, screen);
  if (screen === undefined || place.page === undefined) {
    for await (const piece of pieces) await place.print(piece);
    return;
  }
  const shown: Text[] = [];
  let lines = 0;
  const rest = pieces[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await rest.next();
    if (done === true) return await place.print(joined(shown));
    shown.push(value);
    lines += linesOf(value).length;
    if (lines > screen.rows - OWN_ROWS) break;
  }
  await place.page(inOrder(shown, rest));
}

async function* answerOf(
  cursor: Cursor,
  mode: Mode,
  screen: TerminalInfo | undefined,
): AsyncGenerator<Text, void, undefined> {
  const names = cursor.columns.map(({ name }) => name);
  const layout = layoutOf(mode, names, screen);
  let rows = 0;
  for (let page = await cursor.next(); page !== undefined; page = await cursor.next()) {
    rows += page.length;
    yield layout.page(page);
  }
  const isRead = screen !== undefined && (mode === "table" || mode === "line");
  yield joined([layout.end(), ...(isRead ? [dim(`${count(rows, "row")}.`, screen), "\n"] : [])]);
}

async function* inOrder(first: readonly Text[], rest: AsyncIterator<Text>): AsyncGenerator<Text, void, undefined> {
  yield* first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

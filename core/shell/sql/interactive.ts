/** `sql` at a terminal: runs statements as they are typed, until `.quit` or Ctrl-D. */
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import { dim } from "../format.ts";
import { History } from "../history.ts";
import { historyOf } from "../terminal/history-store.ts";
import { compose, type Text } from "../styled.ts";
import type { CommandContext } from "../types.ts";
import { completeSql } from "./complete.ts";
import { Keyboard } from "./keyboard.ts";
import type { Mode } from "./layout.ts";
import { leafThrough, type Place } from "./output.ts";
import { isIncomplete, piecesOf } from "./split.ts";
import { NO_PARAMETERS, runPiece, type Session } from "./statements.ts";
import type { Target } from "./target.ts";

const PROMPT = "sql> ";
/** The prompt while a transaction is open. */
const OPEN_PROMPT = "sql*> ";
const MORE = "...> ";
/** Well below TRANSACTION_IDLE_MS. */
const TOUCH_MS = 2_000;

export async function runInteractive(
  target: Target,
  mode: Mode,
  open: NonNullable<CommandContext["ownLines"]>,
  context: CommandContext,
): Promise<number> {
  const keyboard = new Keyboard({
    open,
    history: new History(historyOf(context.computer.store, "sql")),
    isIncomplete,
    complete: async (line, cursor) => completeSql(line, cursor, await target.schema().catch(nothing)),
    onKey: touching(target, context),
    more: MORE,
  });
  const place: Place = {
    print: (text) => keyboard.print(text),
    tell: (text) => keyboard.print(text),
    get screen() {
      return keyboard.info;
    },
    page: (pieces) => keyboard.without(() => leafThrough(pieces, context)),
  };
  const session: Session = { context, target, place, mode, parameters: NO_PARAMETERS, isOver: false };
  try {
    await keyboard.print(
      compose`${dim("Statements end with ';'. '.help' lists what else there is, Ctrl-D leaves.", keyboard.info)}\n`,
    );
    while (!session.isOver) await once(session, keyboard);
    if (await target.close()) await keyboard.print("The transaction that was open is rolled back.\n");
    return 0;
  } finally {
    keyboard.close();
    await target.close();
  }
}

/** A transaction that is idle for some seconds is rolled back; typing counts as using it. */
function touching(target: Target, { computer: { clock } }: CommandContext): () => void {
  let lastMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (!target.isInTransaction || clock.monotonic() - lastMs < TOUCH_MS) return;
    lastMs = clock.monotonic();
    target.touch();
  };
}

async function once(session: Session, keyboard: Keyboard): Promise<void> {
  const typed = await keyboard.read(session.target.isInTransaction ? OPEN_PROMPT : PROMPT);
  if (typed.kind === "end") session.isOver = true;
  if (typed.kind !== "text") return;
  const { signal } = session.context;
  try {
    const pieces = piecesOf(typed.text);
    await keyboard.during(async (stop) => {
      for (const piece of pieces) {
        if (session.isOver) return;
        await runPiece(piece, session, stop, pieces.length === 1);
      }
    }, signal);
  } catch (error) {
    if (signal.aborted || !isStarfishError(error)) throw error;
    await keyboard.print(faultWords(error));
    if (error.code === "closed" && session.target.database === undefined) throw error;
  }
}

function faultWords(error: StarfishError): Text {
  return error.code === "cancelled" ? "Cancelled.\n" : `${error.message}\n`;
}

/** Completion is optional: if the schema can't be read, statements will say why. */
function nothing(error: unknown): [] {
  if (isStarfishError(error)) return [];
  throw error;
}

/** The code of `sql`. Loaded when it is first called. */
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import type { Options } from "../getopt.ts";
import { noMoreOperands } from "../operands.ts";
import { readAll } from "../pipe.ts";
import type { CommandContext } from "../types.ts";
import { parameterOf } from "./csv.ts";
import { exportTo } from "./export.ts";
import { importFile } from "./import.ts";
import { runInteractive } from "./interactive.ts";
import { MODES, type Mode } from "./layout.ts";
import { momentOf } from "./moment.ts";
import { OPENED_BYTES_MAX } from "./limits.ts";
import { placeOf } from "./output.ts";
import { type Piece, piecesOf, Splitter } from "./split.ts";
import { type Parameters, runPiece, type Session } from "./statements.ts";
import { Target } from "./target.ts";
import { textOf } from "./text.ts";
import { checkWatched, watchInPipe, watchOnScreen } from "./watch.ts";

export async function runSql(options: Options, context: CommandContext): Promise<number> {
  const given = ["watch", "import", "export"].filter((name) => options.has(name));
  if (given.length > 1) throw new StarfishError("usage", `--${given.join(" and --")} can't be used together`);
  const [opened, at] = [options.value("open"), options.value("at")];
  if (at !== undefined) return await runAt(at, options, context);
  if (opened === undefined) return await runOn(Target.shared(context.computer), options, context);
  if (options.has("import") || options.has("watch"))
    throw new StarfishError("unsupported", "a file given to --open can only be read: nothing changes there");
  await using file = await openFile(opened, context);
  return await runOn(new Target(file), options, context);
}

/** On the tables as they were. */
async function runAt(at: string, options: Options, context: CommandContext): Promise<number> {
  if (options.has("open")) throw new StarfishError("usage", "--at and --open can't be used together");
  if (options.has("import") || options.has("watch"))
    throw new StarfishError("unsupported", "the past can only be read: nothing changes there");
  const { sql, memory } = context.computer;
  await using was = await sql.at(momentOf(at, memory.now()));
  return await runOn(new Target(was), options, context);
}

async function openFile(
  operand: string,
  context: CommandContext,
): ReturnType<CommandContext["computer"]["sql"]["openFile"]> {
  const bytes = await readAll(context.input(operand), OPENED_BYTES_MAX).catch((error: unknown) => {
    if (!isStarfishError(error, "too-large")) throw error;
    throw new StarfishError(
      "too-large",
      `${operand} is larger than ${OPENED_BYTES_MAX} bytes, more than can be opened`,
    );
  });
  return await context.computer.sql.openFile(bytes).catch((error: unknown) => {
    if (!isStarfishError(error, "usage")) throw error;
    throw new StarfishError("malformed", `${operand} can't be opened: ${error.message}`, { cause: error });
  });
}

async function runOn(target: Target, options: Options, context: CommandContext): Promise<number> {
  const mode = MODES.find((name) => name === options.last(...MODES)) ?? "table";
  const [word, ...others] = options.operands;
  // A command with a dot gets the words that follow it.
  const isDot = word?.startsWith(".") === true;
  const [first, rest] = isDot ? [options.operands.map(dotWord).join(" "), []] : [word, others];
  if (options.has("import")) {
    noMoreOperands(options.operands, 1);
    const csv = { delimiter: delimiterOf(options), hasHeader: !options.has("no-header") };
    await importFile(options.value("import") ?? "", first, csv, context);
    return 0;
  }
  const parameters = parametersOf(options, options.has("f") ? options.operands : rest);
  if (options.has("export")) {
    await exportTo({ file: options.value("export") ?? "", what: first, parameters }, target, context);
    return 0;
  }
  if (options.has("watch")) return await watch(first, parameters, mode, context);
  const file = options.value("f");
  const isAtKeyboard = context.terminal.stdin !== undefined;
  if (file === undefined && first === undefined && isAtKeyboard && context.ownLines !== undefined)
    return await runInteractive(target, mode, context.ownLines, context);
  if (file === undefined && first === undefined && isAtKeyboard)
    throw new StarfishError("usage", "a statement is missing");
  const session: Session = { context, target, place: placeOf(context), mode, parameters, isOver: false };
  try {
    if (file === undefined && first !== undefined) await runText(first, session);
    else await runStream(file ?? "-", session);
    if (await target.close())
      throw new StarfishError("malformed", "the transaction that BEGIN has opened was rolled back: COMMIT is missing");
    return 0;
  } finally {
    await target.close();
  }
}

async function runText(text: string, session: Session): Promise<void> {
  const pieces = piecesOf(text);
  if (pieces.length === 0) throw new StarfishError("usage", "a statement is missing");
  if (pieces.length > 1 && session.parameters.byPlace.length > 0)
    throw new StarfishError("usage", "PARAMs are for one statement, and these are several: use --param NAME=VALUE");
  for (const piece of pieces)
    if (!session.isOver) await runPiece(piece, session, session.context.signal, pieces.length === 1);
}

async function runStream(file: string, session: Session): Promise<void> {
  if (session.parameters.byPlace.length > 0)
    throw new StarfishError("usage", "PARAMs are for one statement: for a file use --param NAME=VALUE");
  const { context } = session;
  const splitter = new Splitter();
  const run = async (pieces: readonly Piece[]): Promise<void> => {
    for (const piece of pieces) if (!session.isOver) await runPiece(piece, session, context.signal, false);
  };
  for await (const text of textOf(context.input(file), file)) {
    await run(splitter.feed(text));
    if (session.isOver) return;
  }
  await run(splitter.end());
}

/** As the line of a command with a dot has it. */
function dotWord(word: string): string {
  return /\s/.test(word) && !word.includes('"') ? `"${word}"` : word;
}

function parametersOf(options: Options, words: readonly string[]): Parameters {
  const byName: Record<string, string | number | bigint> = {};
  for (const given of options.values("param")) {
    const equals = given.indexOf("=");
    const name = given.slice(0, Math.max(0, equals)).replace(/^[:@$]/, "");
    if (!/^\w+$/.test(name)) throw new StarfishError("usage", `--param is NAME=VALUE, not '${given}'`);
    byName[name] = parameterOf(given.slice(equals + 1));
  }
  if (words.length > 0 && Object.keys(byName).length > 0)
    throw new StarfishError("usage", "give parameters by position or by name, not both");
  return { byPlace: words.map(parameterOf), byName };
}

async function watch(
  query: string | undefined,
  parameters: Parameters,
  mode: Mode,
  context: CommandContext,
): Promise<number> {
  const { computer, fullScreen, signal } = context;
  const text = checkWatched(query === undefined ? [] : piecesOf(query).map((piece) => piece.text));
  const live = computer.sql.query(text, parameters.byPlace.length > 0 ? parameters.byPlace : parameters.byName).live();
  if (fullScreen === undefined) return await watchInPipe(live, mode, context);
  const screen = fullScreen();
  const close = (): void => screen.close();
  signal.addEventListener("abort", close, { once: true });
  try {
    return await watchOnScreen(live, text, mode, screen);
  } finally {
    signal.removeEventListener("abort", close);
    close();
  }
}

function delimiterOf(options: Options): string | undefined {
  const given = options.value("delimiter");
  if (given === undefined) return undefined;
  const delimiter = given === "tab" || given === "\\t" ? "\t" : given;
  if (delimiter.length === 1 && !/["\r\n]/.test(delimiter)) return delimiter;
  throw new StarfishError("usage", `--delimiter is one character, or 'tab', not '${given}'`);
}

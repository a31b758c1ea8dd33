/**
 * Runs what a person wrote: statements one after the other, and commands that begin with a dot. Errors say where they
 * are.
 */
import { isStarfishError, messageOf, StarfishError } from "../../base/errors.ts";
import type { SqlParameter, SqlParameters } from "../../db/types.ts";
import { tokensOf } from "../../db/schema/tokens.ts";
import { SqlError } from "../../db/sql-error.ts";
import type { CommandContext } from "../types.ts";
import { runDot } from "./dots.ts";
import type { Mode } from "./layout.ts";
import { type Place, showAnswer } from "./output.ts";
import { placeOf, pointed } from "./place.ts";
import type { Piece } from "./split.ts";
import type { Target } from "./target.ts";

export interface Session {
  readonly context: CommandContext;
  readonly target: Target;
  readonly place: Place;
  /** The format of answers; `.mode` changes it. */
  mode: Mode;
  readonly parameters: Parameters;
  /** Whether `.quit` was typed. */
  isOver: boolean;
}

export interface Parameters {
  readonly byPlace: readonly SqlParameter[];
  readonly byName: Readonly<Record<string, SqlParameter>>;
}

export const NO_PARAMETERS: Parameters = { byPlace: [], byName: {} };

/** An error whose place was found; its message has several lines. */
export class LocatedError extends StarfishError {}

/** `isAlone`: the piece is the whole text, so its line need not be named. */
export async function runPiece(piece: Piece, session: Session, signal: AbortSignal, isAlone = true): Promise<void> {
  if (piece.kind === "dot") return await runDot(piece.text, session, signal);
  try {
    const cursor = await session.target.open(piece.text, boundTo(piece.text, session.parameters), signal);
    if (cursor !== undefined) await showAnswer(cursor, session.mode, session.place);
  } catch (error) {
    throw located(error, piece, session, isAlone);
  }
}

/** A statement gets only the named parameters that it uses. */
function boundTo(sql: string, { byPlace, byName }: Parameters): SqlParameters {
  const names = Object.keys(byName);
  if (names.length === 0) return byPlace;
  const used = new Set<string>();
  let before = "";
  for (const { text, kind } of tokensOf(sql)) {
    if (kind === "word" && /^[:@$]$/.test(before)) used.add(text);
    before = text;
  }
  return Object.fromEntries(names.filter((name) => used.has(name)).map((name) => [name, byName[name]]));
}

function located(error: unknown, piece: Piece, { place }: Session, isAlone: boolean): unknown {
  if (!isStarfishError(error) || error.code !== "usage") return isAlone ? error : inLine(error, piece.line);
  const message = messageOf(error);
  const at = placeOf(piece.text, message, error instanceof SqlError ? error.at : undefined);
  const line = piece.line + (at === undefined ? 0 : piece.text.slice(0, at.from).split("\n").length - 1);
  const which = isAlone && !piece.text.includes("\n") ? "" : `line ${line}: `;
  const shown = at === undefined ? "" : `\n${pointed(piece.text, at, place.screen?.columns ?? 100)}`;
  // The words of the command were right and the SQL is wrong, so the error does not refer to `--help`.
  return new LocatedError("malformed", `${which}${message}${shown}`, { cause: error });
}

function inLine(error: unknown, line: number): unknown {
  if (!isStarfishError(error) || error.code === "cancelled" || error.code === "closed") return error;
  return new LocatedError(error.code, `line ${line}: ${error.message}`, { cause: error, retryable: error.retryable });
}

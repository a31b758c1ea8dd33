/** The program of the thread. Calls arrive as messages, one after the other, and each is answered. */
import { isStarfishError, messageOf, StarfishError } from "../../base/errors.ts";
import { failureOf } from "../sql-error.ts";
import type { AnswerMessage, CallMessage, Outcome } from "./messages.ts";
import { type IndexPlatform, SqlIndex } from "./sql-index.ts";

export interface ServeOptions extends Omit<IndexPlatform, "isInterrupted"> {
  /** The number of the call that has to end; 0: none. */
  readonly interrupted: () => number;
}

/** Returns the function to call with each message. */
export function serveIndex(
  options: ServeOptions,
  post: (answer: AnswerMessage, transfer: ArrayBuffer[]) => void,
): (message: CallMessage) => void {
  let running = 0;
  const index = new SqlIndex({ ...options, isInterrupted: () => options.interrupted() === running });
  return ({ id, call, input }) => {
    running = id;
    const outcome = outcomeOf(() => {
      const method = index[call] as (...given: readonly unknown[]) => unknown;
      return method.apply(index, [...input]);
    });
    running = 0;
    const whole = outcome.error === undefined && outcome.value instanceof Uint8Array ? outcome.value : undefined;
    post({ id, outcome }, whole?.buffer instanceof ArrayBuffer ? [whole.buffer] : []);
  };
}

function outcomeOf(work: () => unknown): Outcome<unknown> {
  try {
    return { value: work() };
  } catch (error) {
    if (isStarfishError(error)) return { error: failureOf(error) };
    // A defect of this code, or out of memory: the index can't be trusted any more.
    throw new StarfishError("closed", messageOf(error), { cause: error });
  }
}

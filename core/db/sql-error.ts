/**
 * The error of a statement, in a form that crosses from the index's thread. An Error loses its own fields on the way.
 */
import { type ErrorCode, StarfishError } from "../base/errors.ts";

export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly at?: number | undefined;
}

export class SqlError extends StarfishError {
  /** Where SQLite found the fault: UTF-16 units from the beginning of the statement; undefined if it doesn't say. */
  readonly at: number | undefined;

  constructor({ code, message, retryable, at }: Failure) {
    super(code, message, { retryable });
    this.at = at;
  }
}

export function failureOf(error: StarfishError): Failure {
  const { code, message, retryable } = error;
  return { code, message, retryable, at: "at" in error && typeof error.at === "number" ? error.at : undefined };
}

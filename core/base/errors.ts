/**
 * The one error type of Starfish. Code branches on `code`; people read `message`, which says what happened and what to
 * do next. Faults of the world (peers, disks, users) are StarfishErrors; our own bugs are assertion failures.
 */

/** Every code there is; errors from other nodes are checked against it. */
export const ERROR_CODES = [
  // asked to stop, or took too long
  "cancelled",
  "timeout",
  // net
  "unreachable", // no path to the peer could be found now
  "link-closed",
  "not-a-member", // the other side shows no valid certificate, or refuses ours
  "wrong-swarm",
  "version-mismatch", // the other side speaks another protocol version; nobody's fault
  "bad-certificate",
  "bad-invite",
  "malformed", // bytes that do not parse as what they should be
  "too-large",
  "busy", // a bounded queue is full; try later
  "unknown-protocol",
  "remote-failure", // the peer answered with an error of its own
  // memory
  "full", // the byte budget is used up
  "clock", // this node's clock can't be brought in line with the others'
  // database
  "constraint", // a rule of a table forbids it: UNIQUE, NOT NULL, CHECK, a key
  // disk
  "lost", // too few of a content's shards are in reach
  "not-a-directory",
  "is-a-directory",
  "not-empty",
  "exists",
  // cpu
  "not-wasm",
  "wasm-imports",
  "wasm-abi", // lacks memory, alloc or run, or breaks the ABI
  "wasm-unsupported", // uses a WebAssembly feature that is refused (threads, memory64)
  "wasm-trap",
  "task-failed", // a program's exit status, a script's exception
  "out-of-fuel", // the task used up what its job gave it
  "call-depth", // the task's calls nest too deeply
  "out-of-memory",
  "no-cores",
  // shell and host
  "usage",
  "not-found",
  "ambiguous",
  "unsupported", // this platform cannot do it
  "in-use", // data directory, port
  "io",
  "corrupt", // bytes that do not match their hash
  "closed",
  // io
  "refused", // a person said no
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export class StarfishError extends Error {
  override readonly name = "StarfishError";
  readonly code: ErrorCode;
  /** Whether the same call may succeed later without anything being changed by the caller. */
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; retryable?: boolean } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

export function isStarfishError(error: unknown, code?: ErrorCode): error is StarfishError {
  return error instanceof StarfishError && (code === undefined || error.code === code);
}

/** The error as a StarfishError: itself, or wrapped under `code`. */
export function toStarfishError(error: unknown, code: ErrorCode): StarfishError {
  if (error instanceof StarfishError) return error;
  return new StarfishError(code, messageOf(error), { cause: error });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A "cancelled" error that carries the signal's reason. */
export function cancelled(signal: AbortSignal): StarfishError {
  if (signal.reason instanceof StarfishError) return signal.reason;
  return new StarfishError("cancelled", "Cancelled", { cause: signal.reason });
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled(signal);
}

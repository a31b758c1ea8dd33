/** How a running script leaves its normal course: faults that end it, and `break`, `continue`, `return`, `exit`. */

/** A fault of the script itself. A `fatal` one ends a script that is not interactive; others only fail the command. */
export class ShellFault extends Error {
  readonly status: number;
  readonly isFatal: boolean;
  /** Whether `set -e` ends the shell for it; a fault in `$((…))` only ends its line. */
  isFailure = true;
  constructor(message: string, options: { status?: number; isFatal?: boolean } = {}) {
    super(message);
    this.status = options.status ?? 1;
    this.isFatal = options.isFatal ?? false;
  }
}

/** Thrown to unwind the interpreter, without being an error. */
abstract class Jump extends Error {}

export class LoopJump extends Jump {
  readonly kind: "break" | "continue";
  /** Loops that are still to be left; at least 1. */
  levels: number;
  constructor(kind: "break" | "continue", levels: number) {
    super(kind);
    this.kind = kind;
    this.levels = levels;
  }
}

export class ReturnJump extends Jump {
  readonly status: number;
  constructor(status: number) {
    super("return");
    this.status = status;
  }
}

/** Ends the shell or subshell that it is thrown in. */
export class ExitJump extends Jump {
  readonly status: number;
  /** The text could not be parsed. */
  readonly isSyntax: boolean;
  constructor(status: number, { isSyntax = false }: { isSyntax?: boolean } = {}) {
    super("exit");
    this.status = status;
    this.isSyntax = isSyntax;
  }
}

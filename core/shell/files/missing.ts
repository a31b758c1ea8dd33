/**
 * Counts the files that a command could not bring. Each is named when it is found, and the number is told at the end.
 */
import { utf8 } from "../../base/bytes.ts";
import { type ErrorCode, StarfishError } from "../../base/errors.ts";
import { count } from "../format.ts";
import { oneLine } from "../mem/value.ts";
import type { CommandContext } from "../types.ts";

export class Missing {
  readonly #command: string;
  readonly #context: Pick<CommandContext, "stderr">;
  readonly #beforeOutput: () => void;
  #count = 0;

  /** @param beforeOutput takes away what is drawn on the terminal */
  constructor(command: string, context: Pick<CommandContext, "stderr">, beforeOutput: () => void) {
    this.#command = command;
    this.#context = context;
    this.#beforeOutput = beforeOutput;
  }

  get count(): number {
    return this.#count;
  }

  /** Names a file that was not brought, or not in the right form. */
  async tell(why: string): Promise<void> {
    this.#count++;
    await this.note(why);
  }

  async note(words: string): Promise<void> {
    this.#beforeOutput();
    await this.#context.stderr.write(utf8(`${this.#command}: ${oneLine(words)}\n`));
  }

  /** Tells the number at the end, if other files were brought. */
  async sum(): Promise<void> {
    if (this.#count === 0) return;
    const are = this.#count === 1 ? "is" : "are";
    await this.note(`${count(this.#count, "file")} of these ${are} missing or not whole, as named above`);
  }
}

/** Errors that concern one file, at either end; the others may be brought all the same. */
const OF_ONE: ReadonlySet<ErrorCode> = new Set([
  "exists",
  "is-a-directory",
  "not-a-directory",
  "not-found",
  "malformed",
  "too-large",
  "unsupported",
]);

export function isOfOne(error: unknown): error is StarfishError {
  return error instanceof StarfishError && OF_ONE.has(error.code);
}

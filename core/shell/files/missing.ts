/** What a command that brings many files could not bring: each is named when it is found, and all are counted at the end. */
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

  /** @param beforeOutput Takes away what is drawn on the terminal. */
  constructor(command: string, context: Pick<CommandContext, "stderr">, beforeOutput: () => void) {
    this.#command = command;
    this.#context = context;
    this.#beforeOutput = beforeOutput;
  }

  get count(): number {
    return this.#count;
  }

  /** One that did not come, or not as it should. */
  async tell(why: string): Promise<void> {
    this.#count++;
    await this.note(why);
  }

  async note(words: string): Promise<void> {
    this.#beforeOutput();
    await this.#context.stderr.write(utf8(`${this.#command}: ${oneLine(words)}\n`));
  }

  /** At the end, where others have come. */
  async sum(): Promise<void> {
    if (this.#count === 0) return;
    const are = this.#count === 1 ? "is" : "are";
    await this.note(`${count(this.#count, "file")} of these ${are} missing or not whole, as named above`);
  }
}

/** What is in the way of one file, at either end; the others may come all the same. */
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

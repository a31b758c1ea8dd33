/** The memory for files that are changed in the middle, shared by all programs of a session. */
import { StarfishError } from "../base/errors.ts";

export class Budget {
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Throws "full". */
  take(bytes: number): void {
    if (this.#bytes + bytes > this.#bytesMax) {
      throw new StarfishError(
        "full",
        `files that are changed in the middle are held in memory until they are closed, ${this.#bytesMax} bytes at most`,
      );
    }
    this.#bytes += bytes;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}

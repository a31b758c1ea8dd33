/** The targets of the files of one command. */
import { StarfishError } from "../../base/errors.ts";
import { absolute, parsePath } from "../../disk/files/path.ts";

/** Keeps the targets of one command's files, because a second file with the same target would replace the first. */
export class Targets {
  readonly #paths = new Set<string>();

  /** Throws "exists". */
  add(target: string): void {
    const path = parsePath(target);
    if (this.#paths.has(path)) {
      throw new StarfishError("exists", `two of these would go to ${absolute(path)}: give them names of their own`);
    }
    this.#paths.add(path);
  }
}

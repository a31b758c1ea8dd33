/** Where files of one command go. */
import { StarfishError } from "../../base/errors.ts";
import { absolute, parsePath } from "../../disk/files/path.ts";

/** Where the files of one command go: the second that would go to a place would replace the first. */
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

/** What `mem` has to know about each of its verbs. */
import type { CommandContext } from "../types.ts";

export interface MemVerb {
  /** With their dashes, for completion. */
  readonly options: readonly string[];
  /** How many of its words are keys, or prefixes of keys. */
  readonly keys: "none" | "one" | "many";
  /** `args` of the context are the words after the verb. As Command's `run`. */
  run(context: CommandContext): Promise<number>;
}

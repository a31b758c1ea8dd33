/** The words of cp and mv: what goes where. */
import { StarfishError } from "../../base/errors.ts";
import { absolute, parsePath } from "../../disk/files/path.ts";
import type { Files } from "../../disk/types.ts";
import { baseName, destination } from "./paths.ts";

/** Throws "usage", and "not-a-directory" or "exists" where several are to go to one name. */
export function sourcesAndTarget(files: Files, operands: readonly string[]): { from: string; to: string }[] {
  const [first, ...others] = operands;
  const target = others.at(-1);
  if (first === undefined) throw new StarfishError("usage", "PATH is missing");
  if (target === undefined) throw new StarfishError("usage", "DEST is missing");
  const sources = operands.slice(0, -1);
  if (sources.length > 1 && files.stat(target)?.kind !== "directory" && !target.endsWith("/")) {
    throw new StarfishError("not-a-directory", `several go into a directory, and ${target} is none`);
  }
  const targets = new Targets();
  return sources.map((from) => {
    const to = destination(files, target, baseName(from));
    targets.add(to);
    return { from, to };
  });
}

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

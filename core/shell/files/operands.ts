/** The words of cp and mv: what goes where. */
import { StarfishError } from "../../base/errors.ts";
import type { Files } from "../../disk/types.ts";
import { baseName, destination } from "./paths.ts";

/** Throws "usage", and "not-a-directory" where several are to go to one name. */
export function sourcesAndTarget(files: Files, operands: readonly string[]): { from: string; to: string }[] {
  const [first, ...others] = operands;
  const target = others.at(-1);
  if (first === undefined) throw new StarfishError("usage", "PATH is missing");
  if (target === undefined) throw new StarfishError("usage", "DEST is missing");
  const sources = operands.slice(0, -1);
  if (sources.length > 1 && files.stat(target)?.kind !== "directory" && !target.endsWith("/")) {
    throw new StarfishError("not-a-directory", `several go into a directory, and ${target} is none`);
  }
  return sources.map((from) => ({ from, to: destination(files, target, baseName(from)) }));
}

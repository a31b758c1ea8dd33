/** The code of `ln`. */
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import { reasonOf } from "../language/redirect.ts";
import { join, nameOf } from "../namespace/paths.ts";
import type { UtilityContext } from "../utilities/utility.ts";

export async function runLn(context: UtilityContext): Promise<number> {
  const { options, operands, names, path, signal } = context;
  const targets = [...operands];
  if (targets.length === 0) throw new StarfishError("usage", "missing file operand");
  const named = options.value("t") ?? (targets.length > 1 ? targets.pop() : ".") ?? ".";
  const isItself = options.has("n") || options.has("T");
  const isLink = isItself && names.readLink(path(named)) !== undefined;
  const isDirectory = !options.has("T") && !isLink && (await names.stat(path(named), { signal }))?.kind === "directory";
  if (targets.length > 1 && !isDirectory) throw new StarfishError("usage", `target '${named}' is not a directory`);
  for (const target of targets)
    await makeOne(target, isDirectory ? join(path(named), nameOf(target)) : path(named), named, context);
  return 0;
}

async function makeOne(target: string, link: string, named: string, context: UtilityContext): Promise<void> {
  const { options, names, path, signal, problem, out } = context;
  const isSymbolic = options.has("s");
  const kind = isSymbolic ? "symbolic" : "hard";
  try {
    if (!isSymbolic && (await names.stat(path(target), { signal })) === undefined) {
      await problem(`failed to access '${target}': No such file or directory`);
      return;
    }
    const isThere = names.readLink(link) !== undefined || (await names.stat(link, { signal })) !== undefined;
    if (isThere && !options.has("f")) throw new StarfishError("exists", "File exists");
    if (isThere) await names.remove(link, { signal });
    if (isSymbolic) names.makeLink(link, target);
    else names.addName(path(target), link);
    if (options.has("v")) await out(`'${named}' ${isSymbolic ? "->" : "=>"} '${target}'\n`);
  } catch (error) {
    if (!isStarfishError(error) || error.code === "cancelled") throw error;
    const isPlain = error.code === "unsupported" || error.code === "exists";
    const why = isPlain ? error.message : reasonOf(error);
    await problem(`failed to create ${kind} link '${named}': ${why}`);
  }
}

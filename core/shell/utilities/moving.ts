/** What cp and mv have in common: several sources, and the target of each. */
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import { reasonOf } from "../language/redirect.ts";
import { join } from "../namespace/paths.ts";
import type { UtilityContext } from "./utility.ts";

/** Calls `work` with absolute paths, and with the paths as typed. */
export async function eachTarget(
  context: UtilityContext,
  work: (source: string, target: string, shown: { source: string; target: string }) => Promise<void>,
): Promise<void> {
  const { options, names, path, signal } = context;
  const operands = [...context.operands];
  const into = options.value("t");
  if (operands.length === 0) throw new StarfishError("usage", "missing file operand");
  const last = into ?? operands.pop() ?? "";
  if (operands.length === 0) throw new StarfishError("usage", `missing destination file operand after '${last}'`);
  const target = await names.stat(path(last), { signal });
  const isDirectory = target?.kind === "directory" && !options.has("T");
  if (
    !isDirectory &&
    (operands.length > 1 ||
      into !== undefined ||
      (last.endsWith("/") && target === undefined && !options.has("r") && !options.has("R") && !options.has("a")))
  ) {
    throw new StarfishError(
      "usage",
      target === undefined ? `target '${last}': No such file or directory` : `target '${last}' is not a directory`,
    );
  }
  const made = new Set<string>();
  for (const operand of operands) {
    const source = path(operand);
    const name = source.slice(source.lastIndexOf("/") + 1);
    const goal = isDirectory ? join(path(last), name) : path(last);
    const shown = isDirectory ? `${last.replace(/\/$/, "")}/${name}` : last;
    if (made.has(goal)) {
      await context.problem(`will not overwrite just-created '${shown}' with '${operand}'`);
      continue;
    }
    made.add(goal);
    await work(source, goal, { source: operand, target: shown });
  }
}

/** Returns whether it worked; a failure is reported. */
export async function attempt({ problem }: UtilityContext, what: string, work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!isStarfishError(error) || error.code === "cancelled") throw error;
    await problem(`${what}: ${reasonOf(error)}`);
    return false;
  }
}

/**
 * mv: gives a file another name or place. Within a tree that is one step; between trees it is a copy, and then a
 * removal.
 */
import { isWithin } from "../namespace/paths.ts";
import type { Command } from "../types.ts";
import { copyTree } from "./cp.ts";
import { attempt, eachTarget } from "./moving.ts";
import { utility } from "./utility.ts";

export const mv: Command = utility({
  name: "mv",
  summary: "rename files and directories, or move them",
  help: `
usage: mv [-fnuvT] SOURCE… TARGET
       mv [OPTION]… -t DIRECTORY SOURCE…

Renames SOURCE to TARGET, or moves it into TARGET if that is a directory. -n replaces no file, -u only older files.

  echo hello > /tmp/a && mv /tmp/a /tmp/b
`,
  specs: {
    f: { long: "force" },
    i: { long: "interactive" },
    n: { long: "no-clobber" },
    t: { long: "target-directory", value: true },
    T: { long: "no-target-directory" },
    u: { long: "update" },
    v: { long: "verbose" },
  },
  async run(context) {
    const { options, names, signal, problem, out } = context;
    await eachTarget(context, async (source, target, shown) => {
      const entry = await names.stat(source, { signal });
      if (entry === undefined) return await problem(`cannot stat '${shown.source}': No such file or directory`);
      const existing = await names.stat(target, { signal });
      if (source === target) return await problem(`'${shown.source}' and '${shown.target}' are the same file`);
      if (isWithin(target, source))
        return await problem(`cannot move '${shown.source}' to a subdirectory of itself, '${shown.target}'`);
      if (existing !== undefined && options.has("n")) return;
      if (existing !== undefined && options.has("u") && (existing.modifiedAtMs ?? 0) >= (entry.modifiedAtMs ?? 0))
        return;
      if (existing?.kind === "directory" && entry.kind !== "directory")
        return await problem(`cannot overwrite directory '${shown.target}' with non-directory`);
      if (existing !== undefined && existing.kind !== "directory" && entry.kind === "directory") {
        return await problem(`cannot overwrite non-directory '${shown.target}' with directory '${shown.source}'`);
      }
      if (options.has("v")) await out(`renamed '${shown.source}' -> '${shown.target}'\n`);
      const what = `cannot move '${shown.source}' to '${shown.target}'`;
      if (names.isSameTree(source, target))
        return void (await attempt(context, what, () => names.rename(source, target, { signal })));
      // Nothing is removed before everything has been copied.
      if (await copyTree(source, target, shown.target, context)) {
        await attempt(context, what, () => names.remove(source, { signal, isRecursive: true }));
      }
    });
    return 0;
  },
});

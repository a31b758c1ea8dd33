/** cp: copies of files and directories, in one tree and between trees. */
import { StarfishError } from "../../base/errors.ts";
import { isWithin, join } from "../namespace/paths.ts";
import type { Command } from "../types.ts";
import { attempt, eachTarget } from "./moving.ts";
import { utility, type UtilityContext } from "./utility.ts";

export const cp: Command = utility({
  name: "cp",
  summary: "copy files and directories",
  help: `
usage: cp [-rRaTfnuv] SOURCE… TARGET
       cp [OPTION]… -t DIRECTORY SOURCE…

Copies each SOURCE to TARGET, or into TARGET if that is a directory. -r copies directories with all that is in them. A copy
within the swarm moves no bytes. -n replaces no file, -u only older files; -v says what it does.

  mkdir -p /tmp/a && cp -r /tmp/a /tmp/b
`,
  specs: {
    a: { long: "archive" },
    d: {},
    f: { long: "force" },
    i: { long: "interactive" },
    L: { long: "dereference" },
    n: { long: "no-clobber" },
    p: { long: "preserve", value: "optional" },
    P: { long: "no-dereference" },
    r: { long: "recursive" },
    R: {},
    t: { long: "target-directory", value: true },
    T: { long: "no-target-directory" },
    u: { long: "update" },
    v: { long: "verbose" },
  },
  async run(context) {
    const { options } = context;
    const isDeep = options.has("r") || options.has("R") || options.has("a");
    await eachTarget(context, async (source, target, shown) => {
      const { names, signal, problem } = context;
      const entry = await names.stat(source, { signal });
      if (entry === undefined) return await problem(`cannot stat '${shown.source}': No such file or directory`);
      if (entry.kind === "directory" && !isDeep)
        return await problem(`-r not specified; omitting directory '${shown.source}'`);
      if (entry.kind === "directory" && isWithin(target, source)) {
        return await problem(`cannot copy a directory, '${shown.source}', into itself, '${shown.target}'`);
      }
      if (source === target) return await problem(`'${shown.source}' and '${shown.target}' are the same file`);
      await copyTree(source, target, shown.target, context);
    });
    return 0;
  },
});

/** mv between two trees uses it too. */
export async function copyTree(
  source: string,
  target: string,
  shown: string,
  context: UtilityContext,
): Promise<boolean> {
  const { names, signal, options, out, problem } = context;
  const entry = await names.stat(source, { signal });
  if (entry === undefined) throw new StarfishError("not-found", `there is no ${source}`);
  const existing = await names.stat(target, { signal });
  if (entry.kind !== "directory") {
    if (existing?.kind === "directory") {
      await problem(`cannot overwrite directory '${shown}' with non-directory`);
      return false;
    }
    if (existing !== undefined && options.has("n")) return true;
    if (existing !== undefined && options.has("u") && (existing.modifiedAtMs ?? 0) >= (entry.modifiedAtMs ?? 0))
      return true;
    if (options.has("v")) await out(`'${source}' -> '${shown}'\n`);
    return await attempt(context, `cannot create regular file '${shown}'`, () =>
      names.copy(source, target, { signal }),
    );
  }
  if (existing !== undefined && existing.kind !== "directory") {
    await problem(`cannot overwrite non-directory '${shown}' with directory`);
    return false;
  }
  const what = `cannot copy '${source}' to '${shown}'`;
  if (existing === undefined && names.copiesDirectories(source, target)) {
    return await attempt(context, what, () => names.copy(source, target, { signal }));
  }
  if (
    existing === undefined &&
    !(await attempt(context, `cannot create directory '${shown}'`, () => names.makeDirectory(target, { signal })))
  )
    return false;
  let isWhole = true;
  for (const { name } of await names.list(source, { signal })) {
    isWhole = (await copyTree(join(source, name), join(target, name), join(shown, name), context)) && isWhole;
  }
  return isWhole;
}

/** chmod: permissions of files. */
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import { reasonOf } from "../language/redirect.ts";
import { join } from "../namespace/paths.ts";
import type { Command } from "../types.ts";
import { changedMode } from "./modes.ts";
import { utility, type UtilityContext } from "./utility.ts";

export const chmod: Command = utility({
  name: "chmod",
  summary: "permissions of files",
  help: `
usage: chmod [-R] MODE PATH…

MODE is like 755 or u+x. Only x has an effect: a file with an x can be run.

  echo 'echo hello' > /tmp/hello && chmod +x /tmp/hello && /tmp/hello
`,
  specs: { R: { long: "recursive" }, f: { long: "quiet" }, v: { long: "verbose" }, c: {} },
  // `-x` and `-w` are modes.
  parsing: { isPosix: true, operand: /^-[rwxXst]+(?:,|$)/ },
  async run(context) {
    const [mode, ...files] = context.operands;
    if (mode === undefined || files.length === 0) throw new StarfishError("usage", "missing operand");
    for (const file of files) await change(context.path(file), file, mode, context);
    return 0;
  },
});

async function change(path: string, shown: string, text: string, context: UtilityContext): Promise<void> {
  const { names, signal, options, problem } = context;
  const entry = await names.stat(path, { signal });
  if (entry === undefined) return await problem(`cannot access '${shown}': No such file or directory`);
  const isDirectory = entry.kind === "directory";
  const mode = changedMode(text, entry.mode ?? (isDirectory ? 0o755 : 0o644), isDirectory);
  try {
    await names.setMode(path, mode, { signal });
  } catch (error) {
    if (!isStarfishError(error) || error.code === "cancelled") throw error;
    await problem(`changing permissions of '${shown}': ${reasonOf(error)}`);
  }
  if (!isDirectory || !options.has("R")) return;
  for (const { name } of await names.list(path, { signal }))
    await change(join(path, name), `${shown}/${name}`, text, context);
}

/** mkdir: new directories. */
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import { reasonOf } from "../language/redirect.ts";
import type { Command } from "../types.ts";
import { changedMode } from "./modes.ts";
import { utility, type UtilityContext } from "./utility.ts";

export const mkdir: Command = utility({
  name: "mkdir",
  summary: "make directories",
  help: `
usage: mkdir [-pv] [-m MODE] DIRECTORY…

Makes each DIRECTORY. -p also makes those above it, and accepts one that exists.

  mkdir -p /tmp/a/b/c
`,
  specs: { p: { long: "parents" }, v: { long: "verbose" }, m: { long: "mode", value: true } },
  async run(context) {
    const { options, operands, problem } = context;
    if (operands.length === 0) throw new StarfishError("usage", "missing operand");
    for (const operand of operands) {
      try {
        await make(operand, context);
      } catch (error) {
        if (!isStarfishError(error) || error.code === "cancelled" || error.code === "usage") throw error;
        await problem(
          `cannot create directory '${operand}': ${error.code === "exists" ? "File exists" : reasonOf(error)}`,
        );
        continue;
      }
      if (options.has("v")) await context.out(`mkdir: created directory '${operand}'\n`);
    }
    return 0;
  },
});

async function make(operand: string, { options, names, path, signal }: UtilityContext): Promise<void> {
  const target = path(operand);
  const mode = options.value("m");
  if (!options.has("p")) await names.makeDirectory(target, { signal });
  else {
    const parts = target.split("/").slice(1);
    for (let i = 1; i <= parts.length; i++) {
      const directory = `/${parts.slice(0, i).join("/")}`;
      const entry = await names.stat(directory, { signal });
      if (entry === undefined) await names.makeDirectory(directory, { signal });
      else if (entry.kind !== "directory") throw new StarfishError("not-a-directory", `${directory} is a file`);
    }
  }
  if (mode !== undefined) await names.setMode(target, changedMode(mode, 0o777, true), { signal });
}

/** restore: makes an earlier version of a file the current one. */
import { StarfishError } from "../../base/errors.ts";
import { placeOf } from "../files/paths.ts";
import { noOperands } from "../operands.ts";
import { parseArguments } from "../options.ts";
import type { Command } from "../types.ts";

export const restore: Command = {
  name: "restore",
  summary: "bring back an earlier version of a file",
  help: `
usage: restore PATH [VERSION]

Brings back a file that was overwritten or removed: the version before, or the one that 'versions' names. The present
file becomes an earlier version.

  echo one | put - /note; echo two | put - /note
  restore /note; cat /note
`,
  async run(context) {
    const { args, computer } = context;
    const { operands } = parseArguments(args, {});
    const [path, version] = operands;
    if (path === undefined) throw new StarfishError("usage", "PATH is missing");
    noOperands(operands.slice(2));
    computer.files.restore(placeOf(path, context), version);
    return 0;
  },
  complete(words, computer) {
    const [, path, version] = words;
    if (path === undefined || version === undefined) return [];
    return computer.files.versions(path).map((one) => one.version);
  },
};

/** rm: removes files and directories. */
import { utf8 } from "../../base/bytes.ts";
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import { completeWith } from "../files/paths.ts";
import { harmless } from "../mem/value.ts";
import { parseArguments } from "../options.ts";
import { STATUS } from "../status.ts";
import type { Command } from "../types.ts";

export const rm: Command = {
  name: "rm",
  summary: "remove files and directories",
  help: `
usage: rm [-rf] PATH…

Removes files and empty directories, with -r directories and all that is in them; -f says nothing of what is not there.
For a week 'versions' lists what was removed and 'restore' brings it back.

  echo draft | put - /draft.txt
  rm /draft.txt
`,
  async run({ args, computer, stderr }) {
    const { options, operands } = parseArguments(
      args,
      { recursive: "flag", force: "flag" },
      { r: "recursive", f: "force" },
    );
    if (operands.length === 0) throw new StarfishError("usage", "PATH is missing");
    let status: number = STATUS.ok;
    for (const path of operands) {
      try {
        computer.files.remove(path, { recursive: options.recursive === true });
      } catch (error) {
        if (!isStarfishError(error)) throw error;
        if (options.force === true && error.code === "not-found") continue;
        const hint = error.code === "not-empty" ? "; -r removes all that is in it" : "";
        await stderr.write(utf8(`rm: ${harmless(error.message)}${hint}\n`));
        status = STATUS.failed;
      }
    }
    return status;
  },
  complete: completeWith("-r", "-f"),
};

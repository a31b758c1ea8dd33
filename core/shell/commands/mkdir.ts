/** mkdir: directories. */
import { StarfishError } from "../../base/errors.ts";
import { completeWith } from "../files/paths.ts";
import { parseArguments } from "../options.ts";
import type { Command } from "../types.ts";

export const mkdir: Command = {
  name: "mkdir",
  summary: "make directories",
  help: `
usage: mkdir [-p] PATH…

Makes directories; with -p also those above them, and it is fine if they are there. 'put' makes the directories that it
needs by itself.

  mkdir -p /photos/2026
`,
  async run({ args, computer }) {
    const { options, operands } = parseArguments(args, { parents: "flag" }, { p: "parents" });
    if (operands.length === 0) throw new StarfishError("usage", "PATH is missing");
    for (const path of operands) computer.files.makeDirectory(path, { parents: options.parents === true });
    return 0;
  },
  complete: completeWith("-p"),
};

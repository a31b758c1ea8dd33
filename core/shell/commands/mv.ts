/** mv: renames and moves. */
import { sourcesAndTarget } from "../files/operands.ts";
import { completePath } from "../files/paths.ts";
import { parseArguments } from "../options.ts";
import type { Command } from "../types.ts";

export const mv: Command = {
  name: "mv",
  summary: "rename or move files and directories",
  help: `
usage: mv PATH… DEST

Renames a file or directory, or moves several into the directory DEST. A file that was at DEST is replaced; 'versions'
still lists it for a week. What somebody writes into a directory while it is being renamed stays under its old name.

  echo hello | put - /hello.txt
  mv /hello.txt /greeting.txt
`,
  async run({ args, computer: { files } }) {
    const { operands } = parseArguments(args, {});
    for (const { from, to } of sourcesAndTarget(files, operands)) files.rename(from, to);
    return 0;
  },
  complete: completePath,
};

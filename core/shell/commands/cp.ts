/** cp: copies, without moving a byte. */
import { StarfishError } from "../../base/errors.ts";
import { sourcesAndTarget } from "../files/operands.ts";
import { completeWith } from "../files/paths.ts";
import { parseArguments } from "../options.ts";
import type { Command } from "../types.ts";

export const cp: Command = {
  name: "cp",
  summary: "copy files and directories",
  help: `
usage: cp [-r] PATH… DEST

Copies files, with -r directories. Takes no time and no space, however large they are: a copy is another name for the same
content. Several go into DEST, which is a directory then.

  echo hello | put - /hello.txt
  cp /hello.txt /copy.txt
`,
  async run({ args, computer: { files } }) {
    const { options, operands } = parseArguments(args, { recursive: "flag" }, { r: "recursive" });
    for (const { from, to } of sourcesAndTarget(files, operands)) {
      if (files.stat(from)?.kind === "directory" && options.recursive !== true) {
        throw new StarfishError("is-a-directory", `${from} is a directory; -r copies it with all that is in it`);
      }
      files.copy(from, to);
    }
    return 0;
  },
  complete: completeWith("-r"),
};

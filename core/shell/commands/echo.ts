/** echo: its words, and a newline. */
import { utf8 } from "../../base/bytes.ts";
import type { Command } from "../types.ts";

export const echo: Command = {
  name: "echo",
  summary: "print words",
  help: `
usage: echo [-n] [WORD]...

Prints its words with one blank between them, then a newline (not with -n).

  echo hello swarm
`,
  verbatim: true,
  async run({ args, stdout }) {
    const bare = args[0] === "-n";
    await stdout.write(utf8(args.slice(bare ? 1 : 0).join(" ") + (bare ? "" : "\n")));
    return 0;
  },
};

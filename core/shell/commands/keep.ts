/** keep: holds files whole on this node. */
import { completeWith, placeOf } from "../files/paths.ts";
import { oneOperand } from "../operands.ts";
import { parseArguments } from "../options.ts";
import type { Command } from "../types.ts";

export const keep: Command = {
  name: "keep",
  summary: "hold files whole on this node",
  help: `
usage: keep PATH [--off]

Holds a file, or a directory and everything that is put into it, whole on this node, so that it can be read here when no
other node is there. Waits until all of it is here. --off ends that; the file stays in the swarm.

  echo hello | put - /hello.txt
  keep /hello.txt
`,
  async run(context) {
    const { args, computer, signal } = context;
    const { options, operands } = parseArguments(args, { off: "flag" });
    const path = placeOf(oneOperand(operands, "PATH"), context);
    if (options.off === true) await computer.files.release(path);
    else await computer.files.keep(path, { signal });
    return 0;
  },
  complete: completeWith("--off"),
};

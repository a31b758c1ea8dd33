/** stat: everything about a file, and how safe it is. Its code is loaded when it is first called. */
import { StarfishError } from "../../base/errors.ts";
import { completeWith } from "../files/paths.ts";
import { getopt } from "../getopt.ts";
import type { Command } from "../types.ts";

export const stat: Command = {
  name: "stat",
  summary: "all about a file: its CID, who holds it, how safe it is",
  help: `
usage: stat [-c FORMAT] PATH… [--json]

Shows a file's size, CID (the one that IPFS gives the same bytes), writer and code, which devices hold how much of it, and
how many devices may be lost, whichever they are, without losing the file.

  echo hello | put - /hello.txt
  stat /hello.txt
`,
  async run(context) {
    const options = getopt(context.args, { c: { long: "format", value: true }, json: {} });
    if (options.operands.length === 0) throw new StarfishError("usage", "PATH is missing");
    const { runStat } = await import("../files/stat-run.ts");
    return await runStat(options, context);
  },
  complete: completeWith("-c", "--json"),
};

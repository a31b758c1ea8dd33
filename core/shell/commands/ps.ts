/** ps: jobs of the swarm, and pipelines and programs of this node's shells. */
import { noOperands } from "../operands.ts";
import { parseArguments } from "../options.ts";
import type { Command } from "../types.ts";

export const ps: Command = {
  name: "ps",
  summary: "running jobs of the swarm, and what runs here",
  help: `
usage: ps [--all] [--json]

Lists the running jobs of the swarm, whoever submitted them, and below them the pipelines and programs of the shells at
this node. --all also lists jobs that are over. 'job ID' says more, 'kill ID' ends either kind, 'wait ID' waits.

  ps --all
`,
  async run(context) {
    const { options, operands } = parseArguments(context.args, { all: "flag", json: "flag" });
    noOperands(operands);
    const { showProcesses } = await import("../jobs/show.ts");
    await context.stdout.print(showProcesses(options.all === true, options.json === true, context));
    return 0;
  },
};

/** ps: jobs of the swarm, and pipelines and programs of this node's shells. */
import { noOperands } from "../operands.ts";
import { parseArguments } from "../options.ts";
import type { Command } from "../types.ts";

export const ps: Command = {
  name: "ps",
  summary: "running jobs of the swarm, and what runs here",
  help: `
usage: ps [--all] [--json]
       ps aux

Lists the running jobs of the swarm, whoever submitted them, and below them the pipelines and programs of the shells at
this node. --all (aux, -ef) also lists jobs that are over. 'job ID' says more, 'kill ID' ends either kind, 'wait ID' waits.

  ps --all
`,
  async run(context) {
    // As on other systems: `ps aux`, `ps -ef`.
    const habits = context.args.filter((word) => /^-?[aAefux]+$/.test(word));
    const rest = context.args.filter((word) => !habits.includes(word));
    const { options, operands } = parseArguments(rest, { all: "flag", json: "flag" });
    noOperands(operands);
    const { showProcesses } = await import("../jobs/show.ts");
    const isAll = options.all === true || habits.length > 0;
    await context.stdout.print(showProcesses(isAll, options.json === true, context));
    return 0;
  },
};

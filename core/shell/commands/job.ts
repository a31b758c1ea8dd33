/** job: one job of the swarm: its progress, which nodes do what, what failed and why. */
import { atMostOneOperand } from "../operands.ts";
import { parseArguments } from "../options.ts";
import type { Command } from "../types.ts";

export const job: Command = {
  name: "job",
  summary: "one job of the swarm: who did what, and what failed",
  help: `
usage: job [--json] [JOB]

Shows the progress and rate of a job of the swarm, how many tasks each node did, which were run more than once, which
failed and why, and where the result is. JOB is its id, the beginning of its id, or its title; the default is the newest
job.

  job --json
`,
  async run(context) {
    const { options, operands } = parseArguments(context.args, { json: "flag" });
    const wanted = atMostOneOperand(operands);
    const { showJob } = await import("../jobs/show.ts");
    await context.stdout.print(showJob(wanted, options.json === true, context));
    return 0;
  },
  complete: (words, { jobs }) => (words.length === 2 ? jobs.list().map(({ id }) => id) : []),
};

/** cancel: end a job that this node has submitted. */
import { plain } from "../styled.ts";
import { utf8 } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import type { JobInfo } from "../../jobs/types.ts";
import { count, duration, table } from "../format.ts";
import { parseArguments } from "../options.ts";
import type { Command } from "../types.ts";

export const cancel: Command = {
  name: "cancel",
  summary: "end a running job",
  help: `
usage: cancel [JOB]

Ends a job that was started on this node, everywhere. Without JOB it ends the only one, or lists them if there are
several. The first letters of a job's id or its title will do. In the terminal where it runs, Ctrl-C does the same.

  cancel primes
`,
  async run({ args, computer, stdout }) {
    const [wanted, extra] = parseArguments(args, {}).operands;
    if (extra !== undefined) throw new StarfishError("usage", `'${extra}' is one word too many`);
    const jobs = computer.cpu.jobs();
    if (jobs.length === 0) throw new StarfishError("not-found", "no job that was started on this node is running");
    const found = wanted === undefined ? jobs : jobs.filter((job) => job.id.startsWith(wanted) || job.title === wanted);
    const [job, another] = found;
    if (job === undefined)
      throw new StarfishError("not-found", `there is no job '${wanted ?? ""}'; running: ${jobs.map(label).join(", ")}`);
    if (another !== undefined) {
      throw new StarfishError("ambiguous", `say which one:\n${plain(table(found.map(row))).trimEnd()}`);
    }
    computer.cpu.cancel(job.id);
    await stdout.write(
      utf8(
        `Cancelled ${label(job)}, ${job.progress.chunksDone} of ${count(job.progress.chunksTotal, "chunk")} were done.\n`,
      ),
    );
    return 0;
  },
  complete: (words, computer) => (words.length === 2 ? computer.cpu.jobs().map((job) => job.id) : []),
};

function label(job: JobInfo): string {
  return `${job.title} (${job.id})`;
}

function row(job: JobInfo): string[] {
  const { chunksDone, chunksTotal, elapsedMs } = job.progress;
  return [`  ${job.id}`, job.title, `${chunksDone}/${chunksTotal}`, duration(elapsedMs)];
}

/** cancel: ends a job, of this node or of the swarm. */
import { plain } from "../styled.ts";
import { utf8 } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import type { Computer } from "../../computer.ts";
import { count, duration, table } from "../format.ts";
import { factsOf } from "../jobs/facts.ts";
import { atMostOneOperand } from "../operands.ts";
import { parseArguments } from "../options.ts";
import type { Command } from "../types.ts";

export const cancel: Command = {
  name: "cancel",
  summary: "end a running job",
  help: `
usage: cancel [JOB]

Ends a job everywhere: a 'map' of this node, or a job of the swarm. Without JOB it ends the only job that was started on
this node, or lists them if there are several. JOB is a title, an id or its first letters. In the terminal where the job
runs, Ctrl-C does the same.

  cancel primes
`,
  async run({ args, computer, stdout }) {
    const wanted = atMostOneOperand(parseArguments(args, {}).operands);
    const found = wanted === undefined ? ownJobs(computer) : named(wanted, computer);
    const [job, another] = found;
    if (job === undefined) {
      const running = ownJobs(computer).map(label).join(", ");
      const which =
        wanted === undefined ? "no job that was started on this node is running" : `there is no job '${wanted}'`;
      throw new StarfishError("not-found", running === "" ? which : `${which}; running: ${running}`);
    }
    if (another !== undefined) {
      throw new StarfishError("ambiguous", `say which one:\n${plain(table(found.map(row))).trimEnd()}`);
    }
    job.end();
    await stdout.write(utf8(`Cancelled ${label(job)}, ${job.done} of ${count(job.total, "chunk")} were done.\n`));
    return 0;
  },
  complete: (words, computer) =>
    words.length === 2 ? [...ownJobs(computer), ...swarmJobs(computer)].map(({ id }) => id) : [],
};

/** A job of either kind. */
interface Running {
  readonly id: string;
  readonly title: string;
  readonly done: number;
  readonly total: number;
  readonly elapsedMs: number;
  readonly isOwn: boolean;
  end(): void;
}

function localJobs({ cpu }: Computer): Running[] {
  return cpu.jobs().map(({ id, title, progress }) => ({
    id,
    title,
    done: progress.chunksDone,
    total: progress.chunksTotal,
    elapsedMs: progress.elapsedMs,
    isOwn: true,
    end: () => cpu.cancel(id),
  }));
}

function swarmJobs(computer: Computer): Running[] {
  const running = computer.jobs.list().filter(({ outcome }) => outcome === undefined);
  return running.map((state) => {
    const { id, title, done, total, elapsedMs, isOwn } = factsOf(state, computer);
    return { id, title, done, total, elapsedMs, isOwn, end: () => computer.jobs.cancel(id) };
  });
}

/** The jobs that were started here. Another member's job has to be named. */
function ownJobs(computer: Computer): Running[] {
  return [...localJobs(computer), ...swarmJobs(computer).filter(({ isOwn }) => isOwn)];
}

/** The jobs of that id or title: first those of this node, then those of others. */
function named(wanted: string, computer: Computer): Running[] {
  const isMeant = ({ id, title }: Running): boolean =>
    id.startsWith(wanted) || title === wanted || title.split(" ")[0] === wanted;
  const own = ownJobs(computer).filter(isMeant);
  return own.length > 0 ? own : swarmJobs(computer).filter(isMeant);
}

function label({ title, id }: Running): string {
  return `${title} (${id})`;
}

function row({ id, title, done, total, elapsedMs }: Running): string[] {
  return [`  ${id}`, title, `${done}/${total}`, duration(elapsedMs)];
}

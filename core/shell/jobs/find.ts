/** Finds the job of the swarm that a person means: by its id or the beginning of it, or by its title where one has it. */
import { StarfishError } from "../../base/errors.ts";
import type { Jobs, JobState } from "../../jobs/types.ts";

/** Letters of an id that people are shown: 2^32 of them make a clash among 4,096 jobs unlikely, and it is told. */
const SHORT_ID_LENGTH = 8;
const SHORTEST = 3;

export function shortJobId(id: string): string {
  return id.slice(0, SHORT_ID_LENGTH);
}

/** All that may be meant, the newest first; one that is named whole stands alone. */
export function jobsNamed(jobs: Pick<Jobs, "list" | "state">, wanted: string): JobState[] {
  const whole = jobs.state(wanted);
  if (whole !== undefined) return [whole];
  const isBeginning = wanted.length >= SHORTEST && /^[0-9a-f]+$/.test(wanted);
  const all = jobs.list();
  const byId = isBeginning ? all.filter(({ id }) => id.startsWith(wanted)) : [];
  if (byId.length > 0) return byId;
  const titled = all.filter(({ spec }) => spec.title === wanted || spec.title.split(" ")[0] === wanted);
  const running = titled.filter(({ outcome }) => outcome === undefined);
  return running.length > 0 ? running : titled;
}

/** Throws "not-found" and "ambiguous", which says between which. */
export function findJob(jobs: Pick<Jobs, "list" | "state">, wanted: string): JobState {
  const [one, another, ...more] = jobsNamed(jobs, wanted);
  if (one === undefined) {
    const hint = jobs.list().length === 0 ? "there are no jobs" : "'ps' lists those that there are";
    throw new StarfishError("not-found", `there is no job '${wanted}'; ${hint}`);
  }
  if (another !== undefined) {
    const choices = [one, another, ...more].slice(0, CHOICES_MAX).map(({ id, spec }) => `${id} (${spec.title})`);
    const rest = more.length + 2 - choices.length;
    throw new StarfishError(
      "ambiguous",
      `'${wanted}' may be any of ${choices.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`,
    );
  }
  return one;
}

const CHOICES_MAX = 5;

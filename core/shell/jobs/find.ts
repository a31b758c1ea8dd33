/** Finds the job of the swarm that a person means: by its id, the beginning of its id, or its title. */
import { StarfishError } from "../../base/errors.ts";
import type { Jobs, JobState } from "../../jobs/types.ts";

/**
 * Letters of an id that people are shown. With 2^32 of them a clash among 4,096 jobs is unlikely, and would be
 * reported.
 */
const SHORT_ID_LENGTH = 8;
const SHORTEST = 3;

export function shortJobId(id: string): string {
  return id.slice(0, SHORT_ID_LENGTH);
}

/** All jobs that may be meant, the newest first. A whole id means one job. */
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

/** Throws "not-found", or "ambiguous" with the candidates. */
export function findJob(jobs: Pick<Jobs, "list" | "state">, wanted: string): JobState {
  const [one, another, ...more] = jobsNamed(jobs, wanted);
  if (one === undefined) {
    const hint = jobs.list().length === 0 ? "there are no jobs" : "'ps' lists the jobs";
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

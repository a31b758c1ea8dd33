/** The result of a job as a stream that waits for it. */
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import type { Computer } from "../../computer.ts";
import type { JobId, JobState } from "../../jobs/types.ts";
import { nameOf } from "./facts.ts";

interface Options {
  readonly signal?: AbortSignal | undefined;
  readonly onState?: (state: JobState) => void;
}

/** Waits until the job is over, however long that takes. Rejects with "not-found", and with the job's failure. */
export async function* resultOf(
  computer: Pick<Computer, "jobs" | "net">,
  id: JobId,
  { signal, onState }: Options = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { jobs } = computer;
  for await (const event of jobs.attach(id, { signal })) {
    if (event.is === "state") onState?.(event.state);
    if (event.is !== "outcome" || event.outcome.is !== "cancelled") continue;
    // Not "cancelled", which would mean that the command itself was ended.
    throw new StarfishError("refused", `job ${id} was cancelled by ${nameOf(event.outcome.by, computer)}`);
  }
  yield* jobs.result(id, { signal });
}

/** Waits until the job is over. Returns the exit status that says how it went. */
export async function statusOf(jobs: Computer["jobs"], id: JobId, signal: AbortSignal): Promise<number> {
  try {
    for await (const event of jobs.attach(id, { signal })) {
      if (event.is !== "outcome") continue;
      // Like a killed process: 128 and the number of SIGTERM.
      return event.outcome.is === "done" ? 0 : event.outcome.is === "failed" ? 1 : 143;
    }
  } catch (error) {
    // The job has been forgotten meanwhile.
    if (!isStarfishError(error, "not-found")) throw error;
  }
  return 127;
}

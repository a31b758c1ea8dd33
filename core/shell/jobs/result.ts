/** The result of a job as a stream that waits for it. */
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import type { Computer } from "../../computer.ts";
import type { JobId, JobState } from "../../jobs/types.ts";
import { nameOf } from "./facts.ts";

interface Options {
  readonly signal?: AbortSignal | undefined;
  readonly onState?: (state: JobState) => void;
}

/** Waits until it is over, however long that takes. Rejects with "not-found", and with what the job failed with. */
export async function* resultOf(
  computer: Pick<Computer, "jobs" | "net">,
  id: JobId,
  { signal, onState }: Options = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { jobs } = computer;
  for await (const event of jobs.attach(id, { signal })) {
    if (event.is === "state") onState?.(event.state);
    if (event.is !== "outcome" || event.outcome.is !== "cancelled") continue;
    // Not "cancelled": that is what a command says that was ended itself.
    throw new StarfishError("refused", `job ${id} was cancelled by ${nameOf(event.outcome.by, computer)}`);
  }
  yield* jobs.result(id, { signal });
}

/** Waits until it is over: how a shell says it went. */
export async function statusOf(jobs: Computer["jobs"], id: JobId, signal: AbortSignal): Promise<number> {
  try {
    for await (const event of jobs.attach(id, { signal })) {
      if (event.is !== "outcome") continue;
      // As of a process that was killed: 128 and the number of SIGTERM.
      return event.outcome.is === "done" ? 0 : event.outcome.is === "failed" ? 1 : 143;
    }
  } catch (error) {
    // Forgotten meanwhile.
    if (!isStarfishError(error, "not-found")) throw error;
  }
  return 127;
}

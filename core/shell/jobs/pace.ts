/**
 * The rate of the swarm's jobs, as this node sees it: samples of what was done in the last seconds. A node that has not
 * watched for long enough uses the mean since the job was submitted.
 */
import type { Computer } from "../../computer.ts";
import { RATE_WINDOW_MS } from "../../jobs/limits.ts";
import { sizeOf } from "../../jobs/intervals.ts";
import type { JobId, JobState } from "../../jobs/types.ts";
import { doneBy } from "../../jobs/who.ts";
import type { PeerId } from "../../ports/network.ts";

/** The least time between two samples of a job. */
const SAMPLE_MS = 1_000;
/** A rate over a shorter time would jump about. */
const SPAN_MS_MIN = 1_500;
/** Running jobs of which samples are kept, the newest first. */
const JOBS_MAX = 64;

interface Sample {
  readonly atMs: number;
  readonly done: number;
  readonly by: ReadonlyMap<PeerId, number>;
}

export class Paces {
  readonly #computer: PaceParts;
  readonly #samples = new Map<JobId, Sample[]>();

  constructor(computer: PaceParts) {
    this.#computer = computer;
    computer.jobs.onChange(() => this.#look());
    this.#look();
  }

  /** Recent tasks a second, of one node or of all. Undefined before it can be told. */
  rate(state: JobState, peer?: PeerId): number | undefined {
    if (state.outcome !== undefined) return undefined;
    const now = this.#sample(state);
    const [first] = this.#samples.get(state.id) ?? [];
    if (first !== undefined && now.atMs - first.atMs >= SPAN_MS_MIN) return perSecond(first, now, peer);
    const elapsedMs = this.#computer.memory.now() - state.submittedAtMs;
    if (elapsedMs < SPAN_MS_MIN) return undefined;
    return perSecond({ atMs: now.atMs - elapsedMs, done: 0, by: new Map() }, now, peer);
  }

  #sample({ tasks, nodes }: JobState): Sample {
    const by = new Map([...doneBy(nodes).by].map(([peer, done]) => [peer, sizeOf(done)]));
    return { atMs: this.#computer.clock.monotonic(), done: tasks.done, by };
  }

  #look(): void {
    const nowMs = this.#computer.clock.monotonic();
    const running = this.#computer.jobs
      .list()
      .filter(({ outcome }) => outcome === undefined)
      .slice(0, JOBS_MAX);
    const ids = new Set(running.map(({ id }) => id));
    for (const id of this.#samples.keys()) if (!ids.has(id)) this.#samples.delete(id);
    for (const state of running) {
      const samples = this.#samples.get(state.id) ?? [];
      if (nowMs - (samples.at(-1)?.atMs ?? -Infinity) < SAMPLE_MS) continue;
      samples.push(this.#sample(state));
      // The oldest sample kept is at least as old as the window.
      while ((samples[1]?.atMs ?? Infinity) <= nowMs - RATE_WINDOW_MS) samples.shift();
      this.#samples.set(state.id, samples);
    }
  }
}

function perSecond(from: Sample, to: Sample, peer: PeerId | undefined): number {
  const done = peer === undefined ? to.done - from.done : (to.by.get(peer) ?? 0) - (from.by.get(peer) ?? 0);
  // Results are lost with the nodes that held them, so the count may decrease.
  return Math.max(0, (done * 1000) / (to.atMs - from.atMs));
}

type PaceParts = Pick<Computer, "jobs" | "clock" | "memory">;

/** One for each node, as long as the node lives. */
const known = new WeakMap<object, Paces>();

export function pacesOf(computer: PaceParts): Paces {
  const paces = known.get(computer.jobs) ?? new Paces(computer);
  known.set(computer.jobs, paces);
  return paces;
}

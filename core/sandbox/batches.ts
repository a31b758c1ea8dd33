/**
 * Short tasks of one kind go to a worker together, in one message, and their answers come back together: a message
 * costs more than many a task. How many go together is decided by how long such tasks took.
 */
import { type Bytes, concat } from "../base/bytes.ts";
import type { SandboxOutcome, SandboxRun } from "../ports/sandbox.ts";
import { ANSWER_EVERY_MS, BATCH_BYTES_MAX, BATCH_MS, BATCH_TASKS_MAX, PACES_MAX } from "./limits.ts";

/** How many tasks of this mean time go together. */
export function batchOf(taskMs: number | undefined): number {
  if (taskMs === undefined) return 1;
  return Math.max(1, Math.min(BATCH_TASKS_MAX, Math.floor(BATCH_MS / Math.max(taskMs, 0.001))));
}

/** The weight of the newest task in the mean time of tasks. */
const SMOOTHING = 0.1;

/** The mean time of tasks, by their kind. */
export class Paces {
  /** In the order of last use. */
  readonly #paces = new Map<string, { meanMs: number; count: number }>();

  meanOf(kind: string): number | undefined {
    return this.#paces.get(kind)?.meanMs;
  }

  add(kind: string, runMs: number): void {
    const pace = this.#paces.get(kind) ?? { meanMs: 0, count: 0 };
    pace.meanMs += Math.max(SMOOTHING, 1 / ++pace.count) * (runMs - pace.meanMs);
    this.#paces.delete(kind);
    this.#paces.set(kind, pace);
    const [oldest] = this.#paces.keys();
    if (this.#paces.size > PACES_MAX && oldest !== undefined) this.#paces.delete(oldest);
  }
}

/** Several byte strings in one, so that a message has one buffer. */
export interface Packed {
  readonly bytes: Bytes;
  readonly ends: readonly number[];
}

export function packed(all: readonly Bytes[]): Packed {
  let end = 0;
  const ends = all.map(({ length }) => (end += length));
  const [only] = all;
  return { bytes: only !== undefined && all.length === 1 ? only : concat(all), ends };
}

/** Parts of the same buffer. */
export function unpacked({ bytes, ends }: Packed): Uint8Array[] {
  if (ends.length === 1) return [bytes];
  return ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
}

/** What a thread tells of the tasks that it has run since it told something. */
export interface Answer {
  readonly outputs: Packed;
  readonly fuels: readonly number[];
  readonly times: readonly number[];
  /** The task after these has failed, and none was run after it. */
  readonly failure: { readonly outcome: SandboxOutcome; readonly runMs: number } | undefined;
  readonly isLast: boolean;
}

/** The thread's side: runs the tasks, and answers now and then. */
export function runEach(
  inputs: readonly Uint8Array[],
  run: (input: Uint8Array) => SandboxOutcome,
  now: () => number,
  answer: (answer: Answer) => void,
): void {
  let outputs: Uint8Array[] = [];
  let fuels: number[] = [];
  let times: number[] = [];
  let bytes = 0;
  let atMs = now();
  let answeredAtMs = atMs;
  const tell = (isLast: boolean, failure?: Answer["failure"]): void => {
    answer({ outputs: packed(outputs), fuels, times, failure, isLast });
    [outputs, fuels, times, bytes, answeredAtMs] = [[], [], [], 0, atMs];
  };
  for (const [i, input] of inputs.entries()) {
    const beganMs = atMs;
    const outcome = run(input);
    atMs = now();
    const runMs = atMs - beganMs;
    if (!outcome.ok) return tell(true, { outcome, runMs });
    outputs.push(outcome.output);
    fuels.push(outcome.fuelUsed);
    times.push(runMs);
    bytes += outcome.output.length;
    const isLast = i === inputs.length - 1;
    if (isLast || atMs - answeredAtMs >= ANSWER_EVERY_MS || bytes > BATCH_BYTES_MAX) tell(isLast);
  }
}

/** The owner's side. */
export function runsOf({ outputs, fuels, times, failure }: Answer): SandboxRun[] {
  const all = unpacked(outputs);
  // Copied, so that none keeps the others' bytes.
  const runs: SandboxRun[] = all.map((output, i) => ({
    outcome: { ok: true, output: all.length === 1 ? output : output.slice(), fuelUsed: fuels[i] ?? 0 },
    runMs: times[i] ?? 0,
  }));
  if (failure !== undefined) runs.push(failure);
  return runs;
}

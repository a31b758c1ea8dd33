/** The processor as the shell and the page see it: lending cores, running a map job, watching and cancelling. */
import type { Bytes } from "../base/bytes.ts";
import type { ErrorCode } from "../base/errors.ts";
import type { Unsubscribe } from "../base/events.ts";
import type { ContentRef } from "../disk/types.ts";
import type { PeerId } from "../ports/network.ts";
import type { SandboxProgram } from "../ports/sandbox.ts";
import type { TaskLimits } from "../sandbox/types.ts";
import type { Content, Inputs, JobSpec, Program } from "./spec.ts";

/** One module run over many inputs. Chunks are numbered by their place in `inputs`; each goes to the module whole. */
export interface MapJob {
  /** For people: "primes". */
  readonly title: string;
  readonly module: Bytes;
  /** How the module is to be run; ABI 1 without it. */
  readonly program?: SandboxProgram;
  /** A list, or a source that is read as the job goes on, with a bounded lead. */
  readonly inputs: readonly Bytes[] | AsyncIterable<Bytes>;
  readonly limits?: Partial<TaskLimits>;
  /** Results come in the order of the inputs, not in that in which they finish; those that wait are bounded. */
  readonly ordered?: boolean;
}

export interface ChunkResult {
  readonly index: number;
  readonly output: Uint8Array;
  readonly by: PeerId;
  /** The same wherever it runs. */
  readonly fuelUsed: number;
  /** How long it ran there. */
  readonly runMs: number;
}

export interface JobProgress {
  readonly chunksDone: number;
  /** While the inputs are still being read: those that are known so far. */
  readonly chunksTotal: number;
  readonly reading: boolean;
  readonly chunksRunning: number;
  /** Chunks done by each node. */
  readonly byPeer: ReadonlyMap<PeerId, number>;
  /** Chunks that had to be given to another node (lost, failed, slow). */
  readonly reissued: number;
  readonly elapsedMs: number;
  /** Chunks a second of late; undefined before it can be told. */
  readonly ratePerSecond: number | undefined;
  readonly remainingMs: number | undefined;
}

export interface JobInfo {
  readonly id: string;
  readonly title: string;
  readonly progress: JobProgress;
}

export interface Cpu {
  /** Cores this device could lend. */
  readonly cores: number;
  /** Cores lent to everybody now. */
  readonly lent: number;
  /** Lends `cores` (0 to cores). Tasks over the new number finish first. */
  lend(cores: number): void;
  /**
   * Runs the job on every member that lends cores, and on this node's own. Yields each chunk once, in the order in which
   * they finish unless it is `ordered`; ends after the last. A source is read no further than the job needs. Throws what a chunk failed with ("wasm-trap", "timeout", …: a fault of the task,
   * the same on any node), "no-cores", or "cancelled". Leaving the loop or aborting cancels it everywhere.
   */
  map(
    job: MapJob,
    options: { signal: AbortSignal; onProgress?: (progress: JobProgress) => void },
  ): AsyncIterable<ChunkResult>;
  /** Jobs that this node has submitted and that still run. */
  jobs(): readonly JobInfo[];
  /** False if there is no such job. */
  cancel(id: string): boolean;
  /** Called when what runs here changes (tasks of others included), and when a job of this node begins or has ended. */
  onActivity(listener: () => void): Unsubscribe;
  /** Tasks running on this node now, and for whom. */
  running(): readonly { readonly job: string; readonly for: PeerId }[];
  close(): Promise<void>;
}

export type TaskFailure = { readonly code: ErrorCode; readonly message: string };

/**
 * Jobs of the swarm, which no node leads: written down, run by whoever lends cores, finished by whoever is left.
 */
export interface Jobs {
  /**
   * Writes a job down; or gives the one that has done the same work within a day, where its result may be believed: where that
   * job was verified as strictly as this one asks to be, or this one asks for whatever is remembered (`reuse`). Resolves when this node has written it and can serve its contents; `safe` when more than half of the
   * members know it and any half of the devices may go without taking its contents. Rejects with "too-large" or "malformed"
   * (no such job can be), "full" (too many jobs), "no-cores" (fewer devices than have to agree), "clock", "closed".
   */
  submit(spec: JobSpec, options?: { readonly signal?: AbortSignal | undefined }): Promise<Submitted>;
  /**
   * What happens with a job from now on, whoever submitted it: its state at once and when it changes, and its outcome as the
   * last. With `results`, each task's result once, in the order in which they come here. Throws "not-found".
   */
  attach(
    id: JobId,
    options?: { readonly signal?: AbortSignal | undefined; readonly results?: boolean | undefined },
  ): AsyncIterable<JobEvent>;
  /** Ends a job everywhere, within a second where nodes are in reach. False if there is no such job, or it is over. */
  cancel(id: JobId): boolean;
  /** All jobs that the swarm knows, the newest first: those that run and those that are over. */
  list(): readonly JobState[];
  state(id: JobId): JobState | undefined;
  /**
   * The result's bytes. Read by the submitter, it is kept for the rest of a week; unread, for as long as jobs are kept.
   * Rejects with "not-found" (no such job, or not done), with what the job failed with, "cancelled", "lost".
   */
  result(id: JobId, options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<Uint8Array>;
  /** Names bytes, for a spec: few are written into it, more go to the disk. */
  content(
    bytes: Bytes | AsyncIterable<Bytes>,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<Content>;
  /** Inputs of tasks, one each, as a list. */
  listOf(
    inputs: AsyncIterable<Bytes> | Iterable<Bytes>,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<Inputs>;
  /**
   * Tasks that take other tasks' results: they run as their inputs appear, and the result is made of those that no other
   * needs. Rejects with "malformed" where a task needs one that is not before it in the list, "too-large".
   */
  graphOf(
    tasks: readonly GraphTask[],
    options?: GraphOptions & { readonly signal?: AbortSignal | undefined },
  ): Promise<Inputs>;
  /** Files as inputs: each a task, or in pieces. */
  filesOf(
    files: Iterable<JobFile>,
    options?: { readonly piece?: FilePiece | undefined; readonly signal?: AbortSignal | undefined },
  ): Promise<Inputs>;
  /** Called when what `list` says has changed, at most a few times a second. */
  onChange(listener: () => void): Unsubscribe;
  close(): Promise<void>;
}

/** 16 hex digits, drawn by the submitter. */
export type JobId = string;

export interface Submitted {
  readonly id: JobId;
  /** It is another job of the same work, and done. */
  readonly isRemembered: boolean;
  readonly safe: Promise<void>;
}

export interface JobFile {
  readonly name: string;
  readonly content: ContentRef;
}

/** A task of a graph: its input is the results of those that it needs, one after the other, then its own. */
export interface GraphTask {
  readonly input?: Bytes | undefined;
  /** They come before it in the list. */
  readonly needs?: readonly GraphTask[] | undefined;
  /** By which of the graph's programs it is run, counted from 1; the job's own without it, which is number 0. */
  readonly program?: number | undefined;
  /** It may return further tasks instead of a value (returned.ts). */
  readonly grows?: boolean | undefined;
}

export interface GraphOptions {
  /** Programs that tasks may name besides the job's. */
  readonly programs?: readonly Program[] | undefined;
  /** How many tasks there may be in all, where some return others; GRAPH_TASKS_MAX without it. */
  readonly tasksMax?: number | undefined;
}

export interface FilePiece {
  readonly bytes: number;
  readonly at: "byte" | "line";
}

export interface JobState {
  readonly id: JobId;
  readonly spec: JobSpec;
  readonly by: PeerId;
  /** Corrected time, ms since 1970. */
  readonly submittedAtMs: number;
  readonly state: "running" | "done" | "failed" | "cancelled";
  readonly tasks: TaskCounts;
  /** What each node runs and has done, by intervals of task numbers, [from, to) one after the other in one list. */
  readonly nodes: ReadonlyMap<
    PeerId,
    {
      readonly running: readonly number[];
      readonly held: readonly number[];
      /** Of what it holds, copies of what others ran. */
      readonly copies: readonly number[];
    }
  >;
  /** Some of the tasks that have failed, and why. */
  readonly failures: readonly FailedTask[];
  /** Of a job that is verified: who has disagreed with the others. */
  readonly named: readonly NamedNode[];
  /** Of one that runs: as many devices have to agree, and fewer are there. It waits for more. */
  readonly lacking: { readonly devices: number; readonly needed: number } | undefined;
  /** Undefined while it runs. */
  readonly outcome: JobOutcome | undefined;
}

export interface TaskCounts {
  /** Reductions among them. */
  readonly total: number;
  readonly done: number;
  readonly running: number;
  readonly failed: number;
}

export interface FailedTask {
  readonly task: number;
  readonly by: PeerId;
  readonly code: ErrorCode;
  readonly message: string;
}

/** A node whose answer to a task was another than what enough devices have agreed on. */
export interface NamedNode {
  readonly peer: PeerId;
  /** One of the tasks. */
  readonly task: number;
}

export interface JobShares {
  /** Who did most comes first; a bounded number. */
  readonly nodes: readonly { readonly peer: PeerId; readonly tasks: number }[];
  /** Of equal parts of the tasks, in order, who did most of each: the place in `nodes`, or 255 for nobody of these. */
  readonly parts: Uint8Array;
  /** Tasks that more than one node ran. */
  readonly again: number;
}

export type JobOutcome =
  | {
      readonly is: "done";
      /** The combined result; where results are not combined, their list, with its ends in `ends` (inputs.ts). */
      readonly result: Content;
      readonly ends?: Content | undefined;
      /** Who put the results together. */
      readonly by: PeerId;
      readonly finishedAtMs: number;
      /** Tasks that failed and are not in the result (keepGoing). */
      readonly failed: number;
      /** How many there were in the end, where tasks may return others. */
      readonly tasks?: number | undefined;
      /** Who did it, as far as was known at its end. */
      readonly shares?: JobShares | undefined;
      /** Fuel of all tasks whose outputs are in it, each counted once; undefined where they have been reduced to one. */
      readonly fuelUsed?: number | undefined;
      /** Of a job that was verified. */
      readonly named?: readonly NamedNode[] | undefined;
    }
  | {
      readonly is: "failed";
      readonly failure: FailedTask;
      readonly finishedAtMs: number;
      readonly named?: readonly NamedNode[] | undefined;
    }
  | { readonly is: "cancelled"; readonly by: PeerId; readonly finishedAtMs: number };

export type JobEvent =
  | { readonly is: "state"; readonly state: JobState }
  | {
      readonly is: "result";
      readonly task: number;
      readonly output: Uint8Array;
      /** The same wherever it ran; undefined where the job was over before. */
      readonly fuelUsed: number | undefined;
    }
  | { readonly is: "outcome"; readonly outcome: JobOutcome };

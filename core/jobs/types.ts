/** The processor as the shell and the page see it: lending cores, running a map job, watching and cancelling. */
import type { Bytes } from "../base/bytes.ts";
import type { ErrorCode } from "../base/errors.ts";
import type { Unsubscribe } from "../base/events.ts";
import type { ContentRef } from "../disk/types.ts";
import type { PeerId } from "../ports/network.ts";
import type { SandboxProgram } from "../ports/sandbox.ts";
import type { TaskLimits } from "../sandbox/types.ts";
import type { Content, Inputs, JobSpec, Program } from "./spec.ts";

/**
 * One module run over many inputs. Chunks are numbered by their position in `inputs`; each is passed to the module
 * whole.
 */
export interface MapJob {
  /** For people: "primes". */
  readonly title: string;
  readonly module: Bytes;
  /** How the module is run; ABI 1 if absent. */
  readonly program?: SandboxProgram;
  /** A list, or a source that is read while the job runs, a bounded way ahead. */
  readonly inputs: readonly Bytes[] | AsyncIterable<Bytes>;
  readonly limits?: Partial<TaskLimits>;
  /**
   * Whether results come in the order of the inputs, and not in the order in which they finish. The results that wait
   * for it are bounded.
   */
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
  /** While the inputs are still being read, the number of those known so far. */
  readonly chunksTotal: number;
  readonly reading: boolean;
  readonly chunksRunning: number;
  /** Chunks done by each node. */
  readonly byPeer: ReadonlyMap<PeerId, number>;
  /** Chunks that were given to another node too, because the first was lost, was slow, or failed. */
  readonly reissued: number;
  readonly elapsedMs: number;
  /** Recent chunks a second; undefined before it can be told. */
  readonly ratePerSecond: number | undefined;
  readonly remainingMs: number | undefined;
}

export interface JobInfo {
  readonly id: string;
  readonly title: string;
  readonly progress: JobProgress;
}

export interface Cpu {
  /** Cores that this device could lend. */
  readonly cores: number;
  /** Cores that are lent to all members now. */
  readonly lent: number;
  /** Lends `cores` (from 0 to `cores`). Running tasks beyond the new number finish first. */
  lend(cores: number): void;
  /**
   * Runs the job on every member that lends cores, and on this node's own. Yields each chunk once, in the order in
   * which they finish unless it is `ordered`; ends after the last. A source is read no further than the job needs.
   * Throws the failure of a chunk ("wasm-trap", "timeout", …: a fault of the task, the same on any node), "no-cores",
   * or "cancelled". Leaving the loop or aborting cancels it everywhere.
   */
  map(
    job: MapJob,
    options: { signal: AbortSignal; onProgress?: (progress: JobProgress) => void },
  ): AsyncIterable<ChunkResult>;
  /** Running jobs that this node has submitted. */
  jobs(): readonly JobInfo[];
  /** False if there is no such job. */
  cancel(id: string): boolean;
  /** Called when a task begins or ends here (also other nodes' tasks), and when a job of this node begins or ends. */
  onActivity(listener: () => void): Unsubscribe;
  /** How many tasks have ended on this node since it began. */
  readonly ended: number;
  /** The tasks that run on this node now, one on each busy core, and for whom. */
  running(): readonly { readonly job: string; readonly for: PeerId }[];
  close(): Promise<void>;
}

export type TaskFailure = { readonly code: ErrorCode; readonly message: string };

/**
 * Jobs of the swarm, which no node leads: they are written down, run by the nodes that lend cores, and finished by
 * whichever nodes are left.
 */
export interface Jobs {
  /**
   * Writes a job down. Or returns a job that has done the same work within a day, if its result may be believed: it was
   * verified at least as strictly as this one asks, or this one asks for whatever is remembered (`reuse`). Resolves
   * when this node has written it and can serve its contents; `safe` resolves when more than half of the members know
   * it and its contents survive the loss of any half of the devices. Rejects with "too-large" or "malformed"
   * (impossible job), "full" (too many jobs), "no-cores" (fewer devices than have to agree), "clock", "closed".
   */
  submit(spec: JobSpec, options?: { readonly signal?: AbortSignal | undefined }): Promise<Submitted>;
  /**
   * The events of a job from now on, whoever submitted it: its state at once and when it changes, and its outcome last.
   * With `results`, each task's result once, in the order in which they arrive here. Throws "not-found".
   */
  attach(
    id: JobId,
    options?: { readonly signal?: AbortSignal | undefined; readonly results?: boolean | undefined },
  ): AsyncIterable<JobEvent>;
  /** Ends a job everywhere, within a second on nodes in reach. Returns false if there is no such job, or it is over. */
  cancel(id: JobId): boolean;
  /** All jobs that the swarm knows, running and over, the newest first. */
  list(): readonly JobState[];
  state(id: JobId): JobState | undefined;
  /**
   * The bytes of the result. If the submitter has read it, it is kept for a week after the job's end; unread, as long
   * as jobs are kept. Rejects with "not-found" (no such job, or not done), with the job's failure, "cancelled", "lost".
   */
  result(id: JobId, options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<Uint8Array>;
  /** Stores bytes for a spec: few are written into it, more go to the disk. */
  content(
    bytes: Bytes | AsyncIterable<Bytes>,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<Content>;
  /** A list of inputs, one for each task. */
  listOf(
    inputs: AsyncIterable<Bytes> | Iterable<Bytes>,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<Inputs>;
  /**
   * Tasks that take other tasks' results: they run as their inputs appear, and the result is made of those that no
   * other needs. Rejects with "malformed" if a task needs one that is not before it in the list, and with "too-large".
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
  /** Called when the results of `list` have changed, at most a few times a second. */
  onChange(listener: () => void): Unsubscribe;
  close(): Promise<void>;
}

/** 16 hex digits, drawn by the submitter. */
export type JobId = string;

export interface Submitted {
  readonly id: JobId;
  /** Whether it is an earlier job of the same work, which is done. */
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
  /** The number of the program that runs it: the graph's programs count from 1. By default 0, the job's own. */
  readonly program?: number | undefined;
  /** It may return further tasks instead of a value (returned.ts). */
  readonly grows?: boolean | undefined;
}

export interface GraphOptions {
  /** Programs that tasks may name besides the job's. */
  readonly programs?: readonly Program[] | undefined;
  /** How many tasks there may be in all, if some return others; GRAPH_TASKS_MAX by default. */
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
  /** What each node runs and has done, as intervals of task numbers: [from, to) one after the other in one list. */
  readonly nodes: ReadonlyMap<
    PeerId,
    {
      readonly running: readonly number[];
      readonly held: readonly number[];
      /** Of the results that it holds, copies of other nodes' results. */
      readonly copies: readonly number[];
    }
  >;
  /** Some of the tasks that have failed, with the reasons. */
  readonly failures: readonly FailedTask[];
  /** For a verified job: the nodes that have disagreed with the others. */
  readonly named: readonly NamedNode[];
  /** For a running verified job that waits for more devices: how many have to agree, and how many are there. */
  readonly lacking: { readonly devices: number; readonly needed: number } | undefined;
  /** Undefined while it runs. */
  readonly outcome: JobOutcome | undefined;
}

export interface TaskCounts {
  /** Reductions included. */
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

/** A node that gave another answer to a task than the one on which enough devices agreed. */
export interface NamedNode {
  readonly peer: PeerId;
  /** One of these tasks. */
  readonly task: number;
}

export interface JobShares {
  /** The nodes that did most, in order; a bounded number. */
  readonly nodes: readonly { readonly peer: PeerId; readonly tasks: number }[];
  /**
   * For equal parts of the tasks, in order: who did most of each, as an index into `nodes`, or 255 for none of these.
   */
  readonly parts: Uint8Array;
  /** Tasks that more than one node ran. */
  readonly again: number;
}

export type JobOutcome =
  | {
      readonly is: "done";
      /** The combined result; or, if results are not combined, their list, with its ends in `ends` (inputs.ts). */
      readonly result: Content;
      readonly ends?: Content | undefined;
      /** The node that put the results together. */
      readonly by: PeerId;
      readonly finishedAtMs: number;
      /** Tasks that failed and are not in the result (keepGoing). */
      readonly failed: number;
      /** How many tasks there were in the end, if tasks may return others. */
      readonly tasks?: number | undefined;
      /** Who did it, as far as was known at its end. */
      readonly shares?: JobShares | undefined;
      /**
       * The fuel of all tasks whose outputs are in the result, each counted once; undefined if they were reduced to
       * one.
       */
      readonly fuelUsed?: number | undefined;
      /** For a verified job. */
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
      /** The same wherever it ran; undefined if the job was over before. */
      readonly fuelUsed: number | undefined;
    }
  | { readonly is: "outcome"; readonly outcome: JobOutcome };

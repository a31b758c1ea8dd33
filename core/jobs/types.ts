/** The processor as the shell and the page see it: lending cores, running a map job, watching and cancelling. */
import type { Bytes } from "../base/bytes.ts";
import type { ErrorCode } from "../base/errors.ts";
import type { Unsubscribe } from "../base/events.ts";
import type { PeerId } from "../ports/network.ts";
import type { TaskLimits } from "../sandbox/types.ts";

/** One module run over many inputs. Chunks are numbered by their place in `inputs`; each goes to the module whole. */
export interface MapJob {
  /** For people: "primes". */
  readonly title: string;
  readonly module: Bytes;
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

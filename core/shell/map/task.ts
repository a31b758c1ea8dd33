/** What `map` has to know of a task: its options, how its input is cut into chunks, and what becomes of the results. */
import type { Bytes } from "../../base/bytes.ts";
import type { Combine, Inputs } from "../../jobs/spec.ts";
import type { ChunkResult } from "../../jobs/types.ts";
import type { SandboxProgram } from "../../ports/sandbox.ts";
import type { CommandContext } from "../types.ts";

/** Most chunks of a job: each costs some bytes of bookkeeping on the node that hands them out. */
export const CHUNKS_MAX = 100_000;
/** Largest input of one chunk, so that it passes through one message with room to spare. */
export const CHUNK_BYTES_MAX: number = 256 * 1024;
/** Values of the options that were given, by name. */
export type Options = Readonly<Record<string, string | true | undefined>>;

export interface Work {
  /** How the module is run; ABI 1 without it. A script's module is its engine. */
  readonly program?: SandboxProgram;
  /** A source is read no further than the job needs. */
  readonly inputs: readonly Bytes[] | AsyncIterable<Bytes>;
  /** Whether results are taken in the order of the inputs, instead of that in which they finish. */
  readonly ordered?: boolean;
  /** Whether outputs are made one by the program itself, two at a time; that one is taken then. */
  readonly reduces?: boolean;
  /** Takes each result once. */
  take(result: Pick<ChunkResult, "index" | "output" | "by">): Promise<void> | void;
  /** After the last one. */
  finish(): Promise<void>;
}

/** The same as a job of the swarm, which nobody has to take the results of. */
export interface JobWork {
  /** For people: what tells it from other jobs of the same task. */
  readonly title: string;
  readonly program?: SandboxProgram;
  readonly inputs: Inputs;
  /** "reduce": by the program itself. */
  readonly combine: Exclude<Combine, { readonly how: "reduce" }>["how"] | "reduce";
  /** Nothing for a terminal. */
  readonly isPicture?: boolean;
  /** A small result as people read it, where that is more than its bytes. */
  readonly show?: (result: Bytes) => Bytes;
}

export interface MapTask {
  /** For `--detach` and what else makes it a job of the swarm; absent where its results need who asked. Throws "usage". */
  job?(options: Options, context: CommandContext, words: readonly string[]): Promise<JobWork>;
  /** Words behind the task's name are its own: a pattern, say. */
  readonly takesWords?: boolean;
  /** Throws "usage" for options or input that make no sense. */
  prepare(options: Options, context: CommandContext, words: readonly string[]): Promise<Work>;
}

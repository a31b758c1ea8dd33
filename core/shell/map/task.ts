/**
 * What `map` has to know about a task: its options, how its input is split into chunks, and what is done with the
 * results.
 */
import type { Bytes } from "../../base/bytes.ts";
import type { Combine, Inputs } from "../../jobs/spec.ts";
import type { ChunkResult } from "../../jobs/types.ts";
import type { SandboxProgram } from "../../ports/sandbox.ts";
import type { CommandContext } from "../types.ts";

/** The most chunks of a job. Each costs some bytes of bookkeeping on the node that hands them out. */
export const CHUNKS_MAX = 100_000;
/** The largest input of one chunk: it fits in one message with room to spare. */
export const CHUNK_BYTES_MAX: number = 256 * 1024;
/** Values of the given options, by name. */
export type Options = Readonly<Record<string, string | true | undefined>>;

export interface Work {
  /** How the module is run; ABI 1 if absent. For a script, the module is its engine. */
  readonly program?: SandboxProgram;
  /** A source is read no further than the job needs. */
  readonly inputs: readonly Bytes[] | AsyncIterable<Bytes>;
  /** Whether results are taken in the order of the inputs, and not in the order in which they finish. */
  readonly ordered?: boolean;
  /** Whether the program itself reduces the outputs to one, two at a time; then that one is taken. */
  readonly reduces?: boolean;
  /** Takes each result once. */
  take(result: Pick<ChunkResult, "index" | "output" | "by">): Promise<void> | void;
  /** Called after the last result. */
  finish(): Promise<void>;
}

/** The same as a job of the swarm, whose results nobody has to take. */
export interface JobWork {
  /** For people: what distinguishes it from other jobs of the same task. */
  readonly title: string;
  readonly program?: SandboxProgram;
  readonly inputs: Inputs;
  /** "reduce": the program itself reduces. */
  readonly combine: Exclude<Combine, { readonly how: "reduce" }>["how"] | "reduce";
  /** Whether the result is not meant for a terminal. */
  readonly isPicture?: boolean;
  /** A small result in readable form, if its bytes are not. */
  readonly show?: (result: Bytes) => Bytes;
}

export interface MapTask {
  /**
   * For `--detach` and the other options that make it a job of the swarm; absent if the results need the node that
   * asked. Throws "usage".
   */
  job?(options: Options, context: CommandContext, words: readonly string[]): Promise<JobWork>;
  /** Whether the words after the task's name are its own, as a pattern. */
  readonly takesWords?: boolean;
  /** Throws "usage" for options or input that make no sense. */
  prepare(options: Options, context: CommandContext, words: readonly string[]): Promise<Work>;
}

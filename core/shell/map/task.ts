/** What `map` has to know of a task: its options, how its input is cut into chunks, and what becomes of the results. */
import type { Bytes } from "../../base/bytes.ts";
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

export interface MapTask {
  /** Words behind the task's name are its own: a pattern, say. */
  readonly takesWords?: boolean;
  /** Throws "usage" for options or input that make no sense. */
  prepare(options: Options, context: CommandContext, words: readonly string[]): Promise<Work>;
}

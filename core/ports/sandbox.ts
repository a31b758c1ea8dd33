/**
 * Workers in which strangers' WebAssembly is checked, compiled and run. A worker gives each task a fresh instance, and
 * can be ended from outside at any time, even in the middle of a loop. The limits of a task are written into its module
 * before it is compiled (sandbox/wasm), so adapters need not know them.
 */
import type { Bytes } from "../base/bytes.ts";
import type { ErrorCode } from "../base/errors.ts";

/**
 * "bytes": a module of ABI 1 (wasm-tasks/README.md). "command": a WASI preview 1 program, with the input on its
 * standard input and the output on its standard output. "javascript", "python": a script; the module is its engine.
 */
export type ProgramKind = "bytes" | "command" | "javascript" | "python";

/** Which part of a task's input one call of a script's function gets, and how its results are written. */
export type InputForm =
  /**
   * A line, without its end. A text result is written as a line, any other value as a line of JSON; undefined gives no
   * line.
   */
  | "lines"
  /** The value of a line of JSON; each result is a line of JSON. */
  | "values"
  /** The number on a line; results are written as with "lines". */
  | "numbers"
  /** The whole input, as text; the result is written as with "lines", but without an end of line. */
  | "text";

/** How a module is run, as data that is sent from node to node. */
export interface SandboxProgram {
  readonly kind: ProgramKind;
  /** "reduce": makes one output of two. The input has the length of the first in 4 bytes (little-endian), then both. */
  readonly entry?: "run" | "reduce" | undefined;
  /** The arguments of a command. */
  readonly args?: readonly string[] | undefined;
  /** The source of a script: an expression whose value is a function, or a module that exports one. */
  readonly source?: string | undefined;
  /** The reduction of a script: a function that makes one value of two. With it a task reduces its results to one. */
  readonly reduce?: string | undefined;
  /** The form of a script's input. */
  readonly form?: InputForm | undefined;
}

/** One task or several: each input is a task of its own, which gets a fresh instance. */
export interface SandboxTasks {
  /** Names the module. An adapter posts the module to its worker only if the worker's last task had another one. */
  readonly moduleId: string;
  readonly module: WebAssembly.Module;
  /** ABI 1 if absent. */
  readonly program?: SandboxProgram | undefined;
  readonly inputs: readonly Bytes[];
  /** A whole number. A task that has used this much fuel ends with "out-of-fuel". */
  readonly fuelMax: number;
}

export interface SandboxRun {
  readonly outcome: SandboxOutcome;
  /** How long the task ran in its worker. */
  readonly runMs: number;
}

export type SandboxOutcome =
  /** The same module, input and limits give the same output and the same fuel on every device. */
  | { readonly ok: true; readonly output: Uint8Array; readonly fuelUsed: number }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

export type CompileOutcome =
  | { readonly ok: true; readonly module: WebAssembly.Module }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

/** Does one thing at a time. A second call before the first has settled is a bug of the caller. */
export interface SandboxWorker {
  /**
   * Checks a module of that kind, writes its limits into it, and compiles it. Never rejects; never settles after
   * `terminate`.
   */
  compile(bytes: Bytes, memoryBytesMax: number, kind?: ProgramKind): Promise<CompileOutcome>;
  /**
   * Runs the tasks one after the other until one of them fails. Calls `ran` with their outcomes, in order: many short
   * tasks at once, and while it runs about every ANSWER_EVERY_MS. Resolves when there is nothing more to tell. Never
   * rejects; never tells anything and never settles after `terminate`.
   */
  run(tasks: SandboxTasks, ran: (runs: readonly SandboxRun[]) => void): Promise<void>;
  /** Ends the thread, whatever it is doing. */
  terminate(): void;
}

export interface Sandbox {
  /** Cores of this device that could be lent, at least 1. */
  readonly cores: number;
  /** Starts a worker. Rejects with "unsupported" if the platform has none. */
  spawn(): Promise<SandboxWorker>;
}

/**
 * Workers in which strangers' WebAssembly is checked, compiled and run. A worker gives each task a fresh instance, and can
 * be ended from outside at any time, in the middle of a loop. What a task may do is fixed by the bytes of its module:
 * limits are written into them before they are compiled (sandbox/wasm), so adapters need not know them.
 */
import type { Bytes } from "../base/bytes.ts";
import type { ErrorCode } from "../base/errors.ts";

/**
 * "bytes": ABI 1 (wasm-tasks/README.md). "command": a WASI preview 1 program, input on its standard input, output from its
 * standard output. "javascript", "python": a script, for which the module is the engine.
 */
export type ProgramKind = "bytes" | "command" | "javascript" | "python";

/** What one call of a script's function gets of a task's input, and how what it gives is written. */
export type InputForm =
  /** A line, without its end. A text that it gives is a line as it is, anything else a line of JSON; nothing is no line. */
  | "lines"
  /** The value of a line of JSON; it gives one. */
  | "values"
  /** A number on a line; what it gives is as with lines. */
  | "numbers"
  /** All of it, as text; what it gives is as with lines, without an end. */
  | "text";

/** How a module is to be run, as data: it goes from node to node. */
export interface SandboxProgram {
  readonly kind: ProgramKind;
  /** "reduce": makes one output of two, which are in the input with the length of the first in 4 bytes (little-endian). */
  readonly entry?: "run" | "reduce" | undefined;
  /** Of a command. */
  readonly args?: readonly string[] | undefined;
  /** Of a script: the text of its function, or of a module that has it. */
  readonly source?: string | undefined;
  /** Of a script: the function of two values that makes one of them. With it a task's outputs are made one. */
  readonly reduce?: string | undefined;
  /** Of a script. */
  readonly form?: InputForm | undefined;
}

export interface SandboxTask {
  /** Names the module: an adapter posts it to its worker only when the worker's last task had another. */
  readonly moduleId: string;
  readonly module: WebAssembly.Module;
  /** ABI 1 where there is none. */
  readonly program?: SandboxProgram | undefined;
  readonly input: Bytes;
  /** A whole number: where the task has used up so much, it ends with "out-of-fuel". */
  readonly fuelMax: number;
}

export type SandboxOutcome =
  /** The same output and the same fuel for the same module, input and limits, on every device. */
  | { readonly ok: true; readonly output: Uint8Array; readonly fuelUsed: number }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

export type CompileOutcome =
  | { readonly ok: true; readonly module: WebAssembly.Module }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

/** Does one thing at a time; a second call before the first has settled is a bug. */
export interface SandboxWorker {
  /** Checks a module of that kind and compiles it with its limits in it. Never rejects; never settles after `terminate`. */
  compile(bytes: Bytes, memoryBytesMax: number, kind?: ProgramKind): Promise<CompileOutcome>;
  /** Runs one task. Never rejects; never settles after `terminate`. */
  run(task: SandboxTask): Promise<SandboxOutcome>;
  /** Ends the thread whatever it is doing. */
  terminate(): void;
}

export interface Sandbox {
  /** Cores of this device that could be lent, at least 1. */
  readonly cores: number;
  /** Starts a worker. Rejects with "unsupported" where the platform has none. */
  spawn(): Promise<SandboxWorker>;
}

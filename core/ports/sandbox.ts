/**
 * Workers in which strangers' WebAssembly is checked, compiled and run. A worker gives each task a fresh instance, and can
 * be ended from outside at any time, in the middle of a loop. What a task may do is fixed by the bytes of its module:
 * limits are written into them before they are compiled (sandbox/wasm), so adapters need not know them.
 */
import type { Bytes } from "../base/bytes.ts";
import type { ErrorCode } from "../base/errors.ts";

export interface SandboxTask {
  /** Names the module: an adapter posts it to its worker only when the worker's last task had another. */
  readonly moduleId: string;
  readonly module: WebAssembly.Module;
  readonly input: Bytes;
}

export type SandboxOutcome =
  | { readonly ok: true; readonly output: Uint8Array }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

export type CompileOutcome =
  | { readonly ok: true; readonly module: WebAssembly.Module }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

/** Does one thing at a time; a second call before the first has settled is a bug. */
export interface SandboxWorker {
  /** Checks a module and compiles it with its limits in it. Never rejects; never settles after `terminate`. */
  compile(bytes: Bytes, memoryBytesMax: number): Promise<CompileOutcome>;
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

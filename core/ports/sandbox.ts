/**
 * Workers in which strangers' WebAssembly runs. A worker compiles a module once, gives each task a fresh instance, and
 * can be ended from outside at any time, in the middle of a loop. What it may do is fixed by the bytes it is given:
 * limits are written into the module before it gets here (cpu/wasm), so adapters need not know them.
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

export interface SandboxWorker {
  /** Runs one task at a time; a second call before the first has settled is a bug. Never rejects; never settles after `terminate`. */
  run(task: SandboxTask): Promise<SandboxOutcome>;
  /** Ends the thread whatever it is doing. */
  terminate(): void;
}

export interface Sandbox {
  /** Cores of this device that could be lent, at least 1. */
  readonly cores: number;
  /** Compiles bytes off the caller's thread where the platform can. Rejects with "not-wasm". */
  compile(bytes: Bytes): Promise<WebAssembly.Module>;
  /** Starts a worker. Rejects with "unsupported" where the platform has none. */
  spawn(): Promise<SandboxWorker>;
}

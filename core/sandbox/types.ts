/** The sandbox's types, for code that has tasks run in it. */
import type { ErrorCode } from "../base/errors.ts";

/** Limits of one task. */
export interface TaskLimits {
  /** The largest linear memory, a multiple of 64 KiB. */
  readonly memoryBytesMax: number;
  /** Fuel (docs/tasks.md): about one unit for each executed instruction. The same on every machine. */
  readonly fuelMax: number;
  /** The wall-clock time after which the worker is ended: a last resort, since machines differ. */
  readonly timeMsMax: number;
}

/** The errors with which a task may fail. Another node can't make this one throw any other. */
export type TaskFault = Extract<
  ErrorCode,
  | "timeout"
  | "not-wasm"
  | "wasm-imports"
  | "wasm-abi"
  | "wasm-unsupported"
  | "wasm-trap"
  | "task-failed"
  | "out-of-fuel"
  | "call-depth"
  | "out-of-memory"
  | "too-large"
>;
export const TASK_FAULTS: readonly TaskFault[] = [
  "timeout",
  "not-wasm",
  "wasm-imports",
  "wasm-abi",
  "wasm-unsupported",
  "wasm-trap",
  "task-failed",
  "out-of-fuel",
  "call-depth",
  "out-of-memory",
  "too-large",
];

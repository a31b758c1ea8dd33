/** What the sandbox tells those who have tasks run in it. */
import type { ErrorCode } from "../base/errors.ts";

/** Limits of one task. */
export interface TaskLimits {
  /** Largest linear memory, a multiple of 64 KiB. */
  readonly memoryBytesMax: number;
  /** Fuel (docs/tasks.md): about one for each instruction that is run. The same on every machine. */
  readonly fuelMax: number;
  /** Wall-clock time after which the worker is ended: a backstop, since machines differ. */
  readonly timeMsMax: number;
}

/** What a task may fail with; another node cannot make us throw anything else. */
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

/** The worker of the comparison in cpu.ts: the same module run the same way, under tinypool. */
import { workerData } from "node:worker_threads";
import { LIMITS_DEFAULT } from "../core/sandbox/limits.ts";
import { runTask } from "../core/sandbox/wasm/abi.ts";

export interface Measured {
  readonly output: Uint8Array;
  readonly runMs: number;
}

// tinypool hands its own data over first.
const [, module] = workerData as [unknown, WebAssembly.Module];

export default function run(input: Uint8Array): Measured {
  const start = performance.now();
  const outcome = runTask(module, input, LIMITS_DEFAULT);
  if (!outcome.ok) throw new Error(outcome.message);
  return { output: outcome.output, runMs: performance.now() - start };
}

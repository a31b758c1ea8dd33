/** The bare worker of nodes.ts: a batch of inputs, each in a fresh instance of the module, without anything around it. */
import { workerData } from "node:worker_threads";
import { LIMITS_DEFAULT } from "../../core/sandbox/limits.ts";
import { runTask } from "../../core/sandbox/wasm/abi.ts";

// tinypool hands its own data over first.
const [, module] = workerData as [unknown, WebAssembly.Module];

export default function run(inputs: readonly Uint8Array[]): Uint8Array[] {
  return inputs.map((input) => {
    const outcome = runTask(module, input, LIMITS_DEFAULT);
    if (!outcome.ok) throw new Error(outcome.message);
    return outcome.output;
  });
}

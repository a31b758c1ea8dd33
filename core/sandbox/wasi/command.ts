/** Runs a WASI preview 1 command as a task, from input to output, in a fresh instance. */
import { text } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import type { SandboxOutcome, SandboxProgram } from "../../ports/sandbox.ts";
import { failure, Meter } from "../wasm/meter.ts";
import { Exit, TaskProgram } from "./calls.ts";

/** The program's name in its arguments: some programs print it in error messages. */
const NAME = "task";

export function runCommand(
  module: WebAssembly.Module,
  { args = [] }: SandboxProgram,
  input: Uint8Array,
  fuelMax: number,
): SandboxOutcome {
  const program = new TaskProgram([NAME, ...args], input);
  const meter = new Meter(fuelMax);
  try {
    const instance = new WebAssembly.Instance(module, program.importsFor(module));
    // A start function may call imports already.
    if (instance.exports["memory"] instanceof WebAssembly.Memory) program.memory.attach(instance.exports["memory"]);
    const { memory, _start: start } = meter.attach(instance);
    if (!(memory instanceof WebAssembly.Memory) || typeof start !== "function") {
      return failure("wasm-abi", "The module is no WASI command");
    }
    start();
    return meter.done(program.output);
  } catch (error) {
    if (error instanceof StarfishError) return failure(error.code, error.message);
    if (!(error instanceof Exit)) return meter.explain(error);
    if (error.status === 0) return meter.done(program.output);
    const stderr = text(program.stderr).trim();
    const why = stderr === "" ? "and said nothing on its standard error" : `and said: ${stderr}`;
    return failure("task-failed", `The program exited with ${error.status}, ${why}`);
  }
}

/** Runs a WASI preview 1 command as a task, from input to output, in a fresh instance. */
import { text } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import type { SandboxOutcome, SandboxProgram } from "../../ports/sandbox.ts";
import { explain, failure, type InstanceExports } from "../wasm/abi.ts";
import { Exit, TaskProgram } from "./calls.ts";

/** The name by which a program is called: some say it when they complain. */
const NAME = "task";

export function runCommand(
  module: WebAssembly.Module,
  { args = [] }: SandboxProgram,
  input: Uint8Array,
): SandboxOutcome {
  const program = new TaskProgram([NAME, ...args], input);
  let exports: InstanceExports | undefined;
  try {
    exports = new WebAssembly.Instance(module, program.importsFor(module)).exports;
    const { memory, _start: start } = exports;
    if (!(memory instanceof WebAssembly.Memory) || typeof start !== "function") {
      return failure("wasm-abi", "The module is no WASI command");
    }
    program.memory.attach(memory);
    start();
    return { ok: true, output: program.output };
  } catch (error) {
    if (error instanceof StarfishError) return failure(error.code, error.message);
    if (!(error instanceof Exit)) return explain(error, exports);
    if (error.status === 0) return { ok: true, output: program.output };
    const stderr = text(program.stderr).trim();
    const why = stderr === "" ? "and said nothing on its standard error" : `and said: ${stderr}`;
    return failure("task-failed", `The program exited with ${error.status}, ${why}`);
  }
}

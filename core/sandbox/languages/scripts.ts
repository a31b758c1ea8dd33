/** The scripts of one thread: the last one stays loaded, so that a job's script is loaded once per thread. */
import { isStarfishError } from "../../base/errors.ts";
import type { SandboxOutcome, SandboxProgram } from "../../ports/sandbox.ts";
import { failure, Meter } from "../wasm/meter.ts";
import { loadJavaScript } from "./javascript.ts";
import { loadPython } from "./python.ts";
import { type Answer, runScript, type Script } from "./script.ts";

interface Loaded {
  readonly module: WebAssembly.Module;
  readonly program: SandboxProgram;
  readonly script: Script;
  readonly meter: Meter;
}

export class Scripts {
  #last: Loaded | undefined;

  /** Loading has fuel of its own, so that a task uses the same whether its script was loaded already. */
  run(module: WebAssembly.Module, program: SandboxProgram, input: Uint8Array, fuelMax: number): SandboxOutcome {
    const last = this.#loaded(module, program);
    const meter = last?.meter ?? new Meter(fuelMax);
    let script = last?.script;
    if (script === undefined) {
      const loaded = load(module, program, meter);
      if ("is" in loaded) {
        const why =
          loaded.is === "failed" ? loaded : { code: "task-failed" as const, message: "The script gave nothing" };
        return failure(why.code, why.message);
      }
      script = loaded;
      this.#last = { module, program, script, meter };
    }
    meter.refill(fuelMax);
    return runScript(script, program, input, meter);
  }

  #loaded(module: WebAssembly.Module, { source, reduce }: SandboxProgram): Loaded | undefined {
    const last = this.#last;
    const isSame = last?.module === module && last.program.source === source && last.program.reduce === reduce;
    return isSame ? last : undefined;
  }
}

function load(module: WebAssembly.Module, program: SandboxProgram, meter: Meter): Script | Answer {
  try {
    return program.kind === "python" ? loadPython(module, program, meter) : loadJavaScript(module, program, meter);
  } catch (error) {
    if (isStarfishError(error)) return { is: "failed", code: error.code, message: error.message };
    return { is: "failed", ...withoutOk(meter.explain(error)) };
  }
}

function withoutOk({ code, message }: ReturnType<typeof failure>): Omit<Extract<Answer, { is: "failed" }>, "is"> {
  return { code, message };
}

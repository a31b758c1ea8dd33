/** The scripts of one thread: the last one stays loaded, so that a job's script is loaded once per thread. */
import { isStarfishError } from "../../base/errors.ts";
import type { SandboxOutcome, SandboxProgram } from "../../ports/sandbox.ts";
import { explain, failure } from "../wasm/abi.ts";
import { loadJavaScript } from "./javascript.ts";
import { loadPython } from "./python.ts";
import { type Answer, runScript, type Script } from "./script.ts";

export class Scripts {
  #last: { readonly module: WebAssembly.Module; readonly program: SandboxProgram; readonly script: Script } | undefined;

  run(module: WebAssembly.Module, program: SandboxProgram, input: Uint8Array): SandboxOutcome {
    let script: Script | undefined = this.#loaded(module, program);
    if (script === undefined) {
      const loaded = load(module, program);
      if ("is" in loaded) {
        const why =
          loaded.is === "failed" ? loaded : { code: "task-failed" as const, message: "The script gave nothing" };
        return failure(why.code, why.message);
      }
      script = loaded;
      this.#last = { module, program, script };
    }
    return runScript(script, program, input);
  }

  #loaded(module: WebAssembly.Module, { source, reduce }: SandboxProgram): Script | undefined {
    const last = this.#last;
    const isSame = last?.module === module && last.program.source === source && last.program.reduce === reduce;
    return isSame ? last?.script : undefined;
  }
}

function load(module: WebAssembly.Module, program: SandboxProgram): Script | Answer {
  try {
    return program.kind === "python" ? loadPython(module, program) : loadJavaScript(module, program);
  } catch (error) {
    if (isStarfishError(error)) return { is: "failed", code: error.code, message: error.message };
    return { is: "failed", ...withoutOk(explain(error, undefined)) };
  }
}

function withoutOk({ code, message }: ReturnType<typeof failure>): Omit<Extract<Answer, { is: "failed" }>, "is"> {
  return { code, message };
}

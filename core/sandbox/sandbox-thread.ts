/**
 * Both ends of the messages between a node and a thread of its sandbox, for Web Workers and worker_threads alike. A
 * thread does one thing at a time. It keeps the module of its last task, so that a job's module is posted once for each
 * thread.
 */
import type { Bytes } from "../base/bytes.ts";
import { messageOf, StarfishError } from "../base/errors.ts";
import type {
  CompileOutcome,
  ProgramKind,
  SandboxOutcome,
  SandboxProgram,
  SandboxTask,
  SandboxWorker,
} from "../ports/sandbox.ts";
import { isScript } from "./languages/engines.ts";
import type { Scripts } from "./languages/scripts.ts";
import { runCommand } from "./wasi/command.ts";
import { runTask } from "./wasm/abi.ts";
import { prepareModule } from "./wasm/prepare.ts";

/** A message to a thread: a task (without a module it runs the module that it has), or a module to compile. */
export type ThreadTask =
  | {
      readonly is: "task";
      readonly module: WebAssembly.Module | undefined;
      readonly program: SandboxProgram | undefined;
      readonly input: Bytes;
      readonly fuelMax: number;
    }
  | { readonly is: "module"; readonly bytes: Bytes; readonly memoryBytesMax: number; readonly kind: ProgramKind };

export type ThreadMessage =
  | "ready"
  | { readonly is: "ran"; readonly outcome: SandboxOutcome }
  | { readonly is: "compiled"; readonly outcome: CompileOutcome };

/** A thread as its owner sees it. The adapters implement it. */
export interface Thread {
  post(task: ThreadTask): void;
  /** Called with everything that the thread posts. */
  onMessage(receive: (message: ThreadMessage) => void): void;
  /** Called when it could not start, or has ended on its own. */
  onDeath(died: (message: string) => void): void;
  terminate(): void;
}

/** The thread's side: runs the messages that arrive. */
export function serveThread(
  post: (message: ThreadMessage, transfer: ArrayBuffer[]) => void,
): (task: ThreadTask) => void {
  let module: WebAssembly.Module | undefined;
  let scripts: Scripts | undefined;
  const ran = (outcome: SandboxOutcome): void =>
    post({ is: "ran", outcome }, outcome.ok ? [outcome.output.buffer as ArrayBuffer] : []);
  post("ready", []);
  return (task) => {
    if (task.is === "module") return post({ is: "compiled", outcome: compile(task) }, []);
    module = task.module ?? module;
    if (module === undefined) return ran({ ok: false, code: "wasm-abi", message: "The thread got no module" });
    const { program = BYTES, input, fuelMax } = task;
    if (!isScript(program.kind)) return ran(run(module, program, input, fuelMax));
    if (scripts !== undefined) return ran(scripts.run(module, program, input, fuelMax));
    const engine = module;
    // The code that drives engines is loaded with the first script.
    void import("./languages/scripts.ts").then(
      (languages) => {
        scripts = new languages.Scripts();
        ran(scripts.run(engine, program, input, fuelMax));
      },
      (error: unknown) =>
        ran({ ok: false, code: "unsupported", message: `What runs scripts could not be loaded: ${messageOf(error)}` }),
    );
  };
}

const BYTES: SandboxProgram = { kind: "bytes" };

function run(module: WebAssembly.Module, program: SandboxProgram, input: Bytes, fuelMax: number): SandboxOutcome {
  if (program.kind === "command") return runCommand(module, program, input, fuelMax);
  return runTask(module, input, { fuelMax, entry: program.entry });
}

function compile({ bytes, memoryBytesMax, kind }: Extract<ThreadTask, { is: "module" }>): CompileOutcome {
  try {
    const prepared = prepareModule(bytes, memoryBytesMax, kind);
    return { ok: true, module: new WebAssembly.Module(prepared) };
  } catch (error) {
    if (error instanceof StarfishError) return { ok: false, code: error.code, message: error.message };
    if (error instanceof RangeError) return { ok: false, code: "out-of-memory", message: messageOf(error) };
    return { ok: false, code: "not-wasm", message: `Not a valid WebAssembly module: ${messageOf(error)}` };
  }
}

/** The owner's side. Resolves once the thread is ready; rejects with "unsupported" if it can't start. */
export function ownThread(thread: Thread): Promise<SandboxWorker> {
  return new Promise((resolve, reject) => {
    let moduleId: string | undefined;
    let settleRun: ((outcome: SandboxOutcome) => void) | undefined;
    let settleCompile: ((outcome: CompileOutcome) => void) | undefined;
    let death: string | undefined;

    const worker: SandboxWorker = {
      compile(bytes, memoryBytesMax, kind = "bytes"): Promise<CompileOutcome> {
        if (death !== undefined) return Promise.resolve(dead(death));
        return new Promise((resolveCompile) => {
          settleCompile = resolveCompile;
          thread.post({ is: "module", bytes, memoryBytesMax, kind });
        });
      },
      run(task: SandboxTask): Promise<SandboxOutcome> {
        if (death !== undefined) return Promise.resolve(dead(death));
        return new Promise((resolveRun) => {
          settleRun = resolveRun;
          const module = task.moduleId === moduleId ? undefined : task.module;
          const { program, input, fuelMax } = task;
          thread.post({ is: "task", module, program, input, fuelMax });
          moduleId = task.moduleId;
        });
      },
      terminate(): void {
        settleRun = settleCompile = undefined;
        thread.terminate();
      },
    };

    thread.onMessage((message) => {
      if (message === "ready") return resolve(worker);
      const [ran, compiled] = [settleRun, settleCompile];
      settleRun = settleCompile = undefined;
      if (message.is === "ran") ran?.(message.outcome);
      else compiled?.(message.outcome);
    });
    thread.onDeath((message) => {
      death = message;
      reject(unsupported(message));
      settleRun?.(dead(message));
      settleCompile?.(dead(message));
      settleRun = settleCompile = undefined;
    });
  });
}

function dead(message: string): SandboxOutcome & CompileOutcome {
  return { ok: false, code: "closed", message: `The worker ended: ${message}` };
}

function unsupported(message: string): StarfishError {
  return new StarfishError("unsupported", `No worker could be started to run tasks in: ${message}`);
}

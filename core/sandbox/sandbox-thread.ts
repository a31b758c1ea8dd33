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
  SandboxRun,
  SandboxWorker,
} from "../ports/sandbox.ts";
import { type Answer, type Packed, packed, runEach, runsOf, unpacked } from "./batches.ts";
import { isScript } from "./languages/engines.ts";
import type { Scripts } from "./languages/scripts.ts";
import { runCommand } from "./wasi/command.ts";
import { runTask } from "./wasm/abi.ts";
import { failure } from "./wasm/meter.ts";
import { prepareModule } from "./wasm/prepare.ts";

/** A message to a thread: tasks (without a module they run the module that it has), or a module to compile. */
export type ThreadTask =
  | {
      readonly is: "tasks";
      readonly module: WebAssembly.Module | undefined;
      readonly program: SandboxProgram | undefined;
      readonly inputs: Packed;
      readonly fuelMax: number;
    }
  | { readonly is: "module"; readonly bytes: Bytes; readonly memoryBytesMax: number; readonly kind: ProgramKind };

export type ThreadMessage =
  | "ready"
  | { readonly is: "ran"; readonly answer: Answer }
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

/** The thread's side: runs the messages that arrive. `now` tells how long tasks take. */
export function serveThread(
  post: (message: ThreadMessage, transfer: ArrayBuffer[]) => void,
  now: () => number,
): (task: ThreadTask) => void {
  let module: WebAssembly.Module | undefined;
  let scripts: Scripts | undefined;
  const answer = (told: Answer): void => post({ is: "ran", answer: told }, [told.outputs.bytes.buffer as ArrayBuffer]);
  const serve = ({ program = BYTES, inputs, fuelMax }: Extract<ThreadTask, { is: "tasks" }>): void => {
    const all = unpacked(inputs);
    const engine = module;
    const each = (run: (input: Uint8Array) => SandboxOutcome): void => runEach(all, run, now, answer);
    if (engine === undefined) return each(() => failure("wasm-abi", "The thread got no module"));
    if (!isScript(program.kind)) return each((input) => run(engine, program, input, fuelMax));
    const script = (loaded: Scripts): void => each((input) => loaded.run(engine, program, input, fuelMax));
    if (scripts !== undefined) return script(scripts);
    // The code that drives engines is loaded with the first script.
    void import("./languages/scripts.ts").then(
      (languages) => script((scripts = new languages.Scripts())),
      (error: unknown) =>
        each(() => failure("unsupported", `What runs scripts could not be loaded: ${messageOf(error)}`)),
    );
  };
  post("ready", []);
  return (task) => {
    if (task.is === "module") return post({ is: "compiled", outcome: compile(task) }, []);
    module = task.module ?? module;
    serve(task);
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
    let running: { readonly ran: (runs: readonly SandboxRun[]) => void; readonly over: () => void } | undefined;
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
      async run(tasks, ran): Promise<void> {
        if (death !== undefined) return ran([{ outcome: dead(death), runMs: 0 }]);
        await new Promise<void>((over) => {
          running = { ran, over };
          const module = tasks.moduleId === moduleId ? undefined : tasks.module;
          const { program, inputs, fuelMax } = tasks;
          thread.post({ is: "tasks", module, program, inputs: packed(inputs), fuelMax });
          moduleId = tasks.moduleId;
        });
      },
      terminate(): void {
        running = settleCompile = undefined;
        thread.terminate();
      },
    };

    thread.onMessage((message) => {
      if (message === "ready") return resolve(worker);
      if (message.is === "compiled") {
        const compiled = settleCompile;
        settleCompile = undefined;
        return compiled?.(message.outcome);
      }
      const told = running;
      if (message.answer.isLast) running = undefined;
      told?.ran(runsOf(message.answer));
      if (message.answer.isLast) told?.over();
    });
    thread.onDeath((message) => {
      death = message;
      reject(unsupported(message));
      const [left, compiling] = [running, settleCompile];
      running = settleCompile = undefined;
      left?.ran([{ outcome: dead(message), runMs: 0 }]);
      left?.over();
      compiling?.(dead(message));
    });
  });
}

function dead(message: string): Extract<SandboxOutcome & CompileOutcome, { ok: false }> {
  return { ok: false, code: "closed", message: `The worker ended: ${message}` };
}

function unsupported(message: string): StarfishError {
  return new StarfishError("unsupported", `No worker could be started to run tasks in: ${message}`);
}

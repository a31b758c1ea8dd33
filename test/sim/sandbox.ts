/**
 * The port Sandbox in virtual time: the module runs for real, at once, on this thread, and the answer comes after as long
 * as the task would take by the model. A task that would never end can't be run so: the model says which those are.
 */
import type { Bytes } from "../../core/base/bytes.ts";
import { messageOf, StarfishError } from "../../core/base/errors.ts";
import type { Sandbox, SandboxOutcome, SandboxTask, SandboxWorker } from "../../core/ports/sandbox.ts";
import type { Life, Machine } from "./life.ts";
import type { Scheduler } from "./scheduler.ts";

/** Virtual milliseconds that a task takes on a machine of usual speed; Infinity if it never ends. */
export type TaskModel = (task: { readonly moduleId: string; readonly input: Bytes }) => number;

/** Time to start a worker, and to compile a module (FINDINGS of the real ones: 16 to 81 ms, a few ms). */
const SPAWN_MS = 30;
const COMPILE_MS = 5;
const usualModel: TaskModel = () => 100;

interface TaskExports {
  readonly memory: WebAssembly.Memory;
  readonly alloc: (length: number) => number;
  readonly run: (pointer: number, length: number) => bigint;
}

export class SimSandbox implements Sandbox {
  readonly cores: number;
  readonly #scheduler: Scheduler;
  readonly #machine: Machine;
  readonly #life: Life;
  readonly #model: TaskModel;

  constructor(scheduler: Scheduler, machine: Machine, life: Life, model: TaskModel = usualModel) {
    this.#scheduler = scheduler;
    this.#machine = machine;
    this.#life = life;
    this.#model = model;
    this.cores = machine.cores;
  }

  async compile(bytes: Bytes): Promise<WebAssembly.Module> {
    await this.#wait(COMPILE_MS);
    try {
      return new WebAssembly.Module(bytes.slice());
    } catch (error) {
      throw new StarfishError("not-wasm", `Not a WebAssembly module: ${messageOf(error)}`, { cause: error });
    }
  }

  async spawn(): Promise<SandboxWorker> {
    await this.#wait(SPAWN_MS);
    const modules = new Map<string, WebAssembly.Module>();
    let ended = false;
    return {
      run: async (task: SandboxTask): Promise<SandboxOutcome> => {
        if (task.module !== undefined) modules.set(task.moduleId, task.module);
        const takesMs = this.#model(task) / this.#machine.speed;
        if (takesMs === Infinity) return never();
        const module = modules.get(task.moduleId);
        const outcome =
          module === undefined
            ? failure("not-found", "The worker does not have this module")
            : runTask(module, task.input);
        await this.#wait(takesMs);
        return ended ? never() : outcome;
      },
      terminate(): void {
        ended = true;
      },
    };
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#scheduler.after(delayMs, this.#machine.name, () => {
        if (this.#life.alive) resolve();
      });
    });
  }
}

function runTask(module: WebAssembly.Module, input: Bytes): SandboxOutcome {
  try {
    // The module's exports have been checked before (cpu/wasm); what is wrong all the same shows as a TypeError.
    const { memory, alloc, run } = new WebAssembly.Instance(module, {}).exports as unknown as TaskExports;
    const pointer = alloc(input.length) >>> 0;
    new Uint8Array(memory.buffer).set(input, pointer);
    const packed = BigInt.asUintN(64, run(pointer, input.length));
    const outputPointer = Number(packed >> 32n);
    const outputLength = Number(packed & 0xffffffffn);
    if (outputPointer + outputLength > memory.buffer.byteLength)
      return failure("wasm-abi", "The output lies outside of the memory");
    return { ok: true, output: new Uint8Array(memory.buffer).slice(outputPointer, outputPointer + outputLength) };
  } catch (error) {
    return failure(error instanceof WebAssembly.RuntimeError ? "wasm-trap" : "wasm-abi", messageOf(error));
  }
}

function failure(code: "not-found" | "wasm-abi" | "wasm-trap", message: string): SandboxOutcome {
  return { ok: false, code, message };
}

function never(): Promise<never> {
  return new Promise(() => {});
}

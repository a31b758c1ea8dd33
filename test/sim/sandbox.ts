/**
 * The port Sandbox in virtual time: tasks really run, at once and on this thread, and the answer comes after the time
 * that the model gives. A task that would never end can't be run this way; for it the model gives Infinity.
 */
import type { Bytes } from "../../core/base/bytes.ts";
import type { Packed } from "../../core/sandbox/batches.ts";
import { ownThread, serveThread, type Thread, type ThreadMessage } from "../../core/sandbox/sandbox-thread.ts";
import type { Sandbox, SandboxWorker } from "../../core/ports/sandbox.ts";
import type { Life, Machine } from "./life.ts";
import type { Scheduler } from "./scheduler.ts";

/** Virtual milliseconds that a task takes on a machine of usual speed; Infinity if it never ends. */
export type TaskModel = (task: { readonly moduleId: string; readonly input: Bytes }) => number;

/** Roughly the times that real workers and modules of some kilobytes take. */
const SPAWN_MS = 30;
const COMPILE_MS = 5;
const usualModel: TaskModel = () => 100;

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

  async spawn(): Promise<SandboxWorker> {
    let takesMs = 0;
    const worker = await ownThread(this.#thread(() => takesMs));
    return {
      compile: (bytes, memoryBytesMax, kind) => {
        takesMs = COMPILE_MS;
        return worker.compile(bytes, memoryBytesMax, kind);
      },
      run: (tasks, ran) => {
        const each = tasks.inputs.map((input) => this.#model({ moduleId: tasks.moduleId, input }));
        takesMs = each.reduce((sum, ms) => sum + ms, 0) / this.#machine.speed;
        return worker.run(tasks, ran);
      },
      terminate: () => worker.terminate(),
    };
  }

  /** A thread that takes as long for each task as `takesMs` says when it gets it. */
  #thread(takesMs: () => number): Thread {
    let isOver = false;
    let receive: (message: ThreadMessage) => void = () => {};
    const answerAfter = (delayMs: number, message: ThreadMessage): void =>
      this.#after(delayMs, () => {
        if (!isOver) receive(message);
      });
    // No virtual time passes while tasks run. The pool knows how long all of them took.
    const serve = serveThread(
      (message) => answerAfter(message === "ready" ? SPAWN_MS : takesMs(), message),
      () => 0,
    );
    return {
      post: (task) => {
        if (takesMs() !== Infinity) serve(task.is === "tasks" ? { ...task, inputs: copyOf(task.inputs) } : task);
      },
      onMessage: (listener) => {
        receive = listener;
      },
      onDeath: () => {},
      terminate: () => {
        isOver = true;
      },
    };
  }

  #after(delayMs: number, call: () => void): void {
    this.#scheduler.after(delayMs, this.#machine.name, () => {
      if (this.#life.alive) call();
    });
  }
}

function copyOf({ bytes, ends }: Packed): Packed {
  return { bytes: bytes.slice(), ends };
}

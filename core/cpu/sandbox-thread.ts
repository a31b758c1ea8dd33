/**
 * Both ends of the conversation between a node and a thread of its sandbox, for Web Workers and worker_threads alike.
 * One task at a time; the thread keeps the module of its last task, so that a job's module is posted once per thread.
 */
import type { Bytes } from "../base/bytes.ts";
import { StarfishError } from "../base/errors.ts";
import type { SandboxOutcome, SandboxTask, SandboxWorker } from "../ports/sandbox.ts";
import { runTask } from "./wasm/abi.ts";

/** What a thread is sent. Without a module it runs the one that it has. */
export interface ThreadTask {
  readonly module: WebAssembly.Module | undefined;
  readonly input: Bytes;
}

export type ThreadMessage = "ready" | SandboxOutcome;

/** A thread as its owner sees it; the adapters make one of theirs. */
export interface Thread {
  post(task: ThreadTask): void;
  /** Called with everything that the thread posts. */
  onMessage(receive: (message: ThreadMessage) => void): void;
  /** Called when it could not start, or has ended without being asked to. */
  onDeath(died: (message: string) => void): void;
  terminate(): void;
}

/** The thread's side: runs what comes. */
export function serveThread(
  post: (message: ThreadMessage, transfer: ArrayBuffer[]) => void,
): (task: ThreadTask) => void {
  let module: WebAssembly.Module | undefined;
  post("ready", []);
  return (task) => {
    module = task.module ?? module;
    const outcome: SandboxOutcome =
      module === undefined
        ? { ok: false, code: "wasm-abi", message: "The thread got no module" }
        : runTask(module, task.input);
    post(outcome, outcome.ok ? [outcome.output.buffer as ArrayBuffer] : []);
  };
}

/** The owner's side. Resolves once the thread is ready; rejects with "unsupported" if it can't start. */
export function ownThread(thread: Thread): Promise<SandboxWorker> {
  return new Promise((resolve, reject) => {
    let moduleId: string | undefined;
    let settle: ((outcome: SandboxOutcome) => void) | undefined;
    let death: string | undefined;

    const worker: SandboxWorker = {
      run(task: SandboxTask): Promise<SandboxOutcome> {
        if (death !== undefined) return Promise.resolve(dead(death));
        return new Promise((resolveRun) => {
          settle = resolveRun;
          thread.post({ module: task.moduleId === moduleId ? undefined : task.module, input: task.input });
          moduleId = task.moduleId;
        });
      },
      terminate(): void {
        settle = undefined;
        thread.terminate();
      },
    };

    thread.onMessage((message) => {
      if (message === "ready") return resolve(worker);
      const settleRun = settle;
      settle = undefined;
      settleRun?.(message);
    });
    thread.onDeath((message) => {
      death = message;
      reject(unsupported(message));
      settle?.(dead(message));
      settle = undefined;
    });
  });
}

function dead(message: string): SandboxOutcome {
  return { ok: false, code: "closed", message: `The worker of the task ended: ${message}` };
}

function unsupported(message: string): StarfishError {
  return new StarfishError("unsupported", `No worker could be started to run tasks in: ${message}`);
}

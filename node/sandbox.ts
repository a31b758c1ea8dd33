/** The port Sandbox on worker_threads. */
import { availableParallelism } from "node:os";
import { messageOf } from "../core/base/errors.ts";
import { ownThread, type Thread } from "../core/sandbox/sandbox-thread.ts";
import type { Sandbox, SandboxWorker } from "../core/ports/sandbox.ts";
import { bareWorker, programBeside } from "./bare-worker.ts";

const PROGRAM = programBeside(import.meta.url, "sandbox-worker");

/** `cores` is the number to lend, if it is not the machine's own count. */
export function nodeSandbox(options: { cores?: number } = {}): Sandbox {
  return {
    cores: Math.max(1, options.cores ?? availableParallelism()),
    spawn: (): Promise<SandboxWorker> => ownThread(startThread()),
  };
}

function startThread(): Thread {
  // resourceLimits are not set. Tasks have no JavaScript heap, and V8 counts their memory against the limit: with one
  // of 64 MiB it collects garbage at every memory.grow, and growing to 64 MiB page by page takes 20 s instead of 27 ms.
  const worker = bareWorker(PROGRAM);
  // An idle worker does not keep the process alive.
  worker.on("message", () => worker.unref());
  return {
    post: (task) => {
      worker.ref();
      worker.postMessage(task);
    },
    onMessage: (receive) => worker.on("message", receive),
    onDeath: (died) => {
      worker.on("error", (error) => died(messageOf(error)));
      worker.on("exit", (code) => died(`it exited with ${code}`));
    },
    terminate: () => void worker.terminate(),
  };
}

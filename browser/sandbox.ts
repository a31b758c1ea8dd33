/** The port Sandbox on Web Workers. The worker is a file of the page's origin: `worker-src 'self'` is all it needs. */
import { ownThread, type Thread, type ThreadMessage } from "../core/sandbox/sandbox-thread.ts";
import type { Sandbox, SandboxWorker } from "../core/ports/sandbox.ts";

export function browserSandbox(options: { cores?: number } = {}): Sandbox {
  return {
    cores: Math.max(1, options.cores ?? navigator.hardwareConcurrency),
    spawn: async (): Promise<SandboxWorker> => ownThread(startThread()),
  };
}

function startThread(): Thread {
  // In one expression, so that the bundler finds the worker's file.
  const worker = new Worker(new URL("./sandbox-worker.ts", import.meta.url), { type: "module", name: "starfish-task" });
  return {
    post: (task) => worker.postMessage(task),
    onMessage: (receive) =>
      worker.addEventListener("message", (event: MessageEvent<ThreadMessage>) => receive(event.data)),
    onDeath: (died) => {
      worker.addEventListener("error", (event) => {
        event.preventDefault();
        died(event.message === undefined ? "its program could not be loaded" : event.message);
      });
      worker.addEventListener("messageerror", () => died("a message could not be read"));
    },
    terminate: () => worker.terminate(),
  };
}

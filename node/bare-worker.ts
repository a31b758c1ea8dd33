/** Threads that carry messages for a port. */
import { Worker } from "node:worker_threads";
import { messageOf } from "../core/base/errors.ts";
import type { Thread, ThreadEvents } from "../core/ports/thread.ts";

/** The program of a worker in the same folder as `url`, with the same ending: .ts in a checkout, .js in the package. */
export function programBeside(url: string, name: string): URL {
  return new URL(`./${name}${url.endsWith(".ts") ? ".ts" : ".js"}`, url);
}

/**
 * The worker gets nothing of this process but `workerData`: no arguments, no environment, and no standard streams to
 * write to.
 */
export function bareWorker(program: URL, workerData?: unknown): Worker {
  return new Worker(program, { workerData, argv: [], env: {}, execArgv: [], stdin: false, stdout: true, stderr: true });
}

/** `died` is called once, and not after `terminate`. */
export function threadOf(worker: Worker, { receive, died }: ThreadEvents): Thread {
  let isEnded = false;
  const over = (why: string): void => {
    if (!isEnded) died(why);
    isEnded = true;
  };
  worker.on("message", receive);
  worker.on("error", (error) => over(messageOf(error)));
  worker.on("exit", (code) => over(`it exited with ${code}`));
  return {
    post: (message, transfer) => worker.postMessage(message, [...transfer]),
    setBusy: (isBusy) => (isBusy ? worker.ref() : worker.unref()),
    terminate: () => {
      isEnded = true;
      void worker.terminate();
    },
  };
}

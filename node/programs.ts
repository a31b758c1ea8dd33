/** The port Programs on worker_threads. */
import { Worker } from "node:worker_threads";
import { messageOf } from "../core/base/errors.ts";
import type { Programs } from "../core/ports/programs.ts";

/** The worker's program, in the same form as this file: .ts in a checkout, .js in the package. */
const PROGRAM = new URL(
  import.meta.url.endsWith(".ts") ? "./program-worker.ts" : "./program-worker.js",
  import.meta.url,
);

export const nodePrograms: Programs = {
  spawn: ({ receive, died }) => {
    // Nothing of this process reaches the worker: no arguments, no environment, no standard streams.
    const worker = new Worker(PROGRAM, {
      argv: [],
      env: {},
      execArgv: [],
      stdin: false,
      stdout: true,
      stderr: true,
    });
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
  },
};

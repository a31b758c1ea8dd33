/** The port SqlEngine on worker_threads. */
import { Worker } from "node:worker_threads";
import { messageOf } from "../core/base/errors.ts";
import type { SqlEngine } from "../core/ports/sql-engine.ts";

/** The worker's program, in the same form as this file: .ts in a checkout, .js in the package. */
const PROGRAM = new URL(import.meta.url.endsWith(".ts") ? "./sql-worker.ts" : "./sql-worker.js", import.meta.url);

export const nodeSqlEngine: SqlEngine = {
  spawn: ({ receive, died }) => {
    const interrupted = new Int32Array(new SharedArrayBuffer(4));
    // Nothing of this process reaches the worker: no arguments, no environment, no standard streams.
    const worker = new Worker(PROGRAM, {
      workerData: interrupted.buffer,
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
      interrupt: (id) => void Atomics.store(interrupted, 0, id),
      setBusy: (isBusy) => (isBusy ? worker.ref() : worker.unref()),
      terminate: () => {
        isEnded = true;
        void worker.terminate();
      },
    };
  },
};

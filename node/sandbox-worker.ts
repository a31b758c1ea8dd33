/** The program of a sandbox worker in Node. */
import { parentPort } from "node:worker_threads";
import { assert } from "../core/base/assert.ts";
import { serveThread, type ThreadTask } from "../core/sandbox/sandbox-thread.ts";

const port = parentPort;
assert(port !== null, "this program runs in a worker thread");
const run = serveThread(
  (message, transfer) => port.postMessage(message, transfer),
  () => performance.now(),
);
port.on("message", (task: ThreadTask) => run(task));

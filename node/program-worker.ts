/** The program of the worker in which programs run in Node. */
import { parentPort } from "node:worker_threads";
import { assert } from "../core/base/assert.ts";
import { realClock } from "../core/platform/clock.ts";
import { realRandom } from "../core/platform/random.ts";
import type { ToThread } from "../core/process/messages.ts";
import { serveProgramThread } from "../core/process/thread.ts";

const port = parentPort;
assert(port !== null, "this program runs in a worker thread");
const receive = serveProgramThread((message, transfer) => port.postMessage(message, transfer), {
  clock: realClock,
  random: realRandom,
});
port.on("message", (message: ToThread) => receive(message));

/** The program of the thread in which SQLite holds the index of the shared database, in Node.js. */
import { parentPort, workerData } from "node:worker_threads";
import sqlite3 from "@sqlite.org/sqlite-wasm";
import { assert } from "../core/base/assert.ts";
import type { CallMessage } from "../core/db/engine/messages.ts";
import { serveIndex } from "../core/db/engine/serve.ts";

const port = parentPort;
assert(port !== null && workerData instanceof SharedArrayBuffer, "this program runs in a thread of the database");
const interrupted = new Int32Array(workerData);
// Calls wait in the port until somebody listens.
const serve = serveIndex(
  {
    sqlite: await sqlite3(),
    now: () => Date.now(),
    monotonic: () => performance.now(),
    random: () => Math.random(),
    interrupted: () => Atomics.load(interrupted, 0),
  },
  (answer, transfer) => port.postMessage(answer, transfer),
);
port.on("message", (message: CallMessage) => serve(message));

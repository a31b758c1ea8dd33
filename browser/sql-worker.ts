/** The program of the worker in which SQLite holds the index of the shared database. */
import sqlite3 from "@sqlite.org/sqlite-wasm";
import type { AnswerMessage, CallMessage } from "../core/db/engine/messages.ts";
import { serveIndex } from "../core/db/engine/serve.ts";

/** The part of DedicatedWorkerGlobalScope that is used; the DOM's types describe a window here. */
interface WorkerScope {
  postMessage(answer: AnswerMessage, transfer: ArrayBuffer[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent<CallMessage>) => void): void;
}

const scope = globalThis as unknown as WorkerScope;
const early: CallMessage[] = [];
let serve = (message: CallMessage): void => void early.push(message);
scope.addEventListener("message", ({ data }) => serve(data));
serve = serveIndex(
  {
    sqlite: await sqlite3(),
    now: () => Date.now(),
    monotonic: () => performance.now(),
    random: () => Math.random(),
    // Without shared memory a running worker can't be told anything.
    interrupted: () => 0,
  },
  (answer, transfer) => scope.postMessage(answer, transfer),
);
for (const message of early) serve(message);

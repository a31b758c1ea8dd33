/** The program of a sandbox worker in a tab. */
import { serveThread, type ThreadMessage, type ThreadTask } from "../core/sandbox/sandbox-thread.ts";

/** The part of DedicatedWorkerGlobalScope that is used; the DOM's types describe a window here. */
interface WorkerScope {
  postMessage(message: ThreadMessage, transfer: ArrayBuffer[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent<ThreadTask>) => void): void;
}

const scope = globalThis as unknown as WorkerScope;
const run = serveThread(
  (message, transfer) => scope.postMessage(message, transfer),
  () => performance.now(),
);
scope.addEventListener("message", (event) => run(event.data));

/** A Web Worker that carries messages for a port. The caller makes it, so that the bundler finds its file. */
import type { Thread, ThreadEvents } from "../core/ports/thread.ts";

export function threadOf(worker: Worker, { receive, died }: ThreadEvents): Thread {
  worker.addEventListener("message", (event: MessageEvent<unknown>) => receive(event.data));
  worker.addEventListener("messageerror", () => died("a message could not be read"));
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    died(event.message === undefined ? "its program could not be loaded" : event.message);
  });
  return {
    post: (message, transfer) => worker.postMessage(message, [...transfer]),
    // A page ends when its person closes it.
    setBusy: () => {},
    terminate: () => worker.terminate(),
  };
}

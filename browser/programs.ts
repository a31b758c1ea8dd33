/** The port Programs on Web Workers. */
import type { Programs } from "../core/ports/programs.ts";

export const browserPrograms: Programs = {
  spawn: ({ receive, died }) => {
    // Spelt in one expression, so that the bundler finds the worker's file.
    const worker = new Worker(new URL("./program-worker.ts", import.meta.url), {
      type: "module",
      name: "starfish-programs",
    });
    worker.addEventListener("message", (event: MessageEvent<unknown>) => receive(event.data));
    worker.addEventListener("messageerror", () => died("a message could not be read"));
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      died(event.message === undefined ? "its program could not be loaded" : event.message);
    });
    return {
      post: (message, transfer) => worker.postMessage(message, [...transfer]),
      setBusy: () => {},
      terminate: () => worker.terminate(),
    };
  },
};

/** The port SqlEngine on Web Workers. SQLite is fetched when the first of them starts. */
import type { SqlEngine } from "../core/ports/sql-engine.ts";

export const browserSqlEngine: SqlEngine = {
  spawn: ({ receive, died }) => {
    // Spelt in one expression, so that the bundler finds the worker's file.
    const worker = new Worker(new URL("./sql-worker.ts", import.meta.url), { type: "module", name: "starfish-sql" });
    worker.addEventListener("message", (event: MessageEvent<unknown>) => receive(event.data));
    worker.addEventListener("messageerror", () => died("a message could not be read"));
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      died(event.message === undefined ? "its program could not be loaded" : event.message);
    });
    return {
      post: (message, transfer) => worker.postMessage(message, [...transfer]),
      interrupt: () => {},
      setBusy: () => {},
      terminate: () => worker.terminate(),
    };
  },
};

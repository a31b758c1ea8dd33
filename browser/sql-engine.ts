/** The port SqlEngine on Web Workers. SQLite is fetched when the first of them starts. */
import type { SqlEngine } from "../core/ports/sql-engine.ts";
import { threadOf } from "./thread.ts";

export const browserSqlEngine: SqlEngine = {
  spawn: (events) => {
    // In one expression, so that the bundler finds the worker's file.
    const worker = new Worker(new URL("./sql-worker.ts", import.meta.url), { type: "module", name: "starfish-sql" });
    return { ...threadOf(worker, events), interrupt: () => {} };
  },
};

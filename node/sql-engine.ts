/** The port SqlEngine on worker_threads. */
import type { SqlEngine } from "../core/ports/sql-engine.ts";
import { bareWorker, programBeside, threadOf } from "./bare-worker.ts";

const PROGRAM = programBeside(import.meta.url, "sql-worker");

export const nodeSqlEngine: SqlEngine = {
  spawn: (events) => {
    const interrupted = new Int32Array(new SharedArrayBuffer(4));
    return {
      ...threadOf(bareWorker(PROGRAM, interrupted.buffer), events),
      interrupt: (id) => void Atomics.store(interrupted, 0, id),
    };
  },
};

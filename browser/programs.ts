/** The port Programs on Web Workers. */
import type { Programs } from "../core/ports/programs.ts";
import { threadOf } from "./thread.ts";

export const browserPrograms: Programs = {
  spawn: (events) => {
    // In one expression, so that the bundler finds the worker's file.
    const worker = new Worker(new URL("./program-worker.ts", import.meta.url), {
      type: "module",
      name: "starfish-programs",
    });
    return threadOf(worker, events);
  },
};

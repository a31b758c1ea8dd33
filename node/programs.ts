/** The port Programs on worker_threads. */
import type { Programs } from "../core/ports/programs.ts";
import { bareWorker, programBeside, threadOf } from "./bare-worker.ts";

const PROGRAM = programBeside(import.meta.url, "program-worker");

export const nodePrograms: Programs = { spawn: (events) => threadOf(bareWorker(PROGRAM), events) };

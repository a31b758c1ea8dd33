/** The port Coder on worker_threads. */
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { messageOf, StarfishError } from "../core/base/errors.ts";
import { coderLanes, CoderPool, type CoderThread } from "../core/disk/code/coder-pool.ts";
import type { Coder } from "../core/ports/coder.ts";
import { bareWorker, programBeside } from "./bare-worker.ts";
import { packageRoot } from "./package-root.ts";
import { nodeSha256All } from "./sha256.ts";

export interface NodeCoderOptions {
  /** Threads; by the machine's cores if it is not said. */
  readonly lanes?: number;
  readonly startWorker?: typeof startCoderWorker;
}

const PROGRAM = programBeside(import.meta.url, "coder-worker");
const MODULE = join(packageRoot, "dist", "wasm", "reed-solomon.wasm");

export function nodeCoder(options: NodeCoderOptions = {}): Coder {
  const { lanes = coderLanes(availableParallelism()), startWorker = startCoderWorker } = options;
  return new CoderPool({
    lanes,
    loadModule,
    startThread: (module) => threadOf(startWorker(module)),
    hash: nodeSha256All,
  });
}

async function loadModule(): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(new Uint8Array(await readFile(MODULE)));
  } catch (error) {
    throw new StarfishError("io", `The erasure code is not there (npm run build makes it): ${messageOf(error)}`, {
      cause: error,
    });
  }
}

export function startCoderWorker(module: WebAssembly.Module): Worker {
  return bareWorker(PROGRAM, module);
}

function threadOf(worker: Worker): CoderThread {
  // Only calls under way keep the process alive.
  let underWay = 0;
  worker.unref();
  return {
    post: (call, transfer) => {
      worker.postMessage(call, transfer);
      if (underWay++ === 0) worker.ref();
    },
    onAnswer: (receive) =>
      worker.on("message", (answer) => {
        if (--underWay === 0) worker.unref();
        receive(answer);
      }),
    onDeath: (died) => {
      worker.on("error", (error) => died(messageOf(error)));
      worker.on("exit", (code) => died(`it exited with ${code}`));
    },
    terminate: () => worker.terminate(),
  };
}

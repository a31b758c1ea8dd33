/** The port Coder on Web Workers. Its program and its module are loaded when the first stripe is coded. */
import { messageOf, StarfishError } from "../core/base/errors.ts";
import { coderLanes, CoderPool, type CoderThread } from "../core/disk/code/coder-pool.ts";
import type { CoderAnswer } from "../core/disk/code/coder-thread.ts";
import { sha256All } from "../core/platform/sha256.ts";
import type { Coder } from "../core/ports/coder.ts";

export interface BrowserCoderOptions {
  /** Threads; the default depends on the device's cores. */
  readonly lanes?: number;
  readonly startWorker?: () => Worker;
}

export function browserCoder(options: BrowserCoderOptions = {}): Coder {
  const { lanes = coderLanes(navigator.hardwareConcurrency), startWorker = startCoderWorker } = options;
  return new CoderPool({
    lanes,
    loadModule,
    startThread: (module) => threadOf(startWorker(), module),
    hash: (pieces) => sha256All(pieces),
  });
}

async function loadModule(): Promise<WebAssembly.Module> {
  // In one expression, so that the bundler finds the file.
  const url = new URL("../dist/wasm/reed-solomon.wasm", import.meta.url);
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    return await WebAssembly.compile(await response.arrayBuffer());
  } catch (error) {
    throw new StarfishError("unreachable", `The erasure code could not be loaded: ${messageOf(error)}`, {
      cause: error,
      retryable: true,
    });
  }
}

export function startCoderWorker(): Worker {
  return new Worker(new URL("./coder-worker.ts", import.meta.url), { type: "module", name: "starfish-coder" });
}

function threadOf(worker: Worker, module: WebAssembly.Module): CoderThread {
  worker.postMessage(module);
  return {
    post: (call, transfer) => worker.postMessage(call, transfer),
    onAnswer: (receive) =>
      worker.addEventListener("message", (event: MessageEvent<CoderAnswer>) => receive(event.data)),
    onDeath: (died) => {
      worker.addEventListener("error", (event) => {
        event.preventDefault();
        died(event.message === undefined ? "its program could not be loaded" : event.message);
      });
      worker.addEventListener("messageerror", () => died("a message could not be read"));
    },
    terminate: () => worker.terminate(),
  };
}

/** The program of a coder's thread in a tab. Its first message is the module, the others are calls. */
import { sha256 } from "@noble/hashes/sha2.js";
import { type CoderAnswer, type CoderCall, serveCoder } from "../core/disk/code/coder-thread.ts";
import { sha256All } from "../core/platform/sha256.ts";

/** The part of DedicatedWorkerGlobalScope that is used; the DOM's types describe a window here. */
interface WorkerScope {
  postMessage(answer: CoderAnswer, transfer: ArrayBuffer[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent<CoderCall>) => void): void;
  addEventListener(
    type: "message",
    listener: (event: MessageEvent<WebAssembly.Module>) => void,
    options: { once: true },
  ): void;
}

const scope = globalThis as unknown as WorkerScope;

function begin(event: MessageEvent<WebAssembly.Module>): void {
  const serve = serveCoder(event.data, { sha256, sha256All: (pieces) => sha256All(pieces) }, (answer, transfer) =>
    scope.postMessage(answer, transfer),
  );
  scope.addEventListener("message", ({ data }: MessageEvent<CoderCall>) => serve(data));
}
scope.addEventListener("message", begin, { once: true });

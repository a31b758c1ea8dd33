/** The program of a coder's thread in Node. */
import { parentPort, workerData } from "node:worker_threads";
import { assert } from "../core/base/assert.ts";
import { type CoderCall, serveCoder } from "../core/disk/code/coder-thread.ts";
import { nodeSha256 } from "./sha256.ts";

const port = parentPort;
assert(port !== null && workerData instanceof WebAssembly.Module, "this program runs in a thread of a coder");
const hasher = { sha256: nodeSha256, sha256All: (pieces: readonly Uint8Array[]) => pieces.map(nodeSha256) };
const serve = serveCoder(workerData, hasher, (answer, transfer) => port.postMessage(answer, transfer));
port.on("message", (call: CoderCall) => serve(call));

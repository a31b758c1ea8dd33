/**
 * The port Coder in virtual time: the real code runs at once on this thread, and the answer comes after the time that a
 * machine of that speed takes. Bytes are moved as between threads, so that a test fails if code uses them again.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hash } from "node:crypto";
import type { Bytes } from "../../core/base/bytes.ts";
import { coderLanes, CoderPool, type CoderThread } from "../../core/disk/code/coder-pool.ts";
import { type CoderAnswer, serveCoder, type ThreadHasher } from "../../core/disk/code/coder-thread.ts";
import type { Coder } from "../../core/ports/coder.ts";
import type { Life, Machine } from "./life.ts";
import type { Scheduler } from "./scheduler.ts";

/**
 * Bytes of all shards of a stripe that are coded and hashed in a millisecond: roughly what one core of a laptop does.
 */
const CODED_BYTES_PER_MS = 500_000;
const HASHED_BYTES_PER_MS = 1_000_000;
const LOAD_MS = 30;

export function simCoder(scheduler: Scheduler, machine: Machine, life: Life): Coder {
  const pause = (delayMs: number): Promise<void> =>
    new Promise((resolve) => {
      scheduler.after(delayMs / machine.speed, machine.name, () => {
        if (life.alive) resolve();
      });
    });
  return new CoderPool({
    lanes: coderLanes(machine.cores),
    loadModule: async () => {
      await pause(LOAD_MS);
      return loadModule();
    },
    startThread: (module) => threadOf(module, pause),
    hash: async (pieces) => {
      const hashes = pieces.map(sha256);
      await pause(sizeOf(pieces) / HASHED_BYTES_PER_MS);
      return hashes;
    },
  });
}

/** A thread that does one thing after the other. */
function threadOf(module: WebAssembly.Module, pause: (delayMs: number) => Promise<void>): CoderThread {
  let receive: (answer: CoderAnswer) => void = () => {};
  let idle = Promise.resolve();
  const serve = serveCoder(module, hasher, (answer, transfer) => {
    const bytes = transfer.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const moved = structuredClone(answer, { transfer });
    idle = idle.then(() => pause(bytes / CODED_BYTES_PER_MS)).then(() => receive(moved));
  });
  return {
    post: (call, transfer) => serve(structuredClone(call, { transfer })),
    onAnswer: (listener) => {
      receive = listener;
    },
    onDeath: () => {},
    terminate: () => {
      receive = () => {};
    },
  };
}

let compiled: WebAssembly.Module | undefined;

/** One module for all machines. */
function loadModule(): WebAssembly.Module {
  const file = join(import.meta.dirname, "../../dist/wasm/reed-solomon.wasm");
  return (compiled ??= new WebAssembly.Module(readFileSync(file)));
}

const hasher: ThreadHasher = { sha256, sha256All: (pieces) => pieces.map(sha256) };

function sha256(message: Bytes): Uint8Array {
  return new Uint8Array(hash("sha256", message, "buffer"));
}

function sizeOf(pieces: readonly Bytes[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

/**
 * Runs a task by ABI 1 (bytes to bytes), inside the sandbox's worker. The module exports `memory`, `alloc(len: i32) ->
 * ptr: i32` and `run(ptr: i32, len: i32) -> i64`; the high half of the latter's result points to the output, and the
 * low half is the length of the output. A start function is called first, then a reactor's `_initialize()`, once in
 * each instance. Modules come from prepareModule. Each call makes a fresh instance and trusts nothing that it returns:
 * pointers are checked, and everything it throws becomes an outcome. Code that never ends runs out of fuel. That may
 * take long; the owner can end the worker.
 */
import type { Bytes } from "../../base/bytes.ts";
import type { SandboxOutcome } from "../../ports/sandbox.ts";
import { PAYLOAD_BYTES_MAX } from "../limits.ts";
import { INITIALIZERS } from "./abi-check.ts";
import { failure, Meter } from "./meter.ts";

interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly alloc: (length: number) => number;
  readonly run: (pointer: number, length: number) => bigint;
  /** Makes one output of two; absent if outputs are not combined. */
  readonly reduce?: (pointer: number, length: number) => bigint;
  readonly _initialize?: () => void;
  readonly __wasm_call_ctors?: () => void;
}

export interface TaskOptions {
  readonly fuelMax: number;
  readonly entry?: "run" | "reduce" | undefined;
}

export function runTask(
  module: WebAssembly.Module,
  input: Bytes,
  { fuelMax, entry = "run" }: TaskOptions,
): SandboxOutcome {
  const meter = new Meter(fuelMax);
  try {
    // Not wrapped, because small tasks are many, and call each of these functions once.
    const exports = meter.begin(new WebAssembly.Instance(module, {})) as unknown as Exports;
    const initializer = INITIALIZERS.find((name) => exports[name] !== undefined);
    if (initializer !== undefined) exports[initializer]?.();
    return call(exports, input, entry, meter);
  } catch (error) {
    return meter.explain(error);
  }
}

function call(exports: Exports, input: Bytes, entry: "run" | "reduce", meter: Meter): SandboxOutcome {
  const { memory, alloc, [entry]: run } = exports;
  if (run === undefined) return failure("wasm-abi", `The module exports no \`${entry}(ptr: i32, len: i32) -> i64\``);
  meter.enter();
  const place = alloc(input.length) >>> 0;
  if (place + input.length > memory.buffer.byteLength) {
    return failure("wasm-abi", `alloc(${input.length}) gave ${place}, which lies outside of the memory`);
  }
  new Uint8Array(memory.buffer).set(input, place);
  meter.enter();
  const result = run(place, input.length);
  const pointer = Number((result >> 32n) & 0xffffffffn);
  const length = Number(result & 0xffffffffn);
  if (pointer + length > memory.buffer.byteLength) {
    return failure("wasm-abi", `${entry} gave ${length} bytes at ${pointer}, which lie outside of the memory`);
  }
  if (length > PAYLOAD_BYTES_MAX) {
    return failure("too-large", `The task's output has ${length} bytes, the most is ${PAYLOAD_BYTES_MAX}`);
  }
  return meter.done(new Uint8Array(memory.buffer, pointer, length).slice());
}

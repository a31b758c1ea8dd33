/**
 * Runs a task by ABI 1 (bytes to bytes): the module exports `memory`, `alloc(len: i32) -> ptr: i32` and
 * `run(ptr: i32, len: i32) -> i64`, whose high half points to the output and whose low half is its length. A reactor's
 * `_initialize()` is called before these, once in each instance. Runs inside the sandbox's worker. Each call makes a fresh instance and believes nothing that it says: pointers are checked, and
 * whatever it throws becomes an outcome. It can still loop for ever; ending the worker is its owner's business.
 */
import type { Bytes } from "../../base/bytes.ts";
import { type ErrorCode, messageOf } from "../../base/errors.ts";
import type { SandboxOutcome } from "../../ports/sandbox.ts";
import { MESSAGE_CHARS_MAX, PAYLOAD_BYTES_MAX } from "../limits.ts";
import { INITIALIZERS } from "./abi-check.ts";
import { GROW_FAILED } from "./grow-watch.ts";

/** What any instance exports, by name. */
export type InstanceExports = Readonly<Record<string, unknown>>;

interface Exports extends InstanceExports {
  readonly memory: WebAssembly.Memory;
  readonly alloc: (length: number) => number;
  readonly run: (pointer: number, length: number) => bigint;
  /** Makes one output of two; absent where outputs are not put together. */
  readonly reduce?: (pointer: number, length: number) => bigint;
  readonly _initialize?: () => void;
  readonly __wasm_call_ctors?: () => void;
  /** 1 once memory could not grow; absent where it never does. */
  readonly [GROW_FAILED]?: { readonly value: unknown };
}

export function runTask(module: WebAssembly.Module, input: Bytes, entry: "run" | "reduce" = "run"): SandboxOutcome {
  let exports: Exports | undefined;
  try {
    exports = new WebAssembly.Instance(module, {}).exports as unknown as Exports;
    const initializer = INITIALIZERS.find((name) => exports?.[name] !== undefined);
    if (initializer !== undefined) exports[initializer]?.();
    return call(exports, input, entry);
  } catch (error) {
    return explain(error, exports);
  }
}

function call({ memory, alloc, ...entries }: Exports, input: Bytes, entry: "run" | "reduce"): SandboxOutcome {
  const run = entries[entry];
  if (run === undefined) return failure("wasm-abi", `The module exports no \`${entry}(ptr: i32, len: i32) -> i64\``);
  const place = alloc(input.length) >>> 0;
  if (place + input.length > memory.buffer.byteLength) {
    return failure("wasm-abi", `alloc(${input.length}) gave ${place}, which lies outside of the memory`);
  }
  new Uint8Array(memory.buffer).set(input, place);
  const result = run(place, input.length);
  const pointer = Number((result >> 32n) & 0xffffffffn);
  const length = Number(result & 0xffffffffn);
  if (pointer + length > memory.buffer.byteLength) {
    return failure("wasm-abi", `${entry} gave ${length} bytes at ${pointer}, which lie outside of the memory`);
  }
  if (length > PAYLOAD_BYTES_MAX) {
    return failure("too-large", `The task's output has ${length} bytes, the most is ${PAYLOAD_BYTES_MAX}`);
  }
  return { ok: true, output: new Uint8Array(memory.buffer, pointer, length).slice() };
}

/** What became of a task whose code threw; `exports` are those of its instance, if that came to be. */
export function explain(error: unknown, exports: InstanceExports | undefined): Failure {
  const message = messageOf(error);
  // Engines throw a RangeError (V8, JavaScriptCore) or an InternalError (SpiderMonkey) for exhausted stacks, and a
  // RangeError also when the memory of a new instance can't be had.
  if (/stack|recursion/i.test(message))
    return failure("call-depth", "The task ran out of stack: its calls nest too deeply");
  if (exports === undefined && error instanceof RangeError) {
    return failure("out-of-memory", `No memory for the task: ${message}`);
  }
  // An allocator that gets no more memory has nothing left but to trap (AssemblyScript, Rust and Zig do so).
  const { memory, [GROW_FAILED]: failed } = (exports ?? {}) as Partial<Exports>;
  if (memory !== undefined && failed?.value === 1) {
    const mebibytes = memory.buffer.byteLength / 2 ** 20;
    return failure(
      "out-of-memory",
      `The task had ${mebibytes.toFixed(1)} MiB of memory, got no more, and stopped: ${message}`,
    );
  }
  return failure("wasm-trap", `The task stopped with a trap: ${message}`);
}

type Failure = Extract<SandboxOutcome, { ok: false }>;

export function failure(code: ErrorCode, message: string): Failure {
  return { ok: false, code, message: message.slice(0, MESSAGE_CHARS_MAX) };
}

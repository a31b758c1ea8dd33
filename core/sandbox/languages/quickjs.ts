/** The module of `quickjs-wasi` as a machine: evaluates texts and calls functions. All imports are answered here. */
import { StarfishError } from "../../base/errors.ts";
import { PREVIEW_1 } from "../wasm/imports.ts";
import { ERRNO } from "../wasi/errno.ts";
import type { InstanceExports, Meter } from "../wasm/meter.ts";
import type { Snapshot } from "./snapshot.ts";

/** A JSValue: a pointer to its memory. */
export type Value = number;

/** The exports of the module that are used. */
interface Exports extends InstanceExports {
  readonly memory: WebAssembly.Memory;
  readonly __stack_pointer: { value: number };
  _initialize(): void;
  qjs_init(): number;
  qjs_set_max_stack_size(bytes: number): void;
  wasm_malloc(bytes: number): number;
  wasm_free(at: number): void;
  qjs_eval(at: number, length: number, name: number, flags: number): Value;
  qjs_call(fn: Value, self: Value, count: number, args: number): Value;
  qjs_new_string(at: number, length: number): Value;
  qjs_new_number(value: number): Value;
  qjs_new_host_function(name: number, length: number, parameters: number): Value;
  qjs_get_undefined(): Value;
  qjs_get_true(): Value;
  qjs_get_false(): Value;
  qjs_get_prop_string(object: Value, name: number): Value;
  qjs_get_string_len(value: Value, length: number): number;
  qjs_is_exception(value: Value): number;
  qjs_get_exception(): Value;
  qjs_is_job_pending(): number;
  qjs_execute_pending_job(): number;
  qjs_promise_state(promise: Value): number;
  qjs_promise_result(promise: Value): Value;
}

/** What scripts get from outside. */
export interface Answers {
  /** The clock, in ms. */
  look(): number;
  /** A number in [0, 1). */
  draw(): number;
}

/** A script threw this value; `textOf` and the prelude describe it. */
export class Thrown extends Error {
  readonly value: Value;

  constructor(value: Value) {
    super("thrown");
    this.value = value;
  }
}

const FULFILLED = 1;
const REJECTED = 2;
const TYPE_MODULE = 1;
/**
 * The interpreter's stack, in the module's own memory. Deep calls meet its end well before that of the device's own
 * stack.
 */
const STACK_BYTES: number = 192 * 1024;
/**
 * Steps of promises after one call. Without this bound, only the time limit would end a script that makes promises for
 * ever.
 */
const JOBS_MAX = 10_000_000;
const NS_PER_MS = 1_000_000n;
const UTF8 = new TextEncoder();
/** Half of a surrogate pair, which has no UTF-8, becomes U+FFFD. */
const TEXT = new TextDecoder("utf-8", { ignoreBOM: true });

export class QuickJs {
  readonly #module: WebAssembly.Module;
  readonly #answers: Answers;
  readonly #meter: Meter;
  #exports: Exports;

  /** Throws "out-of-memory", and what making an instance throws. */
  constructor(module: WebAssembly.Module, answers: Answers, meter: Meter) {
    this.#module = module;
    this.#meter = meter;
    this.#answers = answers;
    this.#exports = this.#instance();
    this.#exports._initialize();
    if (this.#exports.qjs_init() !== 0) throw noMemory();
    this.#exports.qjs_set_max_stack_size(STACK_BYTES);
  }

  get memory(): WebAssembly.Memory {
    return this.#exports.memory;
  }

  get stackPointer(): number {
    return this.#exports.__stack_pointer.value;
  }

  /**
   * Goes back to a snapshot, in a new instance if necessary. Besides its memory, this pointer is the module's only
   * state.
   */
  restore(snapshot: Snapshot, stackPointer: number, isBroken: boolean): void {
    if (isBroken || !snapshot.restore(this.#exports.memory)) {
      this.#exports = this.#instance();
      snapshot.restoreInto(this.#exports.memory);
    }
    this.#exports.__stack_pointer.value = stackPointer;
  }

  /** Allocates memory and frees it again, so that the module's memory has grown already. */
  makeRoom(bytes: number): void {
    this.#exports.wasm_free(this.#allocated(bytes));
  }

  /** Throws Thrown. A module's value is its exports. */
  evaluate(text: string, name: string, isModule: boolean): Value {
    const code = this.#put(text);
    const file = this.#put(name);
    const value = this.#checked(this.#exports.qjs_eval(code.at, code.length, file.at, isModule ? TYPE_MODULE : 0));
    this.#exports.wasm_free(code.at);
    this.#exports.wasm_free(file.at);
    return isModule ? this.#settled(value) : value;
  }

  /** Throws Thrown. */
  call(fn: Value, ...args: readonly Value[]): Value {
    const list = this.#allocated(4 * Math.max(1, args.length));
    const view = new DataView(this.memory.buffer);
    for (const [i, arg] of args.entries()) view.setUint32(list + 4 * i, arg, true);
    return this.#checked(this.#exports.qjs_call(fn, this.#exports.qjs_get_undefined(), args.length, list));
  }

  /** Runs the callbacks of settled promises. */
  runJobs(): void {
    for (let left = JOBS_MAX; this.#exports.qjs_is_job_pending() !== 0; left--) {
      if (left === 0)
        throw new StarfishError("task-failed", `The function's promises took more than ${JOBS_MAX} steps`);
      this.#exports.qjs_execute_pending_job();
    }
  }

  string(text: string): Value {
    const { at, length } = this.#put(text);
    const value = this.#checked(this.#exports.qjs_new_string(at, length));
    this.#exports.wasm_free(at);
    return value;
  }

  boolean(value: boolean): Value {
    return value ? this.#exports.qjs_get_true() : this.#exports.qjs_get_false();
  }

  property(object: Value, name: string): Value {
    return this.#exports.qjs_get_prop_string(object, this.#put(name).at);
  }

  /** The function that draws. */
  drawing(): Value {
    const name = this.#put("draw");
    return this.#checked(this.#exports.qjs_new_host_function(name.at, name.length, 0));
  }

  textOf(value: Value): string {
    const length = this.#allocated(4);
    const at = this.#exports.qjs_get_string_len(value, length);
    if (at === 0) throw noMemory();
    return TEXT.decode(
      new Uint8Array(this.memory.buffer, at, new DataView(this.memory.buffer).getUint32(length, true)),
    );
  }

  #settled(promise: Value): Value {
    this.runJobs();
    const state = this.#exports.qjs_promise_state(promise);
    if (state === FULFILLED) return this.#exports.qjs_promise_result(promise);
    if (state === REJECTED) throw new Thrown(this.#exports.qjs_promise_result(promise));
    throw new StarfishError("task-failed", "The module waits for a promise that nothing settles");
  }

  #checked(value: Value): Value {
    if (this.#exports.qjs_is_exception(value) !== 0) throw new Thrown(this.#exports.qjs_get_exception());
    return value;
  }

  /** A text in the module's memory, with a zero behind it. */
  #put(text: string): { at: number; length: number } {
    const bytes = UTF8.encode(text);
    const at = this.#allocated(bytes.length + 1);
    const memory = new Uint8Array(this.memory.buffer);
    memory.set(bytes, at);
    memory[at + bytes.length] = 0;
    return { at, length: bytes.length };
  }

  #allocated(bytes: number): number {
    const at = this.#exports.wasm_malloc(bytes);
    if (at === 0) throw noMemory();
    return at;
  }

  #instance(): Exports {
    const answers = this.#answers;
    const imports = {
      env: {
        host_call: () => this.#exports.qjs_new_number(answers.draw()),
        host_interrupt: () => 0,
        host_promise_rejection() {},
        host_module_normalize: () => 0,
        host_module_load: () => 0,
        // UTC everywhere.
        host_get_timezone_offset: () => 0,
      },
      [PREVIEW_1]: {
        clock_time_get: (_id: number, _precision: bigint, out: number) => {
          new DataView(this.memory.buffer).setBigUint64(out, BigInt(answers.look()) * NS_PER_MS, true);
          return ERRNO.success;
        },
        // For libc's own use, as it begins: the same for all.
        random_get: (at: number, length: number) => {
          new Uint8Array(this.memory.buffer, at, length).fill(0);
          return ERRNO.success;
        },
        fd_write: () => ERRNO.badf,
        fd_close: () => ERRNO.badf,
        fd_fdstat_get: () => ERRNO.badf,
        fd_seek: () => ERRNO.badf,
      },
    };
    // The declarations of platforms differ in what an import may be.
    const instance = new WebAssembly.Instance(this.#module, imports as never);
    return this.#meter.attach(instance) as unknown as Exports;
  }
}

function noMemory(): StarfishError {
  return new StarfishError("out-of-memory", "The script's engine got no more memory");
}

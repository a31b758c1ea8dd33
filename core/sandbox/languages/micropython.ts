/**
 * The module of MicroPython's port to WebAssembly as a machine. It runs texts and calls functions of texts; all imports
 * are answered here. The port's own JavaScript is not used, because it gives programs the page (`import js`), a file
 * system and the clock.
 *
 * A Python exception leaves the functions that it passes as a JavaScript exception (Emscripten's longjmp). It may be
 * caught where the module calls through `invoke_…`.
 */
import { StarfishError } from "../../base/errors.ts";
import { ERRNO } from "../wasi/errno.ts";
import type { InstanceExports, Meter } from "../wasm/meter.ts";
import { type Gap, Snapshot } from "./snapshot.ts";

/** The exports of the module that are used. */
interface Exports extends InstanceExports {
  readonly memory: WebAssembly.Memory;
  readonly __indirect_function_table: { get(index: number): unknown };
  __wasm_call_ctors(): void;
  malloc(bytes: number): number;
  free(at: number): void;
  setThrew(threw: number, value: number): void;
  emscripten_stack_init(): void;
  emscripten_stack_get_current(): number;
  _emscripten_stack_restore(at: number): void;
  mp_js_init(stackWords: number, heapBytes: number): void;
  mp_js_do_exec(at: number, length: number, out: number): void;
  mp_js_do_import(name: number, out: number): void;
  proxy_c_init(): void;
  proxy_c_to_js_lookup_attr(object: number, name: number, out: number): void;
  proxy_c_to_js_call(fn: number, count: number, args: number, out: number): void;
}

/** What scripts get from outside. */
export interface Answers {
  look(): number;
  /** 32 bits. */
  draw(): number;
}

/** An exception of Python: its type, and what it prints. */
export class Raised extends Error {
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

/** Kinds of values that cross (ports/webassembly/proxy_c.c and proxy_js.js of MicroPython 1.27). */
const EXCEPTION = -1;
const STRING = 5;
const VALUE_BYTES = 12;
/**
 * Words of the stack of Python's frames. The stack in the module's memory ends sooner, and so bounds the depth of
 * calls.
 */
const PYTHON_STACK_WORDS = 16_384;
/** The size of the garbage-collected heap at first; it doubles when needed. */
const HEAP_BYTES: number = 1024 * 1024;
/** Memory beside the heap for texts that are passed in and out. */
const ROOM_BYTES: number = 256 * 1024;
const PAGE_BYTES = 65_536;
const UTF8 = new TextEncoder();
const TEXT = new TextDecoder("utf-8", { ignoreBOM: true });
/** What a longjmp throws. */
const LONG_JUMP: unique symbol = Symbol("longjmp");

export class MicroPython {
  readonly #module: WebAssembly.Module;
  readonly #answers: Answers;
  readonly #meter: Meter;
  #exports: Exports;

  constructor(module: WebAssembly.Module, answers: Answers, meter: Meter) {
    this.#module = module;
    this.#meter = meter;
    this.#answers = answers;
    this.#exports = this.#instance();
    const exports = this.#exports;
    exports.__wasm_call_ctors();
    exports.mp_js_init(PYTHON_STACK_WORDS, HEAP_BYTES);
    exports.proxy_c_init();
  }

  /**
   * A snapshot of the present state. The rest of the memory is allocated first. So anything further that a script needs
   * makes the memory grow, and it is known which memory it has touched.
   */
  snapshot(): { readonly snapshot: Snapshot; readonly stackPointer: number } {
    const room = this.#allocated(ROOM_BYTES);
    const gap = this.#rest();
    this.#exports.free(room);
    return {
      snapshot: new Snapshot(this.#exports.memory, gap),
      stackPointer: this.#exports.emscripten_stack_get_current(),
    };
  }

  /** Goes back to a snapshot, in a new instance if necessary. */
  restore(snapshot: Snapshot, stackPointer: number, isBroken: boolean): void {
    if (isBroken || !snapshot.restore(this.#exports.memory)) {
      this.#exports = this.#instance();
      snapshot.restoreInto(this.#exports.memory);
    }
    this.#exports._emscripten_stack_restore(stackPointer);
  }

  /** Throws Raised. */
  execute(text: string): void {
    const code = this.#put(text);
    const out = this.#allocated(VALUE_BYTES);
    this.#exports.mp_js_do_exec(code.at, code.length, out);
    this.#exports.free(code.at);
    this.#result(out);
  }

  /** A number that stands for a function of the main module. Throws Raised. */
  named(name: string): number {
    const out = this.#allocated(VALUE_BYTES);
    this.#exports.mp_js_do_import(this.#put("__main__").at, out);
    const main = this.#result(out).word;
    this.#exports.proxy_c_to_js_lookup_attr(main, this.#put(name).at, out);
    return this.#result(out).word;
  }

  /** Calls a function that takes a text and returns a text. Throws Raised. */
  call(fn: number, text: string): string {
    // The module frees the text.
    const { at, length } = this.#put(text);
    const arg = this.#allocated(VALUE_BYTES);
    const out = this.#allocated(VALUE_BYTES);
    const view = new DataView(this.#exports.memory.buffer);
    view.setInt32(arg, STRING, true);
    view.setInt32(arg + 4, length, true);
    view.setInt32(arg + 8, at, true);
    this.#exports.proxy_c_to_js_call(fn, 1, arg, out);
    this.#exports.free(arg);
    const result = this.#result(out);
    this.#exports.free(out);
    return result.text;
  }

  #result(out: number): { readonly text: string; readonly word: number } {
    const view = new DataView(this.#exports.memory.buffer);
    const kind = view.getInt32(out, true);
    const word = view.getInt32(out + 4, true);
    if (kind !== EXCEPTION && kind !== STRING) return { text: "", word };
    const at = view.getUint32(out + 8, true);
    const text = TEXT.decode(new Uint8Array(this.#exports.memory.buffer, at, word));
    if (kind === STRING) return { text, word };
    // Type and traceback, with a byte 4 between.
    const [type = "", trace = ""] = text.split("\u0004");
    throw new Raised(type, trace.trim());
  }

  /** All memory after the allocated one, in one piece. */
  #rest(): Gap {
    const { memory } = this.#exports;
    let bytes = memory.buffer.byteLength;
    for (; bytes > PAGE_BYTES; bytes -= PAGE_BYTES) {
      this.#canGrow = false;
      const at = this.#exports.malloc(bytes);
      this.#canGrow = true;
      if (at !== 0) return { from: at, to: at + bytes };
    }
    return { from: memory.buffer.byteLength, to: memory.buffer.byteLength };
  }

  #canGrow = true;

  #put(text: string): { at: number; length: number } {
    const bytes = UTF8.encode(text);
    const at = this.#allocated(bytes.length + 1);
    const memory = new Uint8Array(this.#exports.memory.buffer);
    memory.set(bytes, at);
    memory[at + bytes.length] = 0;
    return { at, length: bytes.length };
  }

  #allocated(bytes: number): number {
    const at = this.#exports.malloc(bytes);
    if (at === 0) throw new StarfishError("out-of-memory", "The script's engine got no more memory");
    return at >>> 0;
  }

  #instance(): Exports {
    const imports: Record<string, Record<string, never>> = {};
    for (const { module: from, name } of WebAssembly.Module.imports(this.#module)) {
      (imports[from] ??= {})[name] = this.#answer(from, name) as never;
    }
    const instance = new WebAssembly.Instance(this.#module, imports);
    const exports = this.#meter.attach(instance) as unknown as Exports;
    exports.emscripten_stack_init();
    return exports;
  }

  #answer(from: string, name: string): (...args: number[]) => unknown {
    if (name.startsWith("invoke_")) return (fn = 0, ...args) => this.#invoke(fn, args);
    switch (name) {
      case "_emscripten_throw_longjmp":
        return () => {
          throw LONG_JUMP;
        };
      case "emscripten_resize_heap":
        return (bytes = 0) => this.#grow(bytes >>> 0);
      case "mp_js_random_u32":
        return () => this.#answers.draw();
      case "mp_js_ticks_ms":
      case "mp_js_time_ms":
        return () => this.#answers.look();
      case "js_check_existing":
        // No object of ours stands for one of Python's already.
        return () => -1;
      case "fd_write":
        return (_fd, vectors = 0, count = 0, out = 0) => this.#discard(vectors, count, out);
      case "__syscall_poll":
      case "fd_read":
        return () => {
          throw new StarfishError("task-failed", "A script has no standard input: what it works on is its argument");
        };
      default:
        // No files (a system call gives a negative number), and nothing of JavaScript: no attribute, no object.
        if (name.startsWith("__syscall_")) return () => -ERRNO.noent;
        return from === "env" ? () => 0 : () => ERRNO.badf;
    }
  }

  #invoke(fn: number, args: readonly number[]): unknown {
    const stackPointer = this.#exports.emscripten_stack_get_current();
    const call = this.#exports.__indirect_function_table.get(fn) as (...args: readonly number[]) => unknown;
    try {
      return call(...args);
    } catch (error) {
      if (error !== LONG_JUMP) throw error;
      this.#exports._emscripten_stack_restore(stackPointer);
      this.#exports.setThrew(1, 0);
      return 0;
    }
  }

  #grow(bytes: number): number {
    const { memory } = this.#exports;
    if (!this.#canGrow) return 0;
    try {
      memory.grow(Math.ceil((bytes - memory.buffer.byteLength) / PAGE_BYTES));
      return 1;
    } catch {
      // It may grow no further.
      return 0;
    }
  }

  /** Discards what is printed. */
  #discard(vectors: number, count: number, out: number): number {
    const view = new DataView(this.#exports.memory.buffer);
    let length = 0;
    for (let i = 0; i < count; i++) length += view.getUint32(vectors + 8 * i + 4, true);
    view.setUint32(out, length, true);
    return ERRNO.success;
  }
}

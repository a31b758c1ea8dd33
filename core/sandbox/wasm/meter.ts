/**
 * The fuel of a task and the room on its stack, in whatever instances it runs; and what ended it, from the signs that the
 * rewriter's code leaves (added.ts). The exports of an instance are called through `attach`, which gives each call from
 * outside all the room: what an earlier one left says only how far that one went.
 */
import { type ErrorCode, messageOf } from "../../base/errors.ts";
import type { SandboxOutcome } from "../../ports/sandbox.ts";
import { MESSAGE_CHARS_MAX, STACK_SLOTS_MAX } from "../limits.ts";
import { FUEL, GROW_FAILED, GROWN, STACK, START } from "./added.ts";
import { trapOf } from "./traps.ts";

/** What any instance exports, by name. */
export type InstanceExports = Readonly<Record<string, unknown>>;

/** What the rewriter adds to them. */
interface Metered extends InstanceExports {
  readonly [START]?: () => void;
  readonly [FUEL]: { value: bigint };
  readonly [STACK]: { value: bigint };
  readonly [GROW_FAILED]: { value: number };
}

type Failure = Extract<SandboxOutcome, { ok: false }>;
type Callable = (...args: unknown[]) => unknown;

const ROOM = BigInt(STACK_SLOTS_MAX);

export class Meter {
  #fuelMax: bigint;
  #exports: Metered | undefined;

  /** `fuelMax` is a whole number. */
  constructor(fuelMax: number) {
    this.#fuelMax = BigInt(fuelMax);
  }

  /** Begins a task anew, in the same instance. */
  refill(fuelMax: number): void {
    this.#fuelMax = BigInt(fuelMax);
    if (this.#exports === undefined) return;
    this.#exports[FUEL].value = this.#fuelMax;
    this.#exports[GROW_FAILED].value = GROWN.well;
  }

  /**
   * Gives an instance the fuel that is left, and runs its start function. Its functions can be called while one of them
   * waits for an import.
   */
  attach(instance: WebAssembly.Instance): InstanceExports {
    const exports = this.begin(instance);
    const stack = exports[STACK];
    const wrapped: Record<string, unknown> = {};
    for (const [name, exported] of Object.entries(exports)) {
      if (typeof exported !== "function") wrapped[name] = exported;
      else {
        wrapped[name] = (...args: unknown[]) => {
          const room = stack.value;
          const result = (exported as Callable)(...args);
          // Not where it threw: then it says why.
          stack.value = room;
          return result;
        };
      }
    }
    return wrapped;
  }

  /** The same without wrapping the functions; before each of them comes `enter`. */
  begin(instance: WebAssembly.Instance): Metered {
    const left = this.#exports?.[FUEL].value ?? this.#fuelMax;
    const exports = instance.exports as unknown as Metered;
    this.#exports = exports;
    exports[FUEL].value = left;
    exports[STACK].value = ROOM;
    exports[START]?.();
    exports[STACK].value = ROOM;
    return exports;
  }

  enter(): void {
    if (this.#exports !== undefined) this.#exports[STACK].value = ROOM;
  }

  /** Below zero once it has run out. */
  get left(): bigint {
    return this.#exports?.[FUEL].value ?? this.#fuelMax;
  }

  /** What the task did, with the fuel that it used; or that it had run out. */
  done(output: Uint8Array): SandboxOutcome {
    const { left } = this;
    // What is paid for in advance is looked at again only at the next call or loop, of which there were none.
    if (left < 0n) return this.#outOfFuel();
    return { ok: true, output, fuelUsed: Number(this.#fuelMax - left) };
  }

  /** Why a task's code threw. What is the device's fault, not the task's, has a code that no task fails with. */
  explain(error: unknown): Failure {
    const message = messageOf(error);
    const exports = this.#exports;
    if (this.left < 0n) return this.#outOfFuel();
    if (exports !== undefined && exports[STACK].value < 0n)
      return failure("call-depth", "The task's calls nest too deeply");
    // Engines throw a RangeError (V8, JavaScriptCore) or an InternalError (SpiderMonkey). Room is counted so that this
    // does not happen; where it does, that says something of this device, and nothing of the task.
    if (/stack|recursion/i.test(message))
      return failure("unsupported", `This device's own stack is too small for the task: ${message}`);
    // What engines throw when a new instance, or its memory, can't be had.
    if (exports?.[GROW_FAILED].value === GROWN.device || error instanceof RangeError)
      return failure("busy", `This device has no memory for the task now: ${message}`);
    // An allocator that gets no more memory has nothing left but to trap (AssemblyScript, Rust and Zig do so).
    const memory = exports?.["memory"];
    if (exports?.[GROW_FAILED].value === GROWN.limit && memory instanceof WebAssembly.Memory) {
      const mebibytes = (memory.buffer.byteLength / 2 ** 20).toFixed(1);
      return failure(
        "out-of-memory",
        `The task had ${mebibytes} MiB of memory, got no more, and stopped: ${trapOf(message)}`,
      );
    }
    return failure("wasm-trap", `The task stopped with a trap: ${trapOf(message)}`);
  }

  #outOfFuel(): Failure {
    return failure("out-of-fuel", `The task used up its fuel of ${this.#fuelMax}`);
  }
}

export function failure(code: ErrorCode, message: string): Failure {
  return { ok: false, code, message: message.slice(0, MESSAGE_CHARS_MAX) };
}

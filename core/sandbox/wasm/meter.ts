/**
 * The fuel of a task and the room on its stack, in all instances in which it runs; and the reason why it ended, from
 * the globals that the rewriter's code sets (added.ts). The exports of an instance are called through `attach`, which
 * sets the full room before each call from outside: the value that an earlier call left only tells how deep that call
 * went.
 */
import { type ErrorCode, messageOf } from "../../base/errors.ts";
import type { SandboxOutcome } from "../../ports/sandbox.ts";
import { MESSAGE_CHARS_MAX, STACK_SLOTS_MAX } from "../limits.ts";
import { FUEL, GROW_FAILED, GROWN, STACK, START } from "./added.ts";
import { trapOf } from "./traps.ts";

/** The exports of any instance, by name. */
export type InstanceExports = Readonly<Record<string, unknown>>;

/** The exports that the rewriter adds. */
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

  /** Begins a further task in the same instance. */
  refill(fuelMax: number): void {
    this.#fuelMax = BigInt(fuelMax);
    if (this.#exports === undefined) return;
    this.#exports[FUEL].value = this.#fuelMax;
    this.#exports[GROW_FAILED].value = GROWN.well;
  }

  /**
   * Gives an instance the remaining fuel, and runs its start function. Its functions can be called while one of them
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
          // Not after an error: then the value tells the reason.
          stack.value = room;
          return result;
        };
      }
    }
    return wrapped;
  }

  /** The same without wrapping the functions; call `enter` before each of them. */
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

  /** The outcome of the task, with the fuel that it used; or that it has run out of fuel. */
  done(output: Uint8Array): SandboxOutcome {
    const { left } = this;
    // Fuel that is paid in advance is checked only at the next call or loop, and there was none.
    if (left < 0n) return this.#outOfFuel();
    return { ok: true, output, fuelUsed: Number(this.#fuelMax - left) };
  }

  /** Why a task's code threw. A fault of the device, not of the task, has a code with which no task fails. */
  explain(error: unknown): Failure {
    const message = messageOf(error);
    const exports = this.#exports;
    if (this.left < 0n) return this.#outOfFuel();
    if (exports !== undefined && exports[STACK].value < 0n)
      return failure("call-depth", "The task's calls nest too deeply");
    // Engines throw a RangeError (V8, JavaScriptCore) or an InternalError (SpiderMonkey). Room is counted so that this
    // does not happen. If it does, it is a fault of this device, not of the task.
    if (/stack|recursion/i.test(message))
      return failure("unsupported", `This device's own stack is too small for the task: ${message}`);
    // Engines throw this when there is no memory for a new instance.
    if (exports?.[GROW_FAILED].value === GROWN.device || error instanceof RangeError)
      return failure("busy", `This device has no memory for the task now: ${message}`);
    // An allocator that gets no more memory can only trap (AssemblyScript, Rust and Zig do so).
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

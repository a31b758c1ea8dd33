/**
 * Results of tasks that this node has computed itself, so that it computes none twice: the same program, input and
 * limits. It never has results that other nodes say they computed. It lasts as long as the node runs; the least
 * recently used is dropped first.
 */
import type { Bytes } from "../base/bytes.ts";
import type { Crypto } from "../ports/crypto.ts";
import type { SandboxProgram } from "../ports/sandbox.ts";
import { taskKey } from "../sandbox/task-key.ts";
import { writable } from "./entries.ts";
import {
  MEMO_BYTES_MAX,
  MEMO_ENTRY_BYTES,
  MEMO_INPUT_BYTES_MAX,
  MEMO_MS_MIN,
  MEMO_OUTPUT_BYTES_MAX,
} from "./limits.ts";

export interface Remembered {
  readonly output: Bytes;
  /** The fuel that the task used when it was run, which is part of its result. */
  readonly fuelUsed: number;
}

/** A task without its input. */
export interface Work {
  /** SHA-256 of the module's bytes, in hex. */
  readonly module: string;
  readonly program: SandboxProgram;
  readonly memoryBytesMax: number;
  readonly fuelMax: number;
}

export class Memo {
  readonly #crypto: Crypto;
  /** In the order of last use. */
  readonly #outputs = new Map<string, Remembered & { readonly module: string }>();
  /** How many results of each module are here. */
  readonly #modules = new Map<string, number>();
  #bytes = 0;

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  /** Undefined if the input is too large: hashing it would take as long as many a task. */
  keyOf({ module, program, ...limits }: Work, input: Bytes): string | undefined {
    if (input.length > MEMO_INPUT_BYTES_MAX) return undefined;
    return taskKey(this.#crypto, { module, program: writable(program), input, limits });
  }

  /** Whether there is a result of this module. If not, a task need not be hashed to be looked up. */
  knows(module: string): boolean {
    return this.#modules.has(module);
  }

  /** Whether a result that took so long is remembered. */
  isWorth(runMs: number): boolean {
    return runMs >= MEMO_MS_MIN;
  }

  get(key: string): Remembered | undefined {
    const result = this.#outputs.get(key);
    if (result === undefined) return undefined;
    this.#outputs.delete(key);
    this.#outputs.set(key, result);
    return { output: result.output.slice(), fuelUsed: result.fuelUsed };
  }

  add(key: string, module: string, { output, fuelUsed }: Remembered, runMs: number): void {
    if (!this.isWorth(runMs) || output.length > MEMO_OUTPUT_BYTES_MAX || this.#outputs.has(key)) return;
    this.#outputs.set(key, { output: output.slice(), fuelUsed, module });
    this.#count(module, 1);
    this.#bytes += costOf(output);
    for (const [oldest, result] of this.#outputs) {
      if (this.#bytes <= MEMO_BYTES_MAX) break;
      this.#outputs.delete(oldest);
      this.#count(result.module, -1);
      this.#bytes -= costOf(result.output);
    }
  }

  #count(module: string, more: number): void {
    const count = (this.#modules.get(module) ?? 0) + more;
    if (count === 0) this.#modules.delete(module);
    else this.#modules.set(module, count);
  }
}

function costOf(output: Bytes): number {
  return output.length + MEMO_ENTRY_BYTES;
}

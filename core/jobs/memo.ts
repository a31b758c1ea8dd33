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
  readonly #outputs = new Map<string, Remembered>();
  #bytes = 0;

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  /** Undefined if the input is too large: hashing it would take as long as many a task. */
  keyOf({ module, program, ...limits }: Work, input: Bytes): string | undefined {
    if (input.length > MEMO_INPUT_BYTES_MAX) return undefined;
    return taskKey(this.#crypto, { module, program: writable(program), input, limits });
  }

  get(key: string): Remembered | undefined {
    const result = this.#outputs.get(key);
    if (result === undefined) return undefined;
    this.#outputs.delete(key);
    this.#outputs.set(key, result);
    return { ...result, output: result.output.slice() };
  }

  add(key: string, { output, fuelUsed }: Remembered, runMs: number): void {
    if (runMs < MEMO_MS_MIN || output.length > MEMO_OUTPUT_BYTES_MAX || this.#outputs.has(key)) return;
    this.#outputs.set(key, { output: output.slice(), fuelUsed });
    this.#bytes += costOf(output);
    for (const [oldest, result] of this.#outputs) {
      if (this.#bytes <= MEMO_BYTES_MAX) break;
      this.#outputs.delete(oldest);
      this.#bytes -= costOf(result.output);
    }
  }
}

function costOf(output: Bytes): number {
  return output.length + MEMO_ENTRY_BYTES;
}

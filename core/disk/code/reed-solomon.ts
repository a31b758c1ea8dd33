/**
 * Reed-Solomon coding, which blocks its thread until it is done: 16 MiB of data with as much parity need some tens of
 * milliseconds. The matrices are matrix.ts, products with them the WebAssembly of wasm-tasks/reed-solomon.
 */
import { assert } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import { codeRows, decodeRows } from "./matrix.ts";

/** What the module exports; see there. */
interface Kernel {
  readonly memory: WebAssembly.Memory;
  readonly MATRIX: { readonly value: number };
  readonly FREE: { readonly value: number };
  readonly multiply: (rows: number, columns: number, length: number, stride: number, from: number, to: number) => void;
}

/** The module works on lengths that are multiples of this; its output beyond a shard's end is ignored. */
const STEP_BYTES = 32;
/** The pieces of all shards together stay in the L2 cache, of which even phones have 256 KiB for each core. */
const WORKING_SET_BYTES: number = 192 * 1024;
/** Longer pieces gain nothing. */
const PIECE_BYTES_MAX: number = 16 * 1024;
/**
 * The gap between pieces. If they were powers of two apart, all would compete for the same few lines of the L1 cache.
 */
const GAP_BYTES = 64;

export class ReedSolomon {
  readonly #kernel: Kernel;
  readonly #memory: Uint8Array;

  constructor(module: WebAssembly.Module) {
    this.#kernel = new WebAssembly.Instance(module, {}).exports as unknown as Kernel;
    // The memory never grows after the start; growing it would detach this view.
    this.#memory = new Uint8Array(this.#kernel.memory.buffer);
  }

  /** The parity of the data shards, which have one length. */
  encode(data: readonly Bytes[], parityCount: number): Uint8Array[] {
    const k = data.length;
    const numbers = Array.from({ length: parityCount }, (_, i) => k + i);
    return this.#product(codeRows(k, numbers), data, parityCount);
  }

  /**
   * The wanted shards, from at least k given ones of the same length. Wanted shards that are given are returned as they
   * are.
   */
  reconstruct(k: number, shards: ReadonlyMap<number, Bytes>, want: readonly number[]): Map<number, Uint8Array> {
    // Lowest numbers first: a data shard gives its part unchanged, while a parity shard mixes all parts.
    const have = [...shards.keys()].sort((a, b) => a - b).slice(0, k);
    const missing = want.filter((number) => !shards.has(number));
    const inputs = have.flatMap((number) => shards.get(number) ?? []);
    const made = missing.length === 0 ? [] : this.#product(decodeRows(k, have, missing), inputs, missing.length);
    const result = new Map<number, Uint8Array>();
    for (const number of want) {
      const shard = shards.get(number) ?? made[missing.indexOf(number)];
      assert(shard !== undefined, "what is not given is made");
      result.set(number, shard);
    }
    return result;
  }

  /** Piece by piece through the module's memory, so that most of it stays in the processor's caches. */
  #product(matrix: Uint8Array, inputs: readonly Bytes[], rows: number): Uint8Array[] {
    const { MATRIX, FREE, multiply } = this.#kernel;
    const columns = inputs.length;
    const length = inputs[0]?.length ?? 0;
    const steps = Math.floor(WORKING_SET_BYTES / (columns + rows) / STEP_BYTES);
    const pieceBytes = Math.min(PIECE_BYTES_MAX, steps * STEP_BYTES);
    const stride = pieceBytes + GAP_BYTES;
    const from = FREE.value;
    const to = from + columns * stride;
    assert(to + rows * stride <= this.#memory.length, "the pieces fit the module's memory");

    const outputs = Array.from({ length: rows }, () => new Uint8Array(length));
    this.#memory.set(matrix, MATRIX.value);
    for (let start = 0; start < length; start += pieceBytes) {
      const end = Math.min(start + pieceBytes, length);
      inputs.forEach((input, i) => this.#memory.set(input.subarray(start, end), from + i * stride));
      multiply(rows, columns, Math.ceil((end - start) / STEP_BYTES) * STEP_BYTES, stride, from, to);
      outputs.forEach((output, i) => {
        const place = to + i * stride;
        output.set(this.#memory.subarray(place, place + end - start), start);
      });
    }
    return outputs;
  }
}

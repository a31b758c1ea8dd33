/**
 * Digests of the results of a job's tasks, in blocks of neighbours: a million take 16 MB. A digest covers the output
 * and the fuel that the task used, which is part of the result.
 */
import { type Bytes, concat } from "../base/bytes.ts";
import type { Crypto } from "../ports/crypto.ts";
import { DIGEST_BYTES } from "./limits.ts";

const BLOCK_TASKS = 1_024;

export function digestOf(crypto: Pick<Crypto, "sha256">, output: Bytes, fuelUsed: number): Bytes {
  const fuel = new Uint8Array(8);
  new DataView(fuel.buffer).setBigUint64(0, BigInt(fuelUsed));
  // Large outputs are not copied to be hashed.
  return crypto.sha256(concat([fuel, crypto.sha256(output)])).slice(0, DIGEST_BYTES);
}

export class Digests {
  readonly #blocks = new Map<number, Uint8Array>();

  set(task: number, digest: Bytes): void {
    const number = Math.floor(task / BLOCK_TASKS);
    let block = this.#blocks.get(number);
    if (block === undefined) {
      block = new Uint8Array(BLOCK_TASKS * DIGEST_BYTES);
      this.#blocks.set(number, block);
    }
    block.set(digest, (task % BLOCK_TASKS) * DIGEST_BYTES);
  }

  /** All zeros if there is none. */
  get(task: number): Bytes {
    const at = (task % BLOCK_TASKS) * DIGEST_BYTES;
    const block = this.#blocks.get(Math.floor(task / BLOCK_TASKS));
    return block?.subarray(at, at + DIGEST_BYTES) ?? new Uint8Array(DIGEST_BYTES);
  }

  /** The digests of these tasks, one after the other. */
  all(tasks: Iterable<number>): Bytes {
    return concat(Array.from(tasks, (task) => this.get(task)));
  }
}

/**
 * Makes one output of many, two neighbours at a time and in order: a balanced tree, whose inner nodes are tasks
 * themselves.
 */
import { concat, type Bytes } from "../base/bytes.ts";
import { StarfishError } from "../base/errors.ts";
import { JOB_BYTES_MAX } from "./limits.ts";

/** Outputs that wait to be reduced, and their bytes. */
export class Outputs {
  readonly #all: Bytes[] = [];
  #bytes = 0;

  /** Throws "too-large". */
  add(output: Bytes): void {
    this.#bytes += output.length;
    if (this.#bytes > JOB_BYTES_MAX) {
      throw new StarfishError("too-large", `The outputs to reduce have more than ${JOB_BYTES_MAX} bytes`);
    }
    this.#all.push(output);
  }

  /** `pairs` runs the task over inputs of two outputs each, and returns the results in order. */
  async reduced(pairs: (inputs: readonly Bytes[]) => Promise<Bytes[]>): Promise<Bytes | undefined> {
    let level = this.#all;
    while (level.length > 1) {
      const inputs: Bytes[] = [];
      for (let i = 0; i + 1 < level.length; i += 2) inputs.push(pairOf(level[i], level[i + 1]));
      const rest = level.length % 2 === 0 ? [] : level.slice(-1);
      level = [...(await pairs(inputs)), ...rest];
    }
    return level[0];
  }
}

/** The length of the first in four bytes, little-endian, then both. */
function pairOf(first: Bytes = new Uint8Array(), second: Bytes = new Uint8Array()): Bytes {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, first.length, true);
  return concat([length, first, second]);
}

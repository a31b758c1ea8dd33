/** The operating system's randomness, in tabs and in Node.js. */
import type { Random } from "../ports/random.ts";

/** The most that getRandomValues gives in one call. */
const REQUEST_BYTES_MAX = 65_536;

/** Real numbers are drawn this many at a time, because a call costs more than its bytes. */
const BUFFERED_REALS = 128;

const words = new Uint32Array(2 * BUFFERED_REALS);
let used = words.length;

export const realRandom: Random = {
  bytes(length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i += REQUEST_BYTES_MAX) {
      crypto.getRandomValues(bytes.subarray(i, i + REQUEST_BYTES_MAX));
    }
    return bytes;
  },

  real(): number {
    if (used === words.length) {
      crypto.getRandomValues(words);
      used = 0;
    }
    const high = (words[used++] ?? 0) >>> 5;
    const low = (words[used++] ?? 0) >>> 6;
    // 27 and 26 bits: all 53 bits that a number in [0, 1) can have.
    return (high * 2 ** 26 + low) / 2 ** 53;
  },
};

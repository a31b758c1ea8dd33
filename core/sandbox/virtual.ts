/**
 * Time and randomness as a task sees them: the same on every device. The clock starts at the beginning of 1970 and
 * advances a little each time it is read, so that loops which wait for it end. Random numbers come from a generator
 * that is seeded with what the task is given.
 */
import { CLOCK_STEP_MS } from "./limits.ts";

export class VirtualClock {
  #nowMs: number;

  constructor(nowMs = 0) {
    this.#nowMs = nowMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  look(): number {
    this.#nowMs += CLOCK_STEP_MS;
    return this.#nowMs;
  }

  /** A sleep ends at once, and the clock shows that its time has passed. */
  passTo(ms: number): void {
    this.#nowMs = Math.max(this.#nowMs, Math.ceil(ms));
  }
}

const FNV_PRIME = 0x01000193;

/** xoshiro128** 1.1 (Blackman and Vigna, 2018). Good for simulations, not for secrets. */
export class Draw {
  readonly #state: Uint32Array;

  constructor(seeds: readonly (string | Uint8Array)[], state: Uint32Array = seedOf(seeds)) {
    this.#state = state;
  }

  u32(): number {
    const state = this.#state;
    const [a = 0, b = 0, c = 0, d = 0] = state;
    const result = Math.imul(rotated(Math.imul(b, 5), 7), 9) >>> 0;
    const next = c ^ a;
    const last = d ^ b;
    state[1] = b ^ next;
    state[0] = a ^ last;
    state[2] = next ^ (b << 9);
    state[3] = rotated(last, 11);
    return result;
  }

  /** In [0, 1), with the 53 bits of a double. */
  fraction(): number {
    return ((this.u32() >>> 5) * 2 ** 26 + (this.u32() >>> 6)) / 2 ** 53;
  }

  bytes(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += 4) {
      const word = this.u32();
      for (let i = 0; i < 4 && at + i < bytes.length; i++) bytes[at + i] = word >>> (8 * i);
    }
  }
}

/**
 * Four FNV-1a hashes with different beginnings, each mixed with those before it. They spread the seed, and need to do
 * nothing more.
 */
function seedOf(seeds: readonly (string | Uint8Array)[]): Uint32Array {
  const state = Uint32Array.of(0x811c9dc5, 0x2545f491, 0x9e3779b9, 0x6a09e667);
  for (const seed of seeds) {
    const bytes = typeof seed === "string" ? new TextEncoder().encode(seed) : seed;
    mix(state, Uint8Array.of(bytes.length, bytes.length >>> 8, bytes.length >>> 16, bytes.length >>> 24));
    mix(state, bytes);
  }
  let before = 0;
  for (const [i, word] of state.entries()) state[i] = before = stirred((word + before) | 0);
  // All zeros is the only state that the generator never leaves.
  if (state.every((word) => word === 0)) state[0] = 1;
  return state;
}

function mix(state: Uint32Array, bytes: Uint8Array): void {
  let [a = 0, b = 0, c = 0, d = 0] = state;
  for (const byte of bytes) {
    a = Math.imul(a ^ byte, FNV_PRIME);
    b = Math.imul(b ^ byte, FNV_PRIME);
    c = Math.imul(c ^ byte, FNV_PRIME);
    d = Math.imul(d ^ byte, FNV_PRIME);
  }
  state.set([a, b, c, d]);
}

/** The last step of MurmurHash3: every bit of the word changes every bit of the result. */
function stirred(word: number): number {
  let bits = word;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}

function rotated(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

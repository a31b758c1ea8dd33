/**
 * Repeatable randomness: sfc32 (Chris Doty-Humphrey, PractRand), seeded by hashing. Each node and each part of the
 * world has a fork of its own, so that what one draws does not affect the others.
 */
import type { Random } from "../../core/ports/random.ts";
import { Mixer } from "./mixer.ts";

export class SeededRandom implements Random {
  readonly #seed: string;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: string) {
    this.#seed = seed;
    const mixer = new Mixer().text(seed);
    this.#a = mixer.next() | 0;
    this.#b = mixer.next() | 0;
    this.#c = mixer.next() | 0;
    for (let i = 0; i < 12; i++) this.word();
  }

  /** An independent source that is the same for the same name, whatever has been drawn here. */
  fork(name: string): SeededRandom {
    return new SeededRandom(`${this.#seed}/${name}`);
  }

  /** 32 random bits, unsigned. */
  word(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  real(): number {
    return ((this.word() >>> 5) * 0x4000000 + (this.word() >>> 6)) / 0x20000000000000;
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i += 4) {
      const word = this.word();
      for (let j = 0; j < 4 && i + j < length; j++) bytes[i + j] = word >>> (8 * j);
    }
    return bytes;
  }
}

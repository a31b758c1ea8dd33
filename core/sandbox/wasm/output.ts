/** Bytes that are written one after the other: a buffer that grows. */
import type { Bytes } from "../../base/bytes.ts";

/** From this length on the engine's own copying is faster than a loop. */
const COPY_BYTES = 48;

export class Output {
  #bytes: Uint8Array<ArrayBuffer>;
  at = 0;

  constructor(sizeBytes: number) {
    this.#bytes = new Uint8Array(sizeBytes);
  }

  /** Makes room for that many bytes. Writers call this before they write. */
  reserve(count: number): void {
    const needed = this.at + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, Math.ceil(this.#bytes.length * 1.5)));
    grown.set(this.#bytes.subarray(0, this.at));
    this.#bytes = grown;
  }

  byte(value: number): void {
    this.#bytes[this.at++] = value;
  }

  pair(first: number, second: number): void {
    this.#bytes[this.at++] = first;
    this.#bytes[this.at++] = second;
  }

  all(values: ArrayLike<number>): void {
    for (let i = 0; i < values.length; i++) this.#bytes[this.at++] = values[i] ?? 0;
  }

  /** An opcode and an index. */
  indexed(opcode: number, index: number): void {
    this.#bytes[this.at++] = opcode;
    this.leb(index);
  }

  /** LEB128 of a whole number of up to 32 bits. */
  leb(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.at++] = rest;
  }

  /** Signed LEB128 of a whole number from 0 to 2^31 - 1. */
  signedLeb(value: number): void {
    let rest = value;
    while (rest >= 0x40) {
      this.#bytes[this.at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.at++] = rest;
  }

  copy(source: Bytes, from: number, to: number): void {
    if (to - from > COPY_BYTES) {
      this.#bytes.set(source.subarray(from, to), this.at);
      this.at += to - from;
      return;
    }
    for (let i = from; i < to; i++) this.#bytes[this.at++] = source[i] ?? 0;
  }

  /** Leaves four bytes for a length that is not yet known; `closeLength` fills them in. */
  openLength(): number {
    this.at += LENGTH_BYTES;
    return this.at;
  }

  closeLength(from: number): void {
    let rest = this.at - from;
    for (let i = from - LENGTH_BYTES; i < from; i++) {
      this.#bytes[i] = i === from - 1 ? rest : (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
  }

  written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.at);
  }
}

/** A length of up to 256 MiB, as LEB128 that is longer than it needs to be. */
const LENGTH_BYTES = 4;

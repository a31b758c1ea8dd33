/**
 * Reads the WebAssembly binary format (core specification 2.0, section 5), never past its end. Throws a StarfishError
 * "not-wasm" with the position if it does not parse.
 */
import type { Bytes } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";

export class Reader {
  readonly bytes: Bytes;
  at: number;
  readonly end: number;

  constructor(bytes: Bytes, at: number = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  byte(): number {
    const byte = this.at < this.end ? this.bytes[this.at] : undefined;
    if (byte === undefined) throw this.malformed("it ends too early");
    this.at++;
    return byte;
  }

  skip(count: number): void {
    if (count > this.end - this.at) throw this.malformed("it ends too early");
    this.at += count;
  }

  /** An unsigned number of up to 32 bits, LEB128. */
  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      // Multiplied, not shifted: the top bits would make it negative.
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (value > 0xffffffff) break;
        return value;
      }
    }
    throw this.malformed("a number is longer than 32 bits");
  }

  /** Skips a LEB128 number of up to `bits` bits. */
  skipLeb(bits: number): void {
    for (let length = Math.ceil(bits / 7); length > 0; length--) if (this.byte() < 0x80) return;
    throw this.malformed(`a number is longer than ${bits} bits`);
  }

  /** A length and that many bytes, as a reader of their own; this reader continues after them. */
  sized(): Reader {
    const length = this.u32();
    const start = this.at;
    this.skip(length);
    return new Reader(this.bytes, start, this.at);
  }

  /**
   * The length of a vector. Every element takes at least a byte, so no list can claim more elements than the file has
   * bytes.
   */
  count(): number {
    const count = this.u32();
    if (count > this.end - this.at) throw this.malformed("a list is longer than its section");
    return count;
  }

  malformed(why: string): StarfishError {
    return malformed(why, this.at);
  }
}

/** The most bytes of a number of 32 and of 64 bits. */
export const LEB32 = 5;
export const LEB64 = 10;

/** Where the LEB128 number at `at` ends. Throws if it has more than `bytesMax` bytes. */
export function lebEnd(bytes: Bytes, at: number, bytesMax: number): number {
  const end = at + bytesMax;
  let next = at;
  while ((bytes[next++] ?? 0) >= 0x80) if (next >= end) throw malformed("a number is too long", at);
  return next;
}

/** The value of the unsigned LEB128 number at `at`, which has at most 5 bytes. */
export function lebValue(bytes: Bytes, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return first;
  let value = first & 0x7f;
  for (let next = at + 1, scale = 128; next < at + 5; next++, scale *= 128) {
    const byte = bytes[next] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
  }
  return value;
}

export function malformed(why: string, at: number): StarfishError {
  return new StarfishError("not-wasm", `Not a WebAssembly module: ${why} (at byte ${at})`);
}

/** LEB128 of a whole number of up to 32 bits. */
export function leb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest & 0x7f;
    rest = Math.floor(rest / 128);
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

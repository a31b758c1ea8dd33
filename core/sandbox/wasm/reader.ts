/**
 * Reads the WebAssembly binary format (core specification 2.0, section 5), never past its end. What does not parse is a
 * StarfishError "not-wasm" that says where.
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

  /** Passes over a LEB128 number of up to `bits` bits. */
  skipLeb(bits: number): void {
    for (let length = Math.ceil(bits / 7); length > 0; length--) if (this.byte() < 0x80) return;
    throw this.malformed(`a number is longer than ${bits} bits`);
  }

  /** A length and that many bytes, as a reader of their own; this one goes on behind them. */
  sized(): Reader {
    const length = this.u32();
    const start = this.at;
    this.skip(length);
    return new Reader(this.bytes, start, this.at);
  }

  /** A vector's length. Every element takes a byte at least, so that no list can claim more than the file holds. */
  count(): number {
    const count = this.u32();
    if (count > this.end - this.at) throw this.malformed("a list is longer than its section");
    return count;
  }

  malformed(why: string): StarfishError {
    return new StarfishError("not-wasm", `Not a WebAssembly module: ${why} (at byte ${this.at})`);
  }
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

/**
 * Values of SQL as bytes. A row is a run of (column, value); a cell is one value. Pure.
 *
 *     0x00        NULL
 *     0x01        integer, 8 bytes little-endian
 *     0x02        real, 8 bytes
 *     0x03, 0x04  text, bytes: varint of the length in bytes, and these
 *     0x05, 0x06  integer of 2 or 4 bytes
 *     0x07        a large value, which is elsewhere (large.ts)
 *     0x40…0x7f   text of 0 to 63 bytes
 *     0x80…0xff   integer -32 to 95
 *
 * A column is 4 bytes little-endian: its id.
 */
import type { Bytes } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { SQL_VALUE_BYTES_MAX } from "../limits.ts";
import type { SqlValue } from "../types.ts";

const NULL = 0x00;
const INT64 = 0x01;
const REAL = 0x02;
export const TEXT = 0x03;
export const BLOB = 0x04;
const INT16 = 0x05;
const INT32 = 0x06;
const SHORT_TEXT = 0x40;
const SHORT_TEXT_MAX = 0x3f;
const SMALL = 0x80;
const SMALL_MIN = -32;
const SMALL_MAX = 95;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export class CellWriter {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Takes back what was written since it was `length` long. */
  cut(length: number): void {
    this.#length = length;
  }

  uint32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
  }

  varint(value: number): void {
    this.#reserve(5);
    let rest = value;
    for (; rest > 127; rest >>>= 7) this.#bytes[this.#length++] = (rest & 127) | 128;
    this.#bytes[this.#length++] = rest;
  }

  bytes(bytes: Bytes): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  text(text: string): void {
    this.#reserve(5 + 3 * text.length);
    const from = this.#length + (text.length < 43 ? 1 : 5);
    const { written } = encoder.encodeInto(text, this.#bytes.subarray(from));
    this.varint(written);
    if (this.#length !== from) this.#bytes.copyWithin(this.#length, from, from + written);
    this.#length += written;
  }

  /** As `value` of this text, unless it is not ASCII: then it writes nothing and returns false. */
  ascii(bytes: Bytes, from: number, length: number): boolean {
    this.#reserve(6 + length);
    const before = this.#length;
    if (length <= SHORT_TEXT_MAX) this.#bytes[this.#length++] = SHORT_TEXT | length;
    else {
      this.#bytes[this.#length++] = TEXT;
      this.varint(length);
    }
    const [into, at] = [this.#bytes, this.#length];
    for (let i = 0; i < length; i++) {
      const byte = bytes[from + i] ?? 0;
      if (byte > 127) {
        this.#length = before;
        return false;
      }
      into[at + i] = byte;
    }
    this.#length = at + length;
    return true;
  }

  value(value: SqlValue): void {
    if (typeof value === "string") this.#text(value);
    else if (typeof value === "number") this.#number(value);
    else if (value === null) this.#byte(NULL);
    else if (typeof value === "bigint") this.#bigint(value);
    else {
      this.#byte(BLOB);
      this.varint(value.length);
      this.bytes(value);
    }
  }

  /** A number that SQLite takes for a real, even if it is a whole number. */
  real(value: number): void {
    this.#reserve(9);
    this.#bytes[this.#length++] = REAL;
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /** Makes what was written since it was `from` long a byte string of CBOR, which is what the map keeps. */
  wrap(from: number): void {
    const length = this.#length - from;
    const head = headBytes(length);
    this.#reserve(head);
    const bytes = this.#bytes;
    bytes.copyWithin(from + head, from, this.#length);
    this.#length += head;
    if (head === 1) bytes[from] = 0x40 | length;
    else {
      bytes[from] = head === 2 ? 0x58 : head === 3 ? 0x59 : 0x5a;
      if (head === 2) bytes[from + 1] = length;
      else if (head === 3) this.#view.setUint16(from + 1, length);
      else this.#view.setUint32(from + 1, length);
    }
  }

  /** What was written since it was `from` long, as a copy. */
  slice(from = 0): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(from, this.#length);
  }

  /** What was written there, until more is written. */
  view(from: number, to: number): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(from, to);
  }

  #text(text: string): void {
    this.#reserve(6 + 3 * text.length);
    const from = this.#length + 1;
    const { written } = encoder.encodeInto(text, this.#bytes.subarray(from));
    if (written <= SHORT_TEXT_MAX) {
      this.#bytes[this.#length] = SHORT_TEXT | written;
      this.#length = from + written;
      return;
    }
    const bytes = this.#bytes.slice(from, from + written);
    this.#byte(TEXT);
    this.varint(written);
    this.bytes(bytes);
  }

  #number(value: number): void {
    if (!Number.isInteger(value) || Object.is(value, -0) || Math.abs(value) >= 2 ** 63) this.real(value);
    else if (value >= SMALL_MIN && value <= SMALL_MAX) this.#byte(SMALL + value - SMALL_MIN);
    else if (value >= -32_768 && value < 32_768) {
      this.#reserve(3);
      this.#bytes[this.#length++] = INT16;
      this.#view.setInt16(this.#length, value, true);
      this.#length += 2;
    } else if (value === (value | 0)) {
      this.#reserve(5);
      this.#bytes[this.#length++] = INT32;
      this.#view.setInt32(this.#length, value, true);
      this.#length += 4;
    } else this.#bigint(BigInt(value));
  }

  #bigint(value: bigint): void {
    this.#reserve(9);
    this.#bytes[this.#length++] = INT64;
    this.#view.setBigInt64(this.#length, value, true);
    this.#length += 8;
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + more));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** Reads from the start. Throws a StarfishError for malformed bytes. */
export class CellReader {
  readonly #bytes: Bytes;
  /** Made when it is needed, since most cells are small. */
  #ownView: DataView | undefined;
  #at = 0;
  /** Whether the value just read was a real: a real that is a whole number must not become an integer. */
  isReal = false;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  get #view(): DataView {
    const { buffer, byteOffset, byteLength } = this.#bytes;
    return (this.#ownView ??= new DataView(buffer, byteOffset, byteLength));
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  uint32(): number {
    const at = this.#take(4);
    const bytes = this.#bytes;
    const high = ((bytes[at + 2] ?? 0) | ((bytes[at + 3] ?? 0) << 8)) >>> 0;
    return ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)) + high * 65_536;
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#bytes[this.#take(1)] ?? 0;
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
    throw new StarfishError("malformed", "A number is too long");
  }

  bytes(length: number): Bytes {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  text(): string {
    return textOf(this.bytes(this.varint()));
  }

  value(): SqlValue {
    const tag = this.#bytes[this.#take(1)] ?? 0;
    this.isReal = tag === REAL;
    if (tag >= SMALL) return tag - SMALL + SMALL_MIN;
    if (tag >= SHORT_TEXT) return textOf(this.bytes(tag & SHORT_TEXT_MAX));
    switch (tag) {
      case NULL:
        return null;
      case INT64:
        return exact(this.#view.getBigInt64(this.#take(8), true));
      case REAL:
        return this.#view.getFloat64(this.#take(8), true);
      case INT16:
        return this.#view.getInt16(this.#take(2), true);
      case INT32:
        return this.#view.getInt32(this.#take(4), true);
      case TEXT:
        return decoder.decode(this.bytes(this.#length()));
      case BLOB:
        return this.bytes(this.#length()).slice();
      default:
        throw new StarfishError("malformed", "A value of an unknown type");
    }
  }

  #length(): number {
    const length = this.varint();
    if (length > SQL_VALUE_BYTES_MAX) throw new StarfishError("too-large", `A value of ${length} bytes`);
    return length;
  }

  #take(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) throw new StarfishError("malformed", "Cells end too early");
    this.#at = at + length;
    return at;
  }
}

/** Of the head of a byte string (RFC 8949, 3: major type 2). */
function headBytes(length: number): number {
  return length < 24 ? 1 : length < 256 ? 2 : length < 65_536 ? 3 : 5;
}

/** What `wrap` has wrapped, as a view. */
export function unwrapped(bytes: Bytes): Bytes {
  const minor = (bytes[0] ?? 0) & 31;
  return bytes.subarray(minor < 24 ? 1 : 1 + (1 << (minor - 24)));
}

/** Text as short as this is read faster without a decoder, if it is ASCII. */
const DECODED_MIN = 48;

function textOf(bytes: Bytes): string {
  if (bytes.length >= DECODED_MIN) return decoder.decode(bytes);
  for (let i = 0; i < bytes.length; i++) if ((bytes[i] ?? 0) > 127) return decoder.decode(bytes);
  return Reflect.apply(String.fromCharCode, undefined, bytes);
}

/** As a number if that is exact, else as a bigint. */
export function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/**
 * An entry as bytes among others in one array, where it costs 15 bytes beside key and value (an object costs 100):
 *
 *     flags     1 byte: state (bits 0-1), expires (2)
 *     stamp     7 bytes, little-endian
 *     writer    6 bytes
 *     expires   6 bytes, if so: ms since 1970
 *     value     varint of its length, and the bytes; a large value is kept elsewhere (ordered-entries.ts)
 *
 * Pure.
 */
import { writeByteText } from "./byte-text.ts";
import type { Entry, EntryHead, EntryState } from "./entry.ts";
import { INLINE_VALUE_BYTES_MAX } from "./limits.ts";

const STATE = 3;
const HAS_EXPIRY = 4;
const HEAD_BYTES = 14;
const EXPIRY_BYTES = 6;
const TWO_32: number = 2 ** 32;

/** How long an entry's record is. */
export function recordBytesOf({ value, expiresAtMs }: Entry): number {
  const { length } = value;
  const head = HEAD_BYTES + (expiresAtMs === undefined ? 0 : EXPIRY_BYTES) + varintBytes(length);
  return isLarge(length) ? head : head + length;
}

/** Whether a value of that length is kept elsewhere. */
export function isLarge(valueBytes: number): boolean {
  return valueBytes > INLINE_VALUE_BYTES_MAX;
}

/** How long the record is that begins there. */
export function recordBytes(bytes: Uint8Array, at: number): number {
  const lengthAt = valueLengthAt(bytes, at);
  const length = varint(bytes, lengthAt);
  const end = lengthAt + varintBytes(length);
  return (isLarge(length) ? end : end + length) - at;
}

export function readHead(bytes: Uint8Array, at: number): EntryHead {
  const flags = bytes[at] as number;
  const high = uint16(bytes, at + 5) | ((bytes[at + 7] as number) << 16);
  return {
    stamp: word(bytes, at + 1) + high * TWO_32,
    writer: uint48(bytes, at + 8),
    state: (flags & STATE) as EntryState,
    expiresAtMs: (flags & HAS_EXPIRY) === 0 ? undefined : uint48(bytes, at + HEAD_BYTES),
    valueBytes: varint(bytes, valueLengthAt(bytes, at)),
  };
}

/** A view of the value of the record that begins there; empty if the value is stored elsewhere. */
export function readValue(bytes: Uint8Array, at: number): Uint8Array {
  const lengthAt = valueLengthAt(bytes, at);
  const length = varint(bytes, lengthAt);
  const from = lengthAt + varintBytes(length);
  return bytes.subarray(from, isLarge(length) ? from : from + length);
}

export function writeRecord(bytes: Uint8Array, start: number, entry: Entry): void {
  const { stamp, writer, state, value, expiresAtMs } = entry;
  const { length } = value;
  bytes[start] = state | (expiresAtMs === undefined ? 0 : HAS_EXPIRY);
  const high = Math.floor(stamp / TWO_32);
  writeWord(bytes, start + 1, stamp % TWO_32);
  writeUint16(bytes, start + 5, high);
  bytes[start + 7] = high >>> 16;
  writeUint48(bytes, start + 8, writer);
  let at = start + HEAD_BYTES;
  if (expiresAtMs !== undefined) {
    writeUint48(bytes, at, expiresAtMs);
    at += EXPIRY_BYTES;
  }
  let rest = length;
  while (rest > 127) {
    bytes[at++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  if (!isLarge(length)) writeByteText(value, bytes, at);
}

function valueLengthAt(bytes: Uint8Array, at: number): number {
  return at + HEAD_BYTES + (((bytes[at] as number) & HAS_EXPIRY) === 0 ? 0 : EXPIRY_BYTES);
}

/** Up to 21 bits. */
function varint(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number;
  if (first < 128) return first;
  const second = bytes[at + 1] as number;
  if (second < 128) return (first & 127) | (second << 7);
  return (first & 127) | ((second & 127) << 7) | ((bytes[at + 2] as number) << 14);
}

function varintBytes(value: number): number {
  return value < 128 ? 1 : value < 16_384 ? 2 : 3;
}

function uint16(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}

function word(bytes: Uint8Array, at: number): number {
  return (uint16(bytes, at) | (uint16(bytes, at + 2) << 16)) >>> 0;
}

function uint48(bytes: Uint8Array, at: number): number {
  return word(bytes, at) + uint16(bytes, at + 4) * TWO_32;
}

function writeUint16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 0xff;
  bytes[at + 1] = (value >>> 8) & 0xff;
}

function writeWord(bytes: Uint8Array, at: number, value: number): void {
  writeUint16(bytes, at, value);
  writeUint16(bytes, at + 2, value >>> 16);
}

function writeUint48(bytes: Uint8Array, at: number, value: number): void {
  writeWord(bytes, at, value % TWO_32);
  writeUint16(bytes, at + 4, Math.floor(value / TWO_32));
}

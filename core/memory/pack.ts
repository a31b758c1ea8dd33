/**
 * Entries as bytes: in gossip, in reconciliation and in the store. One after the other, each
 *
 *     flags     1 byte: state (bits 0-1), expires (2), held (3), written by the writer of the entry before (4), and
 *               with its stamp too (5): both belong to one batch
 *     key       varint of its length in UTF-8, and that
 *     stamp     7 bytes, little-endian, unless as before
 *     writer    6 bytes, unless as before
 *     expires   6 bytes, if so: ms since 1970
 *     held      6 bytes, if so: since when the sender has had it, if that is later than the stamp says
 *     value     varint of its length, and the bytes; nothing if the key is deleted
 *
 * Varints are LEB128. Packed parts can be joined if each begins with a writer of its own.
 */
import type { Bytes } from "../base/bytes.ts";
import { StarfishError } from "../base/errors.ts";
import { toByteText, writeByteText } from "./byte-text.ts";
import { DELETED, type Entry, type EntryState, EXPIRED } from "./entry.ts";
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from "./limits.ts";

export interface Keyed {
  readonly key: string;
  readonly entry: Entry;
  /** Since when the sender has had it, ms since 1970; undefined: since it was written. */
  readonly heldAtMs: number | undefined;
}

const HAS_EXPIRY = 4;
const HAS_HELD = 8;
const SAME_WRITER = 16;
const SAME_STAMP = 32;
const FLAGS_MAX = 63;
/** The most bytes that an entry has beyond key and value. */
const FRAME_BYTES = 32;
const TWO_32: number = 2 ** 32;
const STAMP_HIGH_MAX: number = 2 ** 21 - 1;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The number of bytes of a key on the wire; short keys need not be encoded for this. */
export function keyBytesOf(key: string): number {
  for (let i = 0; i < key.length; i++) if (key.charCodeAt(i) > 127) return encoder.encode(key).length;
  return key.length;
}

export class Packer {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(1024);
  #length = 0;
  #count = 0;
  #writer = -1;
  #stamp = -1;

  get length(): number {
    return this.#length;
  }

  get count(): number {
    return this.#count;
  }

  add(key: string, entry: Entry, heldAtMs?: number): void {
    // A UTF-16 unit has three bytes at the most in UTF-8.
    this.#reserve(FRAME_BYTES + 3 * key.length + entry.value.length);
    const { stamp, writer, state, value, expiresAtMs } = entry;
    const isSame = writer === this.#writer;
    const isSameStamp = isSame && stamp === this.#stamp;
    this.#byte(
      state |
        (expiresAtMs === undefined ? 0 : HAS_EXPIRY) |
        (heldAtMs === undefined ? 0 : HAS_HELD) |
        (isSame ? SAME_WRITER : 0) |
        (isSameStamp ? SAME_STAMP : 0),
    );
    this.#key(key);
    if (!isSameStamp) {
      this.#word(stamp % TWO_32);
      this.#uint24(Math.floor(stamp / TWO_32));
    }
    if (!isSame) this.#uint48(writer);
    if (expiresAtMs !== undefined) this.#uint48(expiresAtMs);
    if (heldAtMs !== undefined) this.#uint48(heldAtMs);
    if (state !== DELETED) {
      this.#varint(value.length);
      writeByteText(value, this.#bytes, this.#length);
      this.#length += value.length;
    }
    this.#writer = writer;
    this.#stamp = stamp;
    this.#count++;
  }

  /** What has been added since the last take, as bytes of its own. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    this.#count = 0;
    this.#writer = -1;
    this.#stamp = -1;
    return taken;
  }

  #key(key: string): void {
    const { length } = key;
    if (length < 128) {
      const at = this.#length + 1;
      let i = 0;
      for (; i < length; i++) {
        const unit = key.charCodeAt(i);
        if (unit > 127) break;
        this.#bytes[at + i] = unit;
      }
      if (i === length) {
        this.#bytes[this.#length] = length;
        this.#length = at + length;
        return;
      }
    }
    const bytes = encoder.encode(key);
    this.#varint(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + more));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  #byte(value: number): void {
    this.#bytes[this.#length++] = value;
  }

  #varint(value: number): void {
    let rest = value;
    while (rest > 127) {
      this.#byte((rest & 127) | 128);
      rest >>>= 7;
    }
    this.#byte(rest);
  }

  #word(value: number): void {
    this.#byte(value & 0xff);
    this.#byte((value >>> 8) & 0xff);
    this.#byte((value >>> 16) & 0xff);
    this.#byte(value >>> 24);
  }

  #uint24(value: number): void {
    this.#byte(value & 0xff);
    this.#byte((value >>> 8) & 0xff);
    this.#byte((value >>> 16) & 0xff);
  }

  #uint48(value: number): void {
    this.#word(value % TWO_32);
    const high = Math.floor(value / TWO_32);
    this.#byte(high & 0xff);
    this.#byte((high >>> 8) & 0xff);
  }
}

/** Reads packed bytes from the start. Throws StarfishError "malformed" for every fault in them. */
export class Reader {
  readonly #bytes: Bytes;
  #at = 0;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) throw new StarfishError("malformed", "Packed entries end too early");
    return value;
  }

  /** Up to 28 bits. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte();
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
    throw new StarfishError("malformed", "A number is too long");
  }

  word(): number {
    const at = this.#take(4);
    const bytes = this.#bytes;
    return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
  }

  uint24(): number {
    return this.byte() | (this.byte() << 8) | (this.byte() << 16);
  }

  uint48(): number {
    const low = this.word() >>> 0;
    return low + (this.byte() | (this.byte() << 8)) * TWO_32;
  }

  slice(length: number): Bytes {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** Text of that many bytes of UTF-8. */
  text(length: number): string {
    const bytes = this.slice(length);
    if (isAscii(bytes)) return toByteText(bytes);
    try {
      return decoder.decode(bytes);
    } catch (error) {
      throw new StarfishError("malformed", "Text that is not UTF-8", { cause: error });
    }
  }

  #take(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) throw new StarfishError("malformed", "Packed entries end too early");
    this.#at = at + length;
    return at;
  }
}

function isAscii(bytes: Bytes): boolean {
  for (let i = 0; i < bytes.length; i++) if ((bytes[i] as number) > 127) return false;
  return true;
}

/** Throws StarfishError "malformed" or "too-large". */
export function unpack(bytes: Bytes): Keyed[] {
  const reader = new Reader(bytes);
  const entries: Keyed[] = [];
  let before: Entry | undefined;
  while (!reader.done) {
    const keyed = unpackOne(reader, before);
    entries.push(keyed);
    before = keyed.entry;
  }
  return entries;
}

function unpackOne(reader: Reader, before: Entry | undefined): Keyed {
  const flags = reader.byte();
  const state = flags & 3;
  if (flags > FLAGS_MAX || state > EXPIRED) throw new StarfishError("malformed", "An entry of an unknown kind");
  const keyBytes = reader.varint();
  if (keyBytes > KEY_BYTES_MAX) throw new StarfishError("too-large", `A key of ${keyBytes} bytes`);
  const key = reader.text(keyBytes);
  const stamp = (flags & SAME_STAMP) === 0 ? unpackStamp(reader) : before?.stamp;
  const writer = (flags & SAME_WRITER) === 0 ? reader.uint48() : before?.writer;
  if (stamp === undefined) throw new StarfishError("malformed", "An entry without a stamp");
  if (writer === undefined) throw new StarfishError("malformed", "An entry without a writer");
  const expiresAtMs = (flags & HAS_EXPIRY) === 0 ? undefined : reader.uint48();
  if (state === EXPIRED && expiresAtMs === undefined) throw new StarfishError("malformed", "Expired without a time");
  // Either would have the digest of another entry, and the two would count as equal.
  if (state === DELETED && expiresAtMs !== undefined) throw new StarfishError("malformed", "Deleted, and expires");
  if (expiresAtMs === 0) throw new StarfishError("malformed", "Expired before all time");
  const heldAtMs = (flags & HAS_HELD) === 0 ? undefined : reader.uint48();
  const entry: Entry = {
    stamp,
    writer,
    state: state as EntryState,
    value: state === DELETED ? "" : unpackValue(reader, state as EntryState),
    expiresAtMs,
  };
  return { key, entry, heldAtMs };
}

function unpackStamp(reader: Reader): number {
  const low = reader.word() >>> 0;
  const high = reader.uint24();
  if (high > STAMP_HIGH_MAX) throw new StarfishError("malformed", "A stamp beyond all time");
  return high * TWO_32 + low;
}

function unpackValue(reader: Reader, state: EntryState): string {
  const length = reader.varint();
  if (length > VALUE_BYTES_MAX) throw new StarfishError("too-large", `A value of ${length} bytes`);
  if (state === EXPIRED && length !== 8) throw new StarfishError("malformed", "An expired value's hash has 8 bytes");
  return toByteText(reader.slice(length));
}

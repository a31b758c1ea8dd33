/**
 * Wire messages: CBOR (RFC 8949) decoded strictly and checked against a schema before anyone sees them.
 * What does not parse is a StarfishError "malformed" that names the first thing wrong; nothing else is ever thrown.
 */
import { decode as cborDecode, encode as cborEncode, type EncodeOptions, Token, Type } from "cborg";
import * as v from "valibot";
import { type Bytes, utf8 } from "./bytes.ts";
import { messageOf, StarfishError } from "./errors.ts";

/** A schema whose output is T; made with the combinators of `valibot`. */
export type Schema<T> = v.GenericSchema<unknown, T>;

/**
 * Arrays, maps and tags within each other. Decoding takes a call for each level, and so does whoever shows the value: a
 * message of 3,000 levels would overflow the stack of one of them.
 */
export const DEPTH_MAX = 64;

/** cborg writes -0 as 0. */
const ENCODE_OPTIONS: EncodeOptions = {
  typeEncoders: { number: (value: unknown) => (Object.is(value, -0) ? [new Token(Type.float, -0)] : null) },
};

export function encode(value: unknown): Uint8Array {
  return plain(cborEncode(value, ENCODE_OPTIONS));
}

/** As `encode`, at a tenth of its cost: a byte string (RFC 8949, 3: major type 2 with the shortest head). */
export function encodeBytes(bytes: Bytes): Uint8Array {
  const { length } = bytes;
  if (length > 0xffff) return encode(bytes);
  const head = length < 24 ? [0x40 | length] : length < 256 ? [0x58, length] : [0x59, length >>> 8, length & 0xff];
  const encoded = new Uint8Array(head.length + length);
  encoded.set(head);
  encoded.set(bytes, head.length);
  return encoded;
}

/** The decoded value of `bytes`, not checked against any schema. Throws StarfishError "malformed". */
export function decodeAny(bytes: Bytes): unknown {
  try {
    checkDepth(bytes);
    return plainDeep(cborDecode(bytes, { rejectDuplicateMapKeys: true }));
  } catch (error) {
    throw new StarfishError("malformed", `Not valid CBOR: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Placeholder for a byte string that is passed by reference. Any bytes will do whose length CBOR writes in one byte.
 */
const PLACE: Bytes = utf8("\u0000starfish place\u0000");
const PLACE_HEAD_BYTES = 1;

/**
 * What `encode` gives, in pieces. Byte strings of 64 KiB and more are passed by reference, so they must not change
 * until the pieces have been used.
 */
export function encodePieces(value: unknown): readonly Bytes[] {
  const large: Bytes[] = [];
  const byReference = (bytes: Bytes): Token[] | null => {
    if (bytes.length < SHARED_BYTES_MIN) return null;
    large.push(bytes);
    return [new Token(Type.bytes, PLACE)];
  };
  const typeEncoders = { ...ENCODE_OPTIONS.typeEncoders, Uint8Array: byReference };
  const frame = plain(cborEncode(value, { typeEncoders }));
  if (large.length === 0) return [frame];
  const places = placesIn(frame);
  // Somebody has put the placeholder's bytes into a message.
  if (places.length !== large.length) return [encode(value)];
  const pieces: Bytes[] = [];
  let from = 0;
  for (const [i, bytes] of large.entries()) {
    const place = places[i] ?? 0;
    pieces.push(frame.subarray(from, place - PLACE_HEAD_BYTES), headOf(bytes.length), bytes);
    from = place + PLACE.length;
  }
  pieces.push(frame.subarray(from));
  return pieces;
}

function placesIn(frame: Bytes): number[] {
  const places: number[] = [];
  for (let at = frame.indexOf(0); at >= 0; at = frame.indexOf(0, at + 1)) {
    if (PLACE.every((byte, i) => frame[at + i] === byte)) places.push(at);
  }
  return places;
}

/** The head of a long byte string (RFC 8949, 3: major type 2 with a length of four bytes). */
function headOf(length: number): Bytes {
  const head = new Uint8Array(5);
  head[0] = 0x5a;
  new DataView(head.buffer).setUint32(1, length);
  return head;
}

/** Throws if items lie more than DEPTH_MAX levels deep. Bytes that are no CBOR at all are left to the decoder. */
function checkDepth(bytes: Bytes): void {
  // Each level takes a byte at least.
  if (bytes.length <= DEPTH_MAX) return;
  /** Items that are yet to come at each level; Infinity: until a break. */
  const left: number[] = [];
  const end = bytes.length;
  for (let at = 0; at < end;) {
    const head = bytes[at++] ?? 0;
    const major = head >>> 5;
    const minor = head & 31;
    let argument = minor;
    if (minor >= 24 && minor < 28) {
      argument = 0;
      for (let i = 1 << (minor - 24); i > 0; i--) argument = argument * 256 + (bytes[at++] ?? 0);
    }
    const isEndless = minor === 31;
    if (major === 7 && isEndless) {
      left.pop();
    } else if (major >= 4 && major <= 6) {
      const items = major === 6 ? 1 : isEndless ? Infinity : major === 5 ? 2 * argument : argument;
      if (items > 0) {
        if (left.length >= DEPTH_MAX) throw new StarfishError("malformed", `nested more than ${DEPTH_MAX} levels deep`);
        left.push(items);
        continue;
      }
    } else if (major === 2 || major === 3) {
      if (isEndless) {
        left.push(Infinity);
        continue;
      }
      at += argument;
    }
    // An item has ended, and so has each outer item of which it was the last.
    for (let level = left.length - 1; level >= 0; level--) {
      const items = (left[level] ?? 0) - 1;
      left[level] = items;
      if (items > 0) break;
      left.pop();
    }
  }
}

function plainDeep(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return plain(value);
  if (Array.isArray(value)) return value.map(plainDeep);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plainDeep(inner)]));
}

/** Byte strings from this length on are not copied: they are most of their message, and so keep little else alive. */
const SHARED_BYTES_MIN: number = 64 * 1024;

/** Bytes that cborg cuts byte strings out of. */
class Message extends Uint8Array<ArrayBufferLike> {
  override slice(start: number, end: number): Uint8Array<ArrayBuffer> {
    const { buffer, byteOffset } = this;
    const view = new Uint8Array(buffer as ArrayBuffer, byteOffset + start, end - start);
    return view.length >= SHARED_BYTES_MIN ? view : view.slice();
  }
}

/**
 * The first CBOR value of `bytes` as T. Byte strings in it that are long share the memory of `bytes`, which must not
 * change then. Throws StarfishError "malformed".
 */
export function decode<T>(schema: Schema<T>, bytes: Bytes): T {
  let value: unknown;
  try {
    checkDepth(bytes);
    value = cborDecode(new Message(bytes.buffer, bytes.byteOffset, bytes.length), { rejectDuplicateMapKeys: true });
  } catch (error) {
    throw new StarfishError("malformed", `Not valid CBOR: ${messageOf(error)}`, { cause: error });
  }
  return check(schema, value);
}

/** `value` as T. Throws StarfishError "malformed". */
export function check<T>(schema: Schema<T>, value: unknown): T {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const issue = result.issues[0];
  const path = v.getDotPath(issue);
  throw new StarfishError("malformed", path === null ? issue.message : `${path}: ${issue.message}`);
}

/** Schema of a byte string of `lengthMin` to `lengthMax` bytes. */
export function bytesOf(lengthMin: number, lengthMax: number = lengthMin): Schema<Uint8Array> {
  return v.pipe(
    v.instance(Uint8Array<ArrayBufferLike>),
    v.minLength(lengthMin),
    v.maxLength(lengthMax),
    v.transform(plain),
  );
}

/** cborg gives Buffers in Node.js, whose `slice` shares memory and which compare unequal to what tabs have. */
function plain(bytes: Uint8Array): Uint8Array {
  return bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Schema of text of at most `lengthMax` UTF-16 units. */
export function textOf(lengthMax: number): Schema<string> {
  return v.pipe(v.string(), v.maxLength(lengthMax));
}

/**
 * Schema of text that a peer wrote and people will read, of at most `lengthMax` UTF-16 units. Characters that can't be
 * part of a line are replaced: a terminal would obey control characters, and changes of direction could disguise the
 * text.
 */
export function lineOf(lengthMax: number): Schema<string> {
  return v.pipe(
    textOf(lengthMax),
    v.transform((text) => text.replace(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu, "\ufffd")),
  );
}

/** The same of several lines. */
export function linesOf(lengthMax: number): Schema<string> {
  return v.pipe(
    textOf(lengthMax),
    v.transform((text) => text.replace(/(?!\n)[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu, "\ufffd")),
  );
}

/** The last moment that a Date can represent, ms since 1970. */
const MOMENT_MS_MAX = 8.64e15;

/** Schema of a moment, or of the time since one, in ms, in the range of a Date. */
export function momentOf(): Schema<number> {
  return integerOf(0, MOMENT_MS_MAX);
}

/** Schema of a whole number in [min, max]. */
export function integerOf(min: number, max: number): Schema<number> {
  return v.pipe(v.number(), v.safeInteger(), v.minValue(min), v.maxValue(max));
}

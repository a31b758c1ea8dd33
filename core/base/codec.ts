/**
 * Wire messages: CBOR (RFC 8949) decoded strictly and checked against a schema before anyone sees them.
 * What does not parse is a StarfishError "malformed" that names the first thing wrong; nothing else is ever thrown.
 */
import { decode as cborDecode, encode as cborEncode } from "cborg";
import * as v from "valibot";
import type { Bytes } from "./bytes.ts";
import { messageOf, StarfishError } from "./errors.ts";

/** A schema whose output is T; made with the combinators of `valibot`. */
export type Schema<T> = v.GenericSchema<unknown, T>;

export function encode(value: unknown): Uint8Array {
  return plain(cborEncode(value));
}

/** What `bytes` say, whatever it is. Throws StarfishError "malformed". */
export function decodeAny(bytes: Bytes): unknown {
  try {
    return plainDeep(cborDecode(bytes, { rejectDuplicateMapKeys: true }));
  } catch (error) {
    throw new StarfishError("malformed", `Not valid CBOR: ${messageOf(error)}`, { cause: error });
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
 * The first CBOR value of `bytes` as T. Byte strings in it that are long share the memory of `bytes`, which must not change
 * then. Throws StarfishError "malformed".
 */
export function decode<T>(schema: Schema<T>, bytes: Bytes): T {
  let value: unknown;
  try {
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

/** cborg gives Buffers in Node, whose `slice` shares memory and which compare unequal to what tabs have. */
function plain(bytes: Uint8Array): Uint8Array {
  return bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Schema of text of at most `lengthMax` UTF-16 units. */
export function textOf(lengthMax: number): Schema<string> {
  return v.pipe(v.string(), v.maxLength(lengthMax));
}

/**
 * Schema of text that a peer wrote and people will read, of at most `lengthMax` UTF-16 units. What is no part of a line
 * is replaced: a terminal that shows it obeys control characters, and changes of direction would disguise it.
 */
export function lineOf(lengthMax: number): Schema<string> {
  return v.pipe(
    textOf(lengthMax),
    v.transform((text) => text.replace(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu, "\ufffd")),
  );
}

/** Schema of a whole number in [min, max]. */
export function integerOf(min: number, max: number = Number.MAX_SAFE_INTEGER): Schema<number> {
  return v.pipe(v.number(), v.safeInteger(), v.minValue(min), v.maxValue(max));
}

/**
 * A person's picture as an entry of the map `pictures`, and what bytes may be one: a small PNG, JPEG or WebP. Never SVG,
 * which is a document. The person's key signs it, so only nodes that have this key can change it. Pure.
 *
 * Wire: CBOR [body, signature]; the body is CBOR [format, madeAtMs, bytes], with null for "no picture any more". The key
 * in the map is the person's.
 */
import * as v from "valibot";
import type { Bytes } from "../../base/bytes.ts";
import { bytesOf, decode, encode, momentOf, type Schema } from "../../base/codec.ts";
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import { isStatementOf, signStatement } from "../../net/identity/statement.ts";
import type { Crypto, KeyPair } from "../../ports/crypto.ts";
import { personKeyOf } from "./card.ts";
import { PICTURE_BYTES_MAX, PICTURE_SIDE_MAX } from "./limits.ts";
import type { PersonId, Picture } from "./types.ts";

export interface PictureEntry {
  readonly madeAtMs: number;
  /** Undefined: the person has taken it away. */
  readonly picture: Picture | undefined;
  /** The signed bytes, as they are sent. */
  readonly wire: Uint8Array;
}

const FORMAT = 1;
export const PICTURE_PURPOSE = "person picture 1";
const SIGNATURE_BYTES = 64;
/** CBOR around the picture: format, moment, the heads of arrays and byte strings. */
const BODY_BYTES_MAX: number = PICTURE_BYTES_MAX + 32;

const wireSchema = v.tuple([bytesOf(1, BODY_BYTES_MAX), bytesOf(SIGNATURE_BYTES)]);
const bodySchema = v.tuple([v.literal(FORMAT), momentOf(), v.nullable(bytesOf(1, PICTURE_BYTES_MAX))]);

export function signPicture(
  crypto: Crypto,
  { privateKey }: KeyPair,
  madeAtMs: number,
  picture: Picture | undefined,
): PictureEntry {
  const body = encode([FORMAT, madeAtMs, picture?.bytes ?? null]);
  return { madeAtMs, picture, wire: encode([body, signStatement(crypto, privateKey, PICTURE_PURPOSE, body)]) };
}

/** The entry of that person, or the reason why it is invalid. */
export function readPicture(crypto: Crypto, person: PersonId, wire: Bytes): PictureEntry | { readonly why: string } {
  try {
    const [body, signature] = decode(wireSchema, wire);
    const [, madeAtMs, bytes] = decode(bodySchema, body);
    const key = personKeyOf(person);
    if (!isStatementOf(crypto, key, PICTURE_PURPOSE, body, signature)) return { why: "not signed by the person" };
    const picture = bytes === null ? undefined : pictureOf(bytes);
    return { madeAtMs, picture, wire: Uint8Array.from(wire) };
  } catch (error) {
    if (isStarfishError(error, "malformed") || isStarfishError(error, "too-large")) return { why: error.message };
    throw error;
  }
}

/**
 * Reads type and size from the first bytes: a few kB of compressed bytes may claim to be 30,000 pixels wide, and would
 * take gigabytes once they are shown. Throws "malformed" and "too-large".
 */
export function pictureOf(bytes: Bytes): Picture {
  if (bytes.length > PICTURE_BYTES_MAX) {
    throw new StarfishError("too-large", `a person's picture has at most ${PICTURE_BYTES_MAX / 1024} KiB`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = png(view) ?? webp(view) ?? jpeg(view);
  if (found === undefined) throw new StarfishError("malformed", "a person's picture is a PNG, a JPEG or a WebP");
  const { type, width, height } = found;
  if (Math.min(width, height) < 1) throw new StarfishError("malformed", "this picture has no pixels");
  if (Math.max(width, height) > PICTURE_SIDE_MAX) {
    throw new StarfishError(
      "too-large",
      `this picture has ${width} × ${height} pixels; a person's has at most ${PICTURE_SIDE_MAX} × ${PICTURE_SIDE_MAX}`,
    );
  }
  return { type, bytes: Uint8Array.from(bytes) };
}

interface Found {
  readonly type: Picture["type"];
  readonly width: number;
  readonly height: number;
}

function letters(view: DataView, at: number, length: number): string {
  if (at + length > view.byteLength) return "";
  return String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + at, length));
}

/** PNG, third edition, section 5.2 (signature) and 11.2.1 (IHDR, which is the first chunk). */
function png(view: DataView): Found | undefined {
  if (view.byteLength < 24 || letters(view, 0, 8) !== "\u0089PNG\r\n\u001a\n" || letters(view, 12, 4) !== "IHDR")
    return undefined;
  return { type: "image/png", width: view.getUint32(16), height: view.getUint32(20) };
}

/** RFC 9649, section 2: a RIFF file whose first chunk is VP8 (lossy), VP8L (lossless) or VP8X (with extras). */
function webp(view: DataView): Found | undefined {
  if (view.byteLength < 30 || letters(view, 0, 4) !== "RIFF" || letters(view, 8, 4) !== "WEBP") return undefined;
  const type = "image/webp";
  const chunk = letters(view, 12, 4);
  if (chunk === "VP8X") {
    // Width and height less one, 24 bits each.
    const less = (at: number): number => view.getUint16(at, true) + (view.getUint8(at + 2) << 16);
    return { type, width: 1 + less(24), height: 1 + less(27) };
  }
  if (chunk === "VP8L" && view.getUint8(20) === 0x2f) {
    const bits = view.getUint32(21, true);
    return { type, width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
  }
  // RFC 6386, section 9.1: 3 bytes of frame tag, the start code, then 14 bits each.
  if (chunk === "VP8 " && letters(view, 23, 3) === "\u009d\u0001*") {
    return { type, width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  }
  return undefined;
}

/** ITU-T T.81, annex B: segments up to the first header of a frame (SOF0 to SOF15 without DHT, JPG and DAC). */
function jpeg(view: DataView): Found | undefined {
  if (view.byteLength < 4 || view.getUint16(0) !== 0xffd8) return undefined;
  for (let at = 2; at + 9 <= view.byteLength;) {
    if (view.getUint8(at) !== 0xff) return undefined;
    const marker = view.getUint8(at + 1);
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return { type: "image/jpeg", height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    }
    // A length counts its own two bytes; a marker may be preceded by any number of 0xff.
    at += marker === 0xff ? 1 : 2 + Math.max(2, view.getUint16(at + 2));
  }
  return undefined;
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { wireSchema, bodySchema };

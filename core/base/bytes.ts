/** Byte helpers that core/ uses everywhere. Pure; nothing here allocates more than its result. */
import { base16 } from "multiformats/bases/base16";
import { base64url } from "multiformats/bases/base64";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export type Bytes = Uint8Array;

export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** Decodes leniently: bytes that are not UTF-8 become U+FFFD. */
export function text(bytes: Bytes): string {
  return decoder.decode(bytes);
}

export function concat(parts: readonly Bytes[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/**
 * The same bytes in memory of their own. Node's Buffers are bytes too, and their `slice` shares memory instead of
 * copying.
 */
export function copyOf(bytes: Bytes): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

/** Joins the pieces of a message. A message in one piece is returned unchanged. */
export function whole(message: Bytes | readonly Bytes[]): Bytes {
  return message instanceof Uint8Array ? message : concat(message);
}

export function lengthOf(message: Bytes | readonly Bytes[]): number {
  return message instanceof Uint8Array ? message.length : message.reduce((sum, { length }) => sum + length, 0);
}

export function equal(a: Bytes, b: Bytes): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export function toHex(bytes: Bytes): string {
  return base16.baseEncode(bytes);
}

/** Throws SyntaxError on text that is not hex. */
export function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  return copyOf(base16.baseDecode(hex));
}

export function toBase64Url(bytes: Bytes): string {
  return base64url.baseEncode(bytes);
}

/** Throws SyntaxError on text that is not base64url. */
export function fromBase64Url(encoded: string): Uint8Array<ArrayBuffer> {
  return base64url.baseDecode(encoded);
}

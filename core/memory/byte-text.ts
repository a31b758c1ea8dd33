/**
 * Bytes kept as text in which each character is a byte. V8 and the other engines store such text in one byte a
 * character and 16 bytes around it, where a typed array costs 200 around it. With a million small values that makes the
 * difference.
 */
import type { Bytes } from "../base/bytes.ts";

/** Characters that are made at once: as many arguments as every engine takes. */
const CHUNK = 4_096;

export function toByteText(bytes: Bytes): string {
  if (bytes.length <= CHUNK) return charactersOf(bytes);
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK) text += charactersOf(bytes.subarray(at, at + CHUNK));
  return text;
}

/** Spreading a typed array goes through its iterator, which takes five times as long. */
function charactersOf(bytes: Bytes): string {
  return Reflect.apply(String.fromCharCode, undefined, bytes);
}

export function fromByteText(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  writeByteText(text, bytes, 0);
  return bytes;
}

export function writeByteText(text: string, into: Uint8Array, offset: number): void {
  for (let i = 0; i < text.length; i++) into[offset + i] = text.charCodeAt(i);
}

/**
 * Text and bytes of the shell. Words are JavaScript strings; streams are bytes. A byte that is not UTF-8 becomes a lone
 * low surrogate (U+DC80 to U+DCFF), as in Python's "surrogateescape" (PEP 383), so that it is written as the same byte
 * again.
 */
import { concat, utf8, type Bytes } from "../../base/bytes.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Decodes UTF-8; each invalid byte becomes a lone surrogate. */
export function decodeText(bytes: Bytes): string {
  try {
    return strict.decode(bytes);
  } catch {
    return decodePieces(bytes);
  }
}

function decodePieces(bytes: Bytes): string {
  const parts: string[] = [];
  let start = 0;
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    if (length > 0) {
      at += length;
      continue;
    }
    if (at > start) parts.push(strict.decode(bytes.subarray(start, at)));
    parts.push(String.fromCharCode(0xdc00 + (bytes[at] ?? 0)));
    at += 1;
    start = at;
  }
  if (at > start) parts.push(strict.decode(bytes.subarray(start, at)));
  return parts.join("");
}

/** The length of the well-formed UTF-8 sequence at `at` (RFC 3629), or 0. */
function sequenceLength(bytes: Bytes, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + length > bytes.length) return 0;
  for (let i = 1; i < length; i++) if (((bytes[at + i] ?? 0) & 0xc0) !== 0x80) return 0;
  const second = bytes[at + 1] ?? 0;
  if (first === 0xe0 && second < 0xa0) return 0;
  if (first === 0xed && second > 0x9f) return 0;
  if (first === 0xf0 && second < 0x90) return 0;
  if (first === 0xf4 && second > 0x8f) return 0;
  return length;
}

const ESCAPED = /[\udc80-\udcff]/;

/** The bytes of a text; escaped bytes come out unchanged. Other lone surrogates become U+FFFD. */
export function encodeText(text: string): Uint8Array<ArrayBuffer> {
  if (!ESCAPED.test(text)) return utf8(text);
  const parts: Uint8Array[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0xd800 && code <= 0xdbff) {
      i += 1;
      continue;
    }
    if (code < 0xdc80 || code > 0xdcff) continue;
    if (i > start) parts.push(utf8(text.slice(start, i)));
    parts.push(Uint8Array.of(code - 0xdc00));
    start = i + 1;
  }
  if (start < text.length) parts.push(utf8(text.slice(start)));
  return concat(parts);
}

/** Bytes given by number, as in `$'\xff'` and `printf '\377'`, as text of the shell. */
export function textOfBytes(bytes: readonly number[]): string {
  return decodeText(Uint8Array.from(bytes));
}

/** A text with one character for each byte that is not ASCII, as the C locale reads it. */
export function byteText(text: string): string {
  if (/^\p{ASCII}*$/u.test(text)) return text;
  return Array.from(encodeText(text), (byte) => String.fromCharCode(byte < 0x80 ? byte : 0xdc00 + byte)).join("");
}

/** Joins escaped bytes that form a character once they are adjacent. */
export function rejoined(text: string): string {
  return ESCAPED.test(text) ? decodeText(encodeText(text)) : text;
}

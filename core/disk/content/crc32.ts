/** CRC-32 as zip and gzip use it (ISO 3309), over any number of pieces. */
import type { Bytes } from "../../base/bytes.ts";

const POLYNOMIAL = 0xedb88320;
const TABLE: Int32Array = Int32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? POLYNOMIAL : 0);
  return remainder;
});

/** Continues a checksum: `before` is that of the bytes before these, 0 if there are none. */
export function crc32(bytes: Bytes, before = 0): number {
  let remainder = ~before;
  for (let i = 0; i < bytes.length; i++) {
    remainder = (remainder >>> 8) ^ (TABLE[(remainder ^ (bytes[i] ?? 0)) & 0xff] ?? 0);
  }
  return ~remainder >>> 0;
}

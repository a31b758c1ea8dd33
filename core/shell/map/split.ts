/** Cutting inputs into chunks. Pure. */
import type { Bytes } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";

export interface Range {
  readonly lo: number;
  readonly hi: number;
}

/** "LO..HI", HI not included. Throws "usage". */
export function parseRange(text: string): Range {
  const match = /^(\d+)\.\.(\d+)$/.exec(text);
  const lo = Number(match?.[1]);
  const hi = Number(match?.[2]);
  if (!(Number.isSafeInteger(hi) && lo < hi)) {
    throw new StarfishError(
      "usage",
      `--range must be LO..HI with whole numbers, LO below HI, like 0..20000000, not '${text}'`,
    );
  }
  return { lo, hi };
}

/** At most `chunks` ranges of nearly equal length that follow each other and cover the whole. */
export function splitRange({ lo, hi }: Range, chunks: number): Range[] {
  const pieces = Math.min(chunks, hi - lo);
  const at = (piece: number): number => lo + Math.round(((hi - lo) / pieces) * piece);
  return Array.from({ length: pieces }, (_, i) => ({ lo: at(i), hi: i === pieces - 1 ? hi : at(i + 1) }));
}

const NEWLINE = 0x0a;

/**
 * Pieces of at most `linesMax` lines and `bytesMax` bytes that together are the whole. A line that is longer is cut after
 * a byte for which `isBreak` holds; one gigantic word is a piece by itself, however long.
 */
export function splitLines(
  bytes: Bytes,
  linesMax: number,
  bytesMax: number,
  isBreak: (byte: number) => boolean,
): Bytes[] {
  const pieces: Bytes[] = [];
  for (let start = 0; start < bytes.length;) {
    let end = start;
    let next = start;
    for (let lines = 0; lines < linesMax && next < bytes.length; lines++) {
      const newline = bytes.indexOf(NEWLINE, next);
      next = newline < 0 ? bytes.length : newline + 1;
      if (next - start > bytesMax) break;
      end = next;
    }
    if (end === start) end = cut(bytes, start, Math.min(bytes.length, start + bytesMax), isBreak);
    pieces.push(bytes.subarray(start, end));
    start = end;
  }
  return pieces;
}

function cut(bytes: Bytes, start: number, limit: number, isBreak: (byte: number) => boolean): number {
  for (let end = limit; end > start; end--) if (isBreak(bytes[end - 1] ?? NEWLINE)) return end;
  let end = limit;
  while (end < bytes.length && !isBreak(bytes[end] ?? NEWLINE)) end++;
  return end;
}

export function isLetter(byte: number): boolean {
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

/** Splits inputs into chunks. Pure. */
import { type Bytes, concat } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { PAYLOAD_BYTES_MAX } from "../../sandbox/limits.ts";

export interface Range {
  readonly lo: number;
  readonly hi: number;
}

/** Parses "LO..HI", without HI. Throws "usage". */
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

/** At most `chunks` consecutive ranges of nearly equal length, which cover the whole. */
export function splitRange({ lo, hi }: Range, chunks: number): Range[] {
  const pieces = Math.min(chunks, hi - lo);
  const at = (piece: number): number => lo + Math.round(((hi - lo) / pieces) * piece);
  return Array.from({ length: pieces }, (_, i) => ({ lo: at(i), hi: i === pieces - 1 ? hi : at(i + 1) }));
}

const NEWLINE = 0x0a;

export interface Cutting {
  /** A piece ends after this many lines, … */
  readonly linesMax: number;
  /** … unless it is still smaller than this. */
  readonly bytesMin: number;
  /** A longer line is cut after a byte for which `isBreak` is true. */
  readonly bytesMax: number;
  readonly isBreak: (byte: number) => boolean;
}

/**
 * Pieces of whole lines, which together are the whole. Reads no further than the next piece needs, so that the consumer
 * bounds what is held. One gigantic word is a piece by itself; rejects with "too-large" if no task could take it.
 */
export async function* chunksOf(
  source: AsyncIterable<Bytes>,
  cutting: Cutting,
): AsyncGenerator<Bytes, void, undefined> {
  let rest: Bytes = new Uint8Array();
  /** This many bytes at the beginning are known to have no place to cut at. */
  let unbroken = 0;
  for await (const part of source) {
    rest = rest.length === 0 ? part : concat([rest, part]);
    for (let end = pieceEnd(rest, cutting, unbroken); end > 0; end = pieceEnd(rest, cutting, 0)) {
      yield rest.slice(0, end);
      rest = rest.subarray(end);
    }
    if (rest.length > PAYLOAD_BYTES_MAX) {
      throw new StarfishError("too-large", `A word of the input is longer than ${PAYLOAD_BYTES_MAX} bytes`);
    }
    unbroken = rest.length > cutting.bytesMax ? rest.length : 0;
    // The source may use its buffer again.
    rest = rest.slice();
  }
  while (rest.length > 0) {
    // The input has ended, so the rest ends here.
    const end = pieceEnd(rest, cutting, unbroken) || rest.length;
    yield rest.slice(0, end);
    rest = rest.subarray(end);
    unbroken = 0;
  }
}

/** The end of the first piece; 0 if that depends on what follows. */
function pieceEnd(bytes: Bytes, cutting: Cutting, unbroken: number): number {
  const { linesMax, bytesMin, bytesMax } = cutting;
  let end = 0;
  for (let lines = 0; lines < linesMax || end < bytesMin; lines++) {
    const newline = bytes.indexOf(NEWLINE, end);
    if (newline < 0 && bytes.length <= bytesMax) return 0;
    const next = newline < 0 ? bytes.length : newline + 1;
    if (next > bytesMax) return end > 0 ? end : cut(bytes, unbroken, cutting);
    end = next;
  }
  return end;
}

/** A place to cut a line that is too long: the last one within the bound, or the first one after it. */
function cut(bytes: Bytes, unbroken: number, { bytesMax, isBreak }: Cutting): number {
  if (unbroken === 0) for (let end = bytesMax; end > 0; end--) if (isBreak(bytes[end - 1] ?? NEWLINE)) return end;
  for (let end = Math.max(unbroken, bytesMax); end < bytes.length; end++)
    if (isBreak(bytes[end] ?? NEWLINE)) return end;
  return 0;
}

export function isLetter(byte: number): boolean {
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

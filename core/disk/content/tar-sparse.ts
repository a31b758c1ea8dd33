/** Sparse files in a tar: runs of bytes that are stored, and the holes between them, which read as zeros. */
import { StarfishError } from "../../base/errors.ts";
import type { BoundedReader } from "./bounded-reader.ts";
import { READ_BYTES, SPARSE_BYTES_MAX, SPARSE_RUNS_MAX } from "./limits.ts";
import { TAR_BLOCK_BYTES } from "./tar-header.ts";

/** Bytes of the file that are stored. */
export interface Run {
  readonly offset: number;
  readonly length: number;
}

export interface SparseMap {
  /** The size of the file, including its holes. */
  readonly sizeBytes: number;
  readonly runs: readonly Run[];
}

/** Throws "malformed" if the runs overlap or do not match the stored bytes, and "too-large". */
export function checkSparse({ sizeBytes, runs }: SparseMap, storedBytes: number): void {
  if (sizeBytes > SPARSE_BYTES_MAX) throw new StarfishError("too-large", `a sparse file of ${sizeBytes} bytes`);
  if (runs.length > SPARSE_RUNS_MAX) throw new StarfishError("too-large", "a sparse file of too many runs");
  let end = 0;
  let sum = 0;
  for (const { offset, length } of runs) {
    if (offset < end) throw new StarfishError("malformed", "a sparse file whose runs overlap");
    end = offset + length;
    sum += length;
  }
  if (end > sizeBytes) throw new StarfishError("malformed", "a sparse file with bytes beyond its end");
  if (sum !== storedBytes) {
    throw new StarfishError("malformed", `a sparse file of ${sum} stored bytes, where the tar has ${storedBytes}`);
  }
}

/** The file. `stored` gives the next bytes that are stored. */
export async function* sparseContent(
  { sizeBytes, runs }: SparseMap,
  stored: (length: number) => AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const { offset, length } of runs) {
    yield* zeros(offset - at);
    yield* stored(length);
    at = offset + length;
  }
  yield* zeros(sizeBytes - at);
}

function* zeros(length: number): Generator<Uint8Array> {
  // A new array each time: the receiver of a chunk may give its memory away.
  for (let done = 0; done < length; done += READ_BYTES) yield new Uint8Array(Math.min(READ_BYTES, length - done));
}

/** The map of form 1.0, which stands before the bytes: decimal numbers, a line each, filled up to a block. */
export async function readSparseMap(reader: BoundedReader, bytesMax: number): Promise<Run[]> {
  const from = reader.pos;
  let digits = "";
  const numbers: number[] = [];
  let wanted = 1;
  while (numbers.length < wanted) {
    if (reader.pos - from + TAR_BLOCK_BYTES > bytesMax) throw damaged();
    for (const byte of await reader.exactly(TAR_BLOCK_BYTES, true)) {
      if (byte !== 0x0a) {
        digits += String.fromCharCode(byte);
        continue;
      }
      numbers.push(decimal(digits));
      digits = "";
      if (numbers.length === 1) wanted = 1 + 2 * Math.min(SPARSE_RUNS_MAX + 1, numbers[0] ?? 0);
      if (numbers.length === wanted) break;
    }
    if (digits.length > TAR_BLOCK_BYTES) throw damaged();
  }
  return runsOf(numbers.slice(1));
}

/** Offset and length in turn. */
export function runsOf(numbers: readonly number[]): Run[] {
  if (numbers.length % 2 !== 0) throw damaged();
  return Array.from({ length: numbers.length / 2 }, (_, i) => ({
    offset: numbers[2 * i] ?? 0,
    length: numbers[2 * i + 1] ?? 0,
  }));
}

export function decimal(digits: string): number {
  const value = /^\d{1,16}$/.test(digits) ? Number(digits) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw damaged();
  return value;
}

function damaged(): StarfishError {
  return new StarfishError("malformed", "a sparse file whose map is damaged");
}

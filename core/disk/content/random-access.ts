/** Bytes that can be read anywhere: a file of the host, a Blob, a file of the disk. Some formats need that. */
import type { Bytes } from "../../base/bytes.ts";
import { StarfishError, throwIfAborted } from "../../base/errors.ts";
import { READ_BYTES } from "./limits.ts";

export interface RandomAccess {
  readonly sizeBytes: number;
  /**
   * `length` bytes from `at` on, or as many as there are. Rejects with StarfishErrors only, so that faults keep their
   * name.
   */
  read(at: number, length: number): Promise<Uint8Array>;
}

/** Exactly `length` bytes from `at` on. Rejects with "malformed" if there are fewer. */
export async function readExactly(source: RandomAccess, at: number, length: number): Promise<Uint8Array> {
  const isWithin = at >= 0 && at + length <= source.sizeBytes;
  const bytes = isWithin ? await source.read(at, length) : new Uint8Array(0);
  if (bytes.length === length) return bytes;
  throw new StarfishError("malformed", `The file is not whole: no ${length} bytes at ${at}`);
}

/** The bytes from `at` on in pieces of `pieceBytes`. Rejects with "malformed" if there are fewer than `length`. */
export async function* readRun(
  source: RandomAccess,
  at: number,
  length: number,
  { pieceBytes = READ_BYTES, signal }: { pieceBytes?: number; signal?: AbortSignal | undefined } = {},
): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < length; done += pieceBytes) {
    throwIfAborted(signal);
    yield await readExactly(source, at + done, Math.min(pieceBytes, length - done));
  }
}

/** Bytes in memory. */
export function bytesAccess(bytes: Bytes): RandomAccess {
  return { sizeBytes: bytes.length, read: async (at, length) => bytes.subarray(at, at + length) };
}

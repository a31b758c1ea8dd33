/** Files of the host as streams, both ways. */
import { throwIfAborted } from "../../base/errors.ts";
import type { CommandContext, HostFile } from "../types.ts";

/** Bytes asked for at once: the way to the host costs a round trip each time. */
const PIECE_BYTES: number = 1024 * 1024;
/** And beyond what the file is said to have, where there mostly is nothing. */
const MORE_BYTES: number = 64 * 1024;

/**
 * All of a file from its beginning to its end, wherever that is: some files say that they have no bytes and have many, as
 * those of /proc. The next piece is on its way while one is used. Closes the file at its end.
 *
 * @param onChanged Called where the file was written to meanwhile, so that its bytes may be those of two versions.
 */
export async function* streamOf(
  file: HostFile,
  signal: AbortSignal,
  onChanged?: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pieceAt = (at: number): Piece => {
    // One byte more than there should be, so that the last piece shows the end by being short.
    const length = at < file.sizeBytes ? Math.min(PIECE_BYTES, file.sizeBytes + 1 - at) : MORE_BYTES;
    const bytes = file.read(at, length);
    // Whoever takes it sees the failure; who leaves early does not want to know.
    bytes.catch(() => {});
    return { at, length, bytes };
  };
  try {
    for (let piece = pieceAt(0); ;) {
      const nextAt = piece.at + piece.length;
      const ahead = nextAt < file.sizeBytes ? pieceAt(nextAt) : undefined;
      throwIfAborted(signal);
      const bytes = await piece.bytes;
      if (bytes.length > 0) yield bytes;
      if (bytes.length < piece.length) break;
      piece = ahead ?? pieceAt(nextAt);
    }
    if (onChanged !== undefined && (await file.isChanged?.()) === true) onChanged();
  } finally {
    await file.close();
  }
}

interface Piece {
  readonly at: number;
  readonly length: number;
  readonly bytes: Promise<Uint8Array>;
}

/** Writes a stream to a file of the host: all of it, or nothing is left there. */
export async function writeToHost(
  path: string,
  source: AsyncIterable<Uint8Array>,
  { host, signal }: CommandContext,
): Promise<void> {
  const writer = await host.createFile(path, { signal });
  try {
    for await (const chunk of source) {
      throwIfAborted(signal);
      await writer.write(chunk);
    }
    await writer.finish();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

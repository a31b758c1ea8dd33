/** Files of the host as streams, in both directions. */
import { throwIfAborted } from "../../base/errors.ts";
import type { CommandContext, HostFile } from "../types.ts";

/** Bytes that are asked for at once, because each call to the host costs a round trip. */
const PIECE_BYTES: number = 1024 * 1024;
/** Bytes asked for beyond the file's stated size, where there are mostly none. */
const MORE_BYTES: number = 64 * 1024;

/**
 * A file from its beginning to its end, wherever that is: some files, as those of /proc, claim to have no bytes and
 * have many. The next piece is read while the caller uses the last one. Closes the file at its end.
 *
 * @param onChanged called if the file was written to meanwhile, so that its bytes may be those of two versions
 */
export async function* streamOf(
  file: HostFile,
  signal: AbortSignal,
  onChanged?: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pieceAt = (at: number): Piece => {
    // One byte more than there should be, so that a short piece shows the end.
    const length = at < file.sizeBytes ? Math.min(PIECE_BYTES, file.sizeBytes + 1 - at) : MORE_BYTES;
    const bytes = file.read(at, length);
    // The consumer sees the failure; a consumer that leaves early does not need to.
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

/** Writes a stream to a file of the host: the whole stream, or no file is left. */
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

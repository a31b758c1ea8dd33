/** Files of the host as streams, both ways. */
import { throwIfAborted } from "../../base/errors.ts";
import { readExactly } from "../../disk/content/random-access.ts";
import type { CommandContext, HostFile } from "../types.ts";

/** Bytes asked for at once: the way to the host costs a round trip each time. */
const PIECE_BYTES: number = 1024 * 1024;

/** All of a file from its beginning, the next piece on its way while one is used. Closes the file at its end. */
export async function* streamOf(file: HostFile, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  const pieceAt = (at: number): Promise<Uint8Array> | undefined => {
    if (at >= file.sizeBytes) return undefined;
    const piece = readExactly(file, at, Math.min(PIECE_BYTES, file.sizeBytes - at));
    // Whoever takes it sees the failure; who leaves early does not want to know.
    piece.catch(() => {});
    return piece;
  };
  try {
    let next = pieceAt(0);
    for (let at = PIECE_BYTES; next !== undefined; at += PIECE_BYTES) {
      const piece = next;
      next = pieceAt(at);
      throwIfAborted(signal);
      yield await piece;
    }
  } finally {
    await file.close();
  }
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

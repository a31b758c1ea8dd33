/** Web streams, which the archive libraries use, as the async iterables of core/. */
import { type ErrorCode, toStarfishError } from "../../base/errors.ts";

/** The chunks of a stream; leaving early cancels it. Errors that have no code of ours get `code`. */
export async function* chunksOf<T>(stream: ReadableStream<T>, code: ErrorCode): AsyncGenerator<T> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const next = await reader.read();
      if (next.done) return;
      yield next.value;
    }
  } catch (error) {
    throw toStarfishError(error, code);
  } finally {
    // A broken stream rejects with what was thrown already.
    await reader.cancel().catch(() => undefined);
  }
}

/**
 * Writes all chunks, with backpressure, and closes the stream; an error of the source aborts it, as "io" if it has no
 * code.
 */
export async function pour(source: AsyncIterable<Uint8Array>, into: WritableStream<Uint8Array>): Promise<void> {
  const writer = into.getWriter();
  try {
    for await (const chunk of source) await writer.write(chunk);
    await writer.close();
  } catch (error) {
    await writer.abort(toStarfishError(error, "io")).catch(() => undefined);
    throw error;
  }
}

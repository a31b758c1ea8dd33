/**
 * The contents that the measurements store: bytes that look random, made from a seed, in chunks like those of a real
 * source.
 */

/** What a file or a socket gives at once, roughly. */
const CHUNK_BYTES: number = 1024 * 1024;

export function contentOf(sizeBytes: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  const words = new Uint32Array(bytes.buffer, 0, sizeBytes >> 2);
  let state = seed;
  for (let i = 0; i < words.length; i++) words[i] = state = Math.imul(state, 1_664_525) + 1_013_904_223;
  return bytes;
}

export async function* sourceOf(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
}

export interface Got {
  /** Milliseconds from the call to the first bytes, and to the last. */
  readonly firstMs: number;
  readonly ms: number;
}

/**
 * Reads all bytes, and fails unless they are the content of that seed; they are compared when the clock has stopped.
 */
export async function timedRead(bytes: AsyncIterable<Uint8Array>, sizeBytes: number, seed: number): Promise<Got> {
  const begin = performance.now();
  let firstMs: number | undefined;
  const pieces: Uint8Array[] = [];
  for await (const piece of bytes) {
    firstMs ??= performance.now() - begin;
    pieces.push(piece);
  }
  const ms = performance.now() - begin;
  if (!Buffer.concat(pieces).equals(contentOf(sizeBytes, seed))) throw new Error("Other bytes than were stored");
  return { firstMs: firstMs ?? ms, ms };
}

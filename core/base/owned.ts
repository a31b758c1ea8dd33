/**
 * The only place where memory is freed by hand. Otherwise buffers wait for a garbage collection, which comes only when
 * many of them have piled up. Where hundreds of megabytes pass through, such buffers are most of a process's memory,
 * and collecting them takes up to a third of its time (bench/transport.ts).
 *
 * A buffer can be freed only if it is owned. It is owned only if the code that allocated it has called `own` with bytes
 * that fill it. So nobody can free a part of a pool, a view of somebody else's bytes, or what a library or a user has
 * given us. Code that passes a part of an owned buffer on to code that may keep it calls `share`; from then on the
 * buffer is left to the garbage collector.
 */
import type { Bytes } from "./bytes.ts";

/** Freeing a smaller buffer by hand gains nothing. */
const OWNED_BYTES_MIN = 16 * 1024;

const owned = new WeakSet<ArrayBufferLike>();

/**
 * States that these bytes have just been allocated and nobody else has a part of their buffer. Does nothing if they do
 * not fill their buffer.
 */
export function own<T extends Bytes>(bytes: T): T {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength >= OWNED_BYTES_MIN && bytes.length === buffer.byteLength) {
    owned.add(buffer);
  }
  return bytes;
}

/** Somebody else has bytes of this buffer now, so it is never freed by hand. */
export function share({ buffer }: Bytes): void {
  owned.delete(buffer);
}

/**
 * Frees the whole buffer of these bytes, if it is owned; then they, and all other arrays over it, have length 0. Only
 * the owner calls it, once nobody who was lent a part needs it any more.
 */
export function release({ buffer }: Bytes): void {
  if (owned.delete(buffer) && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** The same, but only if the bytes fill their buffer: whoever has a part can't speak for the other parts. */
export function releaseWhole(bytes: Bytes): void {
  if (bytes.length === bytes.buffer.byteLength) release(bytes);
}

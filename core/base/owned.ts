/**
 * The only place where memory is given back by hand. By themselves buffers wait for a collection, which comes only when many
 * of them have piled up: where hundreds of megabytes pass through they are most of a process's memory, and collecting them up
 * to a third of its time (bench/transport.ts).
 *
 * A buffer can be given back only if it is owned, and it is owned only if whoever allocated it has said so, of bytes that are
 * all of it. So what is cut out of a pool, a view of somebody else's bytes, and what a library or a user has given us stays
 * as it is, whoever asks. Who passes a part of an owned buffer on to somebody with a life of its own says `share`; from then
 * on it is left to the collector.
 */
import type { Bytes } from "./bytes.ts";

/** Below this there is nothing to win. */
const OWNED_BYTES_MIN = 16 * 1024;

const owned = new WeakSet<ArrayBufferLike>();

/** Says of bytes just allocated that nobody else has any of their buffer. Where that can't be so, it does nothing. */
export function own<T extends Bytes>(bytes: T): T {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength >= OWNED_BYTES_MIN && bytes.length === buffer.byteLength) {
    owned.add(buffer);
  }
  return bytes;
}

/** Somebody else has bytes of this buffer now: it is never given back by hand. */
export function share({ buffer }: Bytes): void {
  owned.delete(buffer);
}

/**
 * Gives the whole buffer that these bytes lie in back now, if it is owned; they and all other bytes of it have length 0 then.
 * Only the owner calls it, when nobody who was lent a part still needs it.
 */
export function release({ buffer }: Bytes): void {
  if (owned.delete(buffer) && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** The same, where the bytes are all of their buffer: a part says nothing about the others. */
export function releaseWhole(bytes: Bytes): void {
  if (bytes.length === bytes.buffer.byteLength) release(bytes);
}

/** SHA-256 by OpenSSL, some ten times as fast as in JavaScript. */
import { hash } from "node:crypto";
import type { Bytes } from "../core/base/bytes.ts";
import { sha256All, webSha256 } from "../core/platform/sha256.ts";

/** Up to here a hash takes less time than asking another thread for it. */
export const SMALL_BYTES_MAX: number = 16 * 1024;

/** On this thread. */
export function nodeSha256(message: Bytes): Uint8Array {
  // A copy, because Node's Buffers are not what tabs have: their `slice` shares memory.
  return new Uint8Array(hash("sha256", message, "buffer"));
}

/** Large ones on other threads. */
export function nodeSha256All(pieces: readonly Bytes[]): Promise<Uint8Array[]> {
  return sha256All(pieces, (piece) => (piece.length <= SMALL_BYTES_MAX ? nodeSha256(piece) : webSha256(piece)));
}

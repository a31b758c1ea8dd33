/** SHA-256 of many pieces by WebCrypto, which has threads of its own for them, in tabs and in Node. */
import type { Bytes } from "../base/bytes.ts";

/** Pieces under way at once: WebCrypto copies each, and has no use for many more than there are cores. */
const IN_FLIGHT_MAX = 8;

/** By WebCrypto: in tabs faster than JavaScript for any length. There is none on pages without a secure context. */
export async function webSha256(message: Bytes): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", message as Uint8Array<ArrayBuffer>));
}

/** The hashes in the order of the pieces, which must not change until it resolves. */
export async function sha256All(
  pieces: readonly Bytes[],
  sha256: (message: Bytes) => Uint8Array | Promise<Uint8Array> = webSha256,
): Promise<Uint8Array[]> {
  const hashes: Uint8Array[] = [];
  const ahead = pieces.entries();
  async function next(): Promise<void> {
    for (const [i, piece] of ahead) hashes[i] = await sha256(piece);
  }
  await Promise.all(Array.from({ length: Math.min(IN_FLIGHT_MAX, pieces.length) }, next));
  return hashes;
}

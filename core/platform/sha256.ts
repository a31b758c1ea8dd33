/** SHA-256 of many pieces by WebCrypto, which has threads of its own for them, in tabs and in Node. */
import { sha256 as plainSha256 } from "@noble/hashes/sha2.js";
import type { Bytes } from "../base/bytes.ts";

/** Pieces under way at once: WebCrypto copies each, and has no use for many more than there are cores. */
const IN_FLIGHT_MAX = 8;

/** The types say that it is there; pages that came unprotected (plain http from another machine) have none. */
const subtle: SubtleCrypto | undefined = crypto.subtle;

/** By WebCrypto, in tabs faster than JavaScript for any length; without it by JavaScript (52 MB/s). */
export const webSha256: (message: Bytes) => Promise<Uint8Array> =
  subtle === undefined
    ? (message) => Promise.resolve(plainSha256(message))
    : async (message) => new Uint8Array(await subtle.digest("SHA-256", message as Uint8Array<ArrayBuffer>));

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

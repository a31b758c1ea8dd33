/** SHA-256 of many pieces by WebCrypto, which hashes on threads of its own, in tabs and in Node.js. */
import { sha256 as plainSha256 } from "@noble/hashes/sha2.js";
import type { Bytes } from "../base/bytes.ts";

/** Pieces under way at once. WebCrypto copies each, and can't use many more than there are cores. */
const IN_FLIGHT_MAX = 8;

/**
 * The types claim that it is always there; pages that came unprotected (plain http from another machine) do not have
 * it.
 */
const subtle: SubtleCrypto | undefined = crypto.subtle;

/** By WebCrypto, which in tabs is faster than JavaScript for any length; without it in JavaScript (52 MB/s). */
export const webSha256: (message: Bytes) => Promise<Uint8Array> =
  subtle === undefined
    ? (message) => Promise.resolve(plainSha256(message))
    : async (message) => new Uint8Array(await subtle.digest("SHA-256", message as Uint8Array<ArrayBuffer>));

/** The hashes, in the order of the pieces. The pieces must not change until it resolves. */
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

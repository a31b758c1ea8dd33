/** SHA-256 of pieces on this thread, a leaf at once, for occasional commands. */
import type { Hash } from "../../disk/content/block.ts";
import type { Crypto } from "../../ports/crypto.ts";

export function hashOf(crypto: Crypto): Hash {
  return async (pieces) => pieces.map((piece) => crypto.sha256(piece));
}

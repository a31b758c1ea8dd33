/**
 * A signature that was once found right is not verified again. Every member of a swarm shows the same delegation, and a
 * member's certificate comes with its hello and again with its record. A verification costs 100 times a hash.
 */
import { concat, toHex } from "../../base/bytes.ts";
import type { Crypto } from "../../ports/crypto.ts";
import { VERIFIED_MAX } from "../limits.ts";

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** The same cryptography with a cache of valid signatures. Invalid ones are never cached, so nobody can plant any. */
export function rememberVerified(crypto: Crypto): Crypto {
  const verified = new Set<string>();
  return {
    keyPair: (seed) => crypto.keyPair(seed),
    sign: (privateKey, message) => crypto.sign(privateKey, message),
    verify(publicKey, message, signature) {
      // Both have a fixed length, so that the hashed bytes can be read in only one way.
      if (publicKey.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
      const key = toHex(crypto.sha256(concat([publicKey, signature, message])));
      const isRight = verified.delete(key) || crypto.verify(publicKey, message, signature);
      if (isRight) verified.add(key);
      const [oldest] = verified;
      if (oldest !== undefined && verified.size > VERIFIED_MAX) verified.delete(oldest);
      return isRight;
    },
    sha256: (message) => crypto.sha256(message),
    derive: (secret, purpose, length) => crypto.derive(secret, purpose, length),
    seal: (key, nonce, plaintext, associated) => crypto.seal(key, nonce, plaintext, associated),
    open: (key, nonce, sealed, associated) => crypto.open(key, nonce, sealed, associated),
  };
}

/**
 * Real cryptography by the audited noble libraries. It is the same in tabs and in Node.js, and needs no secure context.
 */
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { ed25519 } from "@noble/curves/ed25519.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8 } from "../base/bytes.ts";
import type { Crypto } from "../ports/crypto.ts";

export const realCrypto: Crypto = {
  keyPair: (seed) => ({ publicKey: ed25519.getPublicKey(seed), privateKey: Uint8Array.from(seed) }),

  sign: (privateKey, message) => ed25519.sign(message, privateKey),

  verify(publicKey, message, signature) {
    try {
      // RFC 8032 verification, which refuses points of small order and encodings that are not canonical.
      return ed25519.verify(signature, message, publicKey, { zip215: false });
    } catch {
      return false;
    }
  },

  sha256: (message) => sha256(message),

  derive: (secret, purpose, length) => hkdf(sha256, secret, undefined, utf8(purpose), length),

  seal: (key, nonce, plaintext, associated) => xchacha20poly1305(key, nonce, associated).encrypt(plaintext),

  open(key, nonce, sealed, associated) {
    const cipher = xchacha20poly1305(key, nonce, associated);
    try {
      return cipher.decrypt(sealed);
    } catch {
      return undefined;
    }
  },
};

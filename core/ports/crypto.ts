/**
 * Cryptography for small inputs (up to about 64 KiB). It is synchronous on purpose: WebCrypto is slower for them, and
 * answers in an order that no simulation could repeat. Bulk hashing of contents is not the task of this port.
 */
import type { Bytes } from "../base/bytes.ts";

export interface KeyPair {
  /** Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Ed25519 seed (RFC 8032 private key), 32 bytes. */
  readonly privateKey: Uint8Array;
}

export interface Crypto {
  /** The key pair that belongs to a 32-byte seed. */
  keyPair(seed: Bytes): KeyPair;
  /** Ed25519 signature, 64 bytes. */
  sign(privateKey: Bytes, message: Bytes): Uint8Array;
  /** False for an invalid signature or key of any shape; never throws. */
  verify(publicKey: Bytes, message: Bytes, signature: Bytes): boolean;
  /** SHA-256, 32 bytes. */
  sha256(message: Bytes): Uint8Array;
  /** HKDF-SHA-256 (RFC 5869) of a secret for one purpose, `length` bytes. */
  derive(secret: Bytes, purpose: string, length: number): Uint8Array;
  /** XChaCha20-Poly1305: key 32 bytes, nonce 24 bytes (random is safe); the result is 16 bytes longer. */
  seal(key: Bytes, nonce: Bytes, plaintext: Bytes, associated: Bytes): Uint8Array;
  /** The plaintext, or undefined if it was not sealed with this key, nonce and associated data. */
  open(key: Bytes, nonce: Bytes, sealed: Bytes, associated: Bytes): Uint8Array | undefined;
}

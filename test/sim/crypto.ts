/**
 * Ideal cryptography: signatures and seals that really check, and are cheap enough for hundreds of nodes. A signature
 * is a keyed hash under a key that only the simulated universe knows, so that no node can make one without the private
 * key. Hashes of contents are real SHA-256, so that names made of them are the same as outside.
 */
import { hash } from "node:crypto";
import { type Bytes, equal } from "../../core/base/bytes.ts";
import type { Crypto, KeyPair } from "../../core/ports/crypto.ts";
import { Mixer } from "./mixer.ts";

const KEY_BYTES = 32;
const NONCE_BYTES = 24;
const SIGNATURE_BYTES = 64;
const TAG_BYTES = 16;

/** Keeps the uses of the hash apart. */
const USE = { publicKey: 1, signature: 2, derive: 3, stream: 4, tag: 5 } as const;

export class IdealCrypto implements Crypto {
  readonly #universe: Mixer;

  constructor(seed: string) {
    this.#universe = new Mixer().text(seed);
  }

  keyPair(seed: Bytes): KeyPair {
    if (seed.length !== KEY_BYTES) throw new RangeError(`A private key has ${KEY_BYTES} bytes, not ${seed.length}`);
    return { publicKey: this.#mixer(USE.publicKey).bytes(seed).digest(KEY_BYTES), privateKey: seed.slice() };
  }

  sign(privateKey: Bytes, message: Bytes): Uint8Array {
    return this.#signature(this.keyPair(privateKey).publicKey, message);
  }

  verify(publicKey: Bytes, message: Bytes, signature: Bytes): boolean {
    return equal(signature, this.#signature(publicKey, message));
  }

  sha256(message: Bytes): Uint8Array {
    return new Uint8Array(hash("sha256", message, "buffer"));
  }

  derive(secret: Bytes, purpose: string, length: number): Uint8Array {
    return this.#mixer(USE.derive).bytes(secret).text(purpose).digest(length);
  }

  seal(key: Bytes, nonce: Bytes, plaintext: Bytes, associated: Bytes): Uint8Array {
    checkKey(key, nonce);
    const sealed = new Uint8Array(plaintext.length + TAG_BYTES);
    this.#cipher(key, nonce, plaintext, sealed);
    sealed.set(this.#tag(key, nonce, sealed.subarray(0, plaintext.length), associated), plaintext.length);
    return sealed;
  }

  open(key: Bytes, nonce: Bytes, sealed: Bytes, associated: Bytes): Uint8Array | undefined {
    checkKey(key, nonce);
    const length = sealed.length - TAG_BYTES;
    if (length < 0) return undefined;
    const ciphertext = sealed.subarray(0, length);
    if (!equal(sealed.subarray(length), this.#tag(key, nonce, ciphertext, associated))) return undefined;
    const plaintext = new Uint8Array(length);
    this.#cipher(key, nonce, ciphertext, plaintext);
    return plaintext;
  }

  #mixer(use: number): Mixer {
    return this.#universe.fork().word(use);
  }

  #signature(publicKey: Bytes, message: Bytes): Uint8Array {
    return this.#mixer(USE.signature).bytes(publicKey).bytes(message).digest(SIGNATURE_BYTES);
  }

  #tag(key: Bytes, nonce: Bytes, ciphertext: Bytes, associated: Bytes): Uint8Array {
    return this.#mixer(USE.tag).bytes(key).bytes(nonce).bytes(ciphertext).bytes(associated).digest(TAG_BYTES);
  }

  /** Encrypts or decrypts (the same) `from` into the beginning of `into`. A linear stream is enough to hide content. */
  #cipher(key: Bytes, nonce: Bytes, from: Bytes, into: Uint8Array): void {
    const mixer = this.#mixer(USE.stream).bytes(key).bytes(nonce);
    let state = mixer.next() | 1;
    for (let i = 0; i < from.length; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      into[i] = (from[i] ?? 0) ^ state;
    }
  }
}

function checkKey(key: Bytes, nonce: Bytes): void {
  if (key.length !== KEY_BYTES) throw new RangeError(`A sealing key has ${KEY_BYTES} bytes, not ${key.length}`);
  if (nonce.length !== NONCE_BYTES) throw new RangeError(`A nonce has ${NONCE_BYTES} bytes, not ${nonce.length}`);
}

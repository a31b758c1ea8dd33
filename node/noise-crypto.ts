/**
 * Noise's ciphers with OpenSSL. The library uses OpenSSL too, but passes the key as bytes, so Node.js makes a key
 * object for every record: that takes half of the time of a record of 1 KiB. Here the object is made once for each
 * direction of a connection.
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from "node:crypto";
import { defaultCrypto } from "@libp2p/noise/crypto";
import { Uint8ArrayList } from "uint8arraylist";
import type { NoiseCrypto } from "../core/transport/noise.ts";

const CIPHER = "chacha20-poly1305";
const TAG_BYTES = 16;
const TAG: { readonly authTagLength: number } = { authTagLength: TAG_BYTES };

/** By the library's own key, which lives as long as its direction. */
const keys = new WeakMap<Uint8Array, KeyObject>();

function keyOf(bytes: Uint8Array): KeyObject {
  let key = keys.get(bytes);
  if (key === undefined) keys.set(bytes, (key = createSecretKey(bytes)));
  return key;
}

/** The pieces of bytes, whichever way they are given. */
function piecesOf(bytes: Uint8Array | Uint8ArrayList): Iterable<Uint8Array> {
  return bytes instanceof Uint8Array ? [bytes] : bytes;
}

export const nodeNoiseCrypto: NoiseCrypto = {
  ...defaultCrypto,

  chaCha20Poly1305Encrypt(plaintext, nonce, additional, key) {
    const cipher = createCipheriv(CIPHER, keyOf(key), nonce, TAG);
    cipher.setAAD(additional, { plaintextLength: plaintext.byteLength });
    const record = new Uint8ArrayList();
    for (const piece of piecesOf(plaintext)) record.append(cipher.update(piece));
    cipher.final();
    record.append(cipher.getAuthTag());
    return record;
  },

  chaCha20Poly1305Decrypt(record, nonce, additional, key) {
    const end = record.byteLength - TAG_BYTES;
    const text = record instanceof Uint8Array ? record.subarray(0, end) : record.sublist(0, end);
    const decipher = createDecipheriv(CIPHER, keyOf(key), nonce, TAG);
    decipher.setAAD(additional, { plaintextLength: end });
    decipher.setAuthTag(record.subarray(end));
    const plaintext = new Uint8ArrayList();
    for (const piece of piecesOf(text)) plaintext.append(decipher.update(piece));
    // Throws if the tag is wrong.
    decipher.final();
    return plaintext;
  },
};

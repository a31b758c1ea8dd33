/**
 * Seals streams to their readers, in the format of age (https://age-encryption.org/v1). Whoever has one of the private
 * keys can read a stream; everybody else learns only its length. Opening detects changes and truncation. It does not
 * prove who sealed the stream.
 */
import type { Bytes } from "../base/bytes.ts";

/** Readers of one stream. */
export const AGE_RECIPIENTS_MAX = 64;
/**
 * The longest header of a stream, with about 100 bytes for each reader. A stream whose header does not end before is
 * refused.
 */
export const AGE_HEADER_BYTES_MAX: number = 16 * 1024;

export interface Age {
  /** The X25519 public key of 32 secret bytes. */
  publicKey(secret: Bytes): Uint8Array;
  /**
   * Seals the source piece by piece, as it is read; leaving the loop early closes the source. Rejects with the error of
   * the source, and with "malformed" if a public key is invalid.
   */
  seal(source: AsyncIterable<Bytes>, readers: readonly Bytes[]): AsyncIterable<Uint8Array>;
  /**
   * Opens a sealed stream; each piece is checked before it is given. Rejects with "malformed" if none of the secrets
   * opens it or it was changed, and with the error of the source.
   */
  open(sealed: AsyncIterable<Bytes>, secrets: readonly Bytes[]): AsyncIterable<Uint8Array>;
}

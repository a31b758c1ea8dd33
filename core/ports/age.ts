/**
 * Sealing of streams to those who may read them, in the format of age (https://age-encryption.org/v1): whoever has one of the
 * private keys reads it, and nobody else learns more than its length. What was changed or cut short is found out when it is
 * opened; who sealed it is not proven.
 */
import type { Bytes } from "../base/bytes.ts";

/** Readers of one stream. */
export const AGE_RECIPIENTS_MAX = 64;
/** What stands before the content at the most: of each reader about 100 bytes. A stream that has no end of it is refused. */
export const AGE_HEADER_BYTES_MAX: number = 16 * 1024;

export interface Age {
  /** The X25519 public key of 32 secret bytes. */
  publicKey(secret: Bytes): Uint8Array;
  /**
   * The source, sealed, piece by piece as it is read; leaving early closes the source. Rejects with what the source rejects
   * with, and "malformed" where a public key is none.
   */
  seal(source: AsyncIterable<Bytes>, readers: readonly Bytes[]): AsyncIterable<Uint8Array>;
  /**
   * What was sealed, each piece checked before it is given. Rejects with "malformed" where none of the secrets opens it, or
   * it has been changed; with what the source rejects with.
   */
  open(sealed: AsyncIterable<Bytes>, secrets: readonly Bytes[]): AsyncIterable<Uint8Array>;
}

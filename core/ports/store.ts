/** A node's own small, durable key-value store (identity, certificates, settings): IndexedDB, files or memory. */
import { type Bytes, utf8 } from "../base/bytes.ts";
import { StarfishError } from "../base/errors.ts";

/** The longest key in UTF-8 bytes: its hex file name must stay below the 255 bytes that file systems allow. */
export const STORE_KEY_BYTES_MAX: number = 100;

/**
 * Keys are well-formed text of at most STORE_KEY_BYTES_MAX bytes in UTF-8; other keys are refused ("too-large",
 * "malformed"). After disposal every call rejects with "closed".
 */
export interface Store extends AsyncDisposable {
  /** The value as it was last set, or undefined. */
  get(key: string): Promise<Uint8Array | undefined>;
  /**
   * Durable when it resolves; a crash leaves the old value or the new one. Rejects with "io" (disk full, no
   * permission).
   */
  set(key: string, value: Bytes): Promise<void>;
  /** Deletes the key, if there is one. */
  delete(key: string): Promise<void>;
  /** The keys that begin with `prefix`, sorted by UTF-16 units. */
  keys(prefix: string): Promise<string[]>;
  /**
   * Rejects with "io" if nothing new can be stored now: the disk is full, or somebody has removed the storage. Absent
   * if only a write can find that out.
   */
  check?(): Promise<void>;
}

/** Checks a key for any adapter. Throws "too-large", or "malformed" for half a surrogate pair. */
export function checkKey(key: string): void {
  if (!key.isWellFormed()) throw new StarfishError("malformed", "A store key is well-formed Unicode");
  if (key.length > STORE_KEY_BYTES_MAX || utf8(key).length > STORE_KEY_BYTES_MAX) {
    throw new StarfishError("too-large", `A store key has at most ${STORE_KEY_BYTES_MAX} bytes`);
  }
}

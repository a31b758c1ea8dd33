/** A node's own small, durable key-value store (identity, certificates, settings). IndexedDB, files or memory. */
import type { Bytes } from "../base/bytes.ts";

/** Longest key in UTF-8 bytes: a hex file name of it must stay under the 255 bytes that file systems allow. */
export const STORE_KEY_BYTES_MAX = 100;

export interface Store extends AsyncDisposable {
  /** The value as it was last set, or undefined. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** Durable when it resolves; a crash leaves the old value or the new one. Rejects with "io" (disk full, no permission). */
  set(key: string, value: Bytes): Promise<void>;
  /** Deleting what is not there is fine. */
  delete(key: string): Promise<void>;
  /** The keys that begin with `prefix`, sorted by UTF-16 units. */
  keys(prefix: string): Promise<string[]>;
}

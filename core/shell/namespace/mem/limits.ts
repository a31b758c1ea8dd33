/** Bounds of /mem, each with its reason. */

/** Bytes of a value of the shared memory as CBOR; text or bytes of this length take a few more. */
export const VALUE_BYTES_MAX: number = 64 * 1024;
/** UTF-8 bytes of a key. */
export const KEY_BYTES_MAX = 1_024;
/** Names in one directory. A listing is an array in memory, and for more names a prefix is better. */
export const LISTED_MAX = 65_536;
/** Keys that are walked through in one turn of the thread: some milliseconds. */
export const KEYS_A_TURN = 4_096;
/** Empty directories that a session has made; only the session itself sees them. */
export const MADE_MAX = 1_024;

/** Bounds of /mem, each with its reason. */

/** A value of the shared memory has at most so many bytes as CBOR, of which text or bytes of this length take a few. */
export const VALUE_BYTES_MAX: number = 64 * 1024;
/** UTF-8 bytes of a key. */
export const KEY_BYTES_MAX = 1_024;
/** Names in one directory. A listing is an array in memory, and a person or a program that reads more wants a prefix. */
export const LISTED_MAX = 65_536;
/** Keys that are gone through in one turn of the thread: some milliseconds. */
export const KEYS_A_TURN = 4_096;
/** Empty directories that a session has made; they are nowhere but in it. */
export const MADE_MAX = 1_024;

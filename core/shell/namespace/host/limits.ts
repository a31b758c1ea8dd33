/** Bounds of /host, each with its reason. */

/** Bytes that are asked for at once, because each call to the user's machine costs a round trip. */
export const PIECE_BYTES: number = 1024 * 1024;
/** How long a listing is used for what is in a directory: copying a tree looks at each of its files. */
export const LISTING_MS = 1_000;
/** Picked files that stay open to the session; the oldest are dropped. */
export const PICKED_MAX = 4_096;

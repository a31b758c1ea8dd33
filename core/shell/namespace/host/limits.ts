/** Bounds of /host, each with its reason. */

/** Bytes asked for at once: the way to the person's machine costs a round trip each time. */
export const PIECE_BYTES: number = 1024 * 1024;
/** How long a listing answers for what is in a directory: a copy of a tree looks at each of its files. */
export const LISTING_MS = 1_000;
/** Files that a person has picked and that stay open to the session; the first ones go. */
export const PICKED_MAX = 4_096;

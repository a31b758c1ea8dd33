/** The bounds of what compares and changes texts, each with the reason for its value. */

/** Bytes of one text that diff compares or patch changes: both are held whole, as lines; ten times a large source file. */
export const TEXT_BYTES_MAX: number = 32 * 1024 * 1024;
/** Lines added and removed that are searched for at once: time and memory grow with the square of it (about 100 MB). */
export const EDITS_MAX = 1_000;
/** Bytes at a file's beginning that say whether it is text, as GNU diff looks at its first block. */
export const BINARY_LOOK_BYTES: number = 32 * 1024;
/** Directories within directories that diff and du go down: the longest path of Linux has 2,048. */
export const LEVELS_MAX = 2_048;

/** The bounds of commands that compare and change texts, each with its reason. */

/**
 * Bytes of a text that diff compares or patch changes, since both are held whole, as lines: ten times a large source
 * file.
 */
export const TEXT_BYTES_MAX: number = 32 * 1024 * 1024;
/** Added and removed lines that are searched for at once: time and memory grow with its square (about 100 MB). */
export const EDITS_MAX = 1_000;
/** Bytes at the beginning of a file that decide whether it is text, as in GNU diff, which looks at the first block. */
export const BINARY_LOOK_BYTES: number = 32 * 1024;
/** How deep diff and du go into directories: the longest path of Linux has 2,048 levels. */
export const LEVELS_MAX = 2_048;

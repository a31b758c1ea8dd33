/** Every bound of the files in one place, each with the reason for its value. */

/** Content of at most this many bytes is stored in its entry, and so on every node: its shards would be tiny. */
export const INLINE_BYTES_MAX = 4_096;
/**
 * Longest path in UTF-8 bytes: the longest key of the map, minus two separators, the kind, and the version of a moved
 * file.
 */
export const PATH_BYTES_MAX = 976;
/** Memory that the tree may take, with 96 bytes for each entry: enough for three times 100,000 files of 1 KiB. */
export const TREE_BYTES_MAX: number = 384 * 1024 * 1024;
/** How long overwritten and removed files can be brought back. */
export const VERSION_KEEP_MS: number = 7 * 24 * 3_600_000;
/** Share of the tree's memory that entries of earlier versions may take. */
export const VERSION_ENTRIES_SHARE = 0.25;
/** The share of the space for contents that contents of earlier versions may take. */
export const VERSION_CONTENT_SHARE = 0.25;
/** Bytes that a byte of content costs in all devices together, in a swarm of four or more. */
export const REDUNDANCY = 4.5;
/**
 * When one of these shares is used up, the oldest versions are removed until only this part of it is used, instead of
 * one version at each write.
 */
export const VERSION_TRIM = 0.9;
/**
 * Living versions of one name, which are shown beside each other: enough for a swarm that was cut into 64 parts.
 * Further ones, the earliest, are set aside until some of the others go; `versions` shows them all the same.
 */
export const LIVING_VERSIONS_MAX = 64;
/**
 * By how much the stamp in a key may exceed that of its entry. In entries of this program's version it never does.
 * Earlier versions took the two stamps from different clocks, a few counts apart.
 */
export const KEY_AHEAD_MS_MAX = 1_000;
/** Entries that are moved out of the way in one batch. */
export const RETIRED_AT_ONCE = 128;
/** Letters of a node's name in an entry; names are shorter. */
export const BY_CHARS_MAX = 64;
/** Paths that a node keeps whole: a person has named each. */
export const KEPT_PATHS_MAX = 1_024;

/** Every bound and size of content in one place, each with the reason for its value. */

// What gives a file its CID: the values are those of `ipfs add --cid-version=1`; others would give other CIDs.

/** Bytes of content in one leaf; only the last leaf of a file is shorter. */
export const LEAF_BYTES = 262_144;
/** Children of an inner node; only the last node of a level has fewer. */
export const LINKS_PER_NODE = 174;
/** Bytes of a SHA-256 digest. */
export const DIGEST_BYTES = 32;

// Hashing ahead

/** Bytes given to the hash in one call: four leaves, so that crossing to another thread costs next to nothing. */
export const HASH_BATCH_BYTES: number = 4 * LEAF_BYTES;
/** Blocks in one call, for content that is made of tiny blocks. */
export const HASH_BATCH_BLOCKS_MAX = 64;
/** Calls under way at once: they keep a few cores busy, and at most 4 MiB wait for them. */
export const HASH_BATCHES_IN_FLIGHT = 4;
/**
 * Inner nodes of a file made and hashed in one go: each names 174 children, and eight take a page's thread some 10 ms.
 */
export const DAG_BATCH_NODES = 8;

// Blocks of others

/** Largest block that is read. IPFS's tools make and carry blocks of up to 2 MiB; their envelopes come on top. */
export const BLOCK_BYTES_MAX: number = 4 * 1024 * 1024;
/** Bytes of blocks passed in a CAR that is read as a stream, kept in case they are asked for later. */
export const CAR_WINDOW_BYTES: number = 32 * 1024 * 1024;
/** Blocks in a CAR that is read as a file: an index of about 200 MB; at 256 KiB each they hold 256 GiB. */
export const CAR_BLOCKS_MAX = 1_000_000;
/** Bytes that are read at once from a random-access source. */
export const READ_BYTES = 262_144;
/** Levels of inner nodes in one file: a balanced file with two links a node would have 2^48 leaves. */
export const FILE_LEVELS_MAX = 48;
/** Folders and files in a CAR's folder: ten times the largest that a person would keep here. */
export const FOLDER_ENTRIES_MAX = 1_000_000;
/** Folders within folders, and levels of a sharded folder: the longest path of Linux has 2,048. */
export const FOLDER_LEVELS_MAX = 2_048;

// Archives

/** Bytes given to the inflater at once: at most 1,032 times as many come out in one go. */
export const INFLATE_BYTES = 16_384;
/** Longest path in an archive, as in Linux. */
export const PATH_BYTES_MAX = 4_096;
/** Bytes given to the deflater at once: a page's thread is busy with them for some 2 ms. */
export const DEFLATE_BYTES = 65_536;
/** Bytes of a file that are deflated to see whether it shrinks, in some 6 ms; files up to this are measured whole. */
export const ZIP_PROBE_BYTES = 262_144;
/**
 * Entries in a zip that is read: its directory is read in pieces, so more would work, but would hardly be meant. And
 * in one that is written: its directory, of some 150 bytes an entry, is in memory until the end. Tar has no limit.
 */
export const ZIP_ENTRIES_MAX = 1_000_000;
/**
 * Bytes of an extended header in a tar: names and rights of one file. Solaris' and Apple's writers come to some 100 KB.
 */
export const TAR_EXTENDED_BYTES_MAX: number = 1024 * 1024;
/** Bytes that are searched for another tar after a tar's end: all writers fill the last record with fewer. */
export const TAR_FILLING_BYTES_MAX: number = 1024 * 1024;
/** Runs of bytes in a sparse file: 16 MB of memory. */
export const SPARSE_RUNS_MAX = 1_000_000;
/** Length of a sparse file: its holes cost the archive nothing, so that a few bytes could ask for exabytes of zeros. */
export const SPARSE_BYTES_MAX: number = 2 ** 40;

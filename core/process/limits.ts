/** Bounds of programs. A program meets one of these before the node suffers. */

/** A module's file: the largest known ones (Python, PHP, Ruby with their libraries) have 20 to 60 MB. */
export const PROGRAM_BYTES_MAX: number = 128 * 1024 * 1024;
/** Memory of one program unless told otherwise. */
export const MEMORY_BYTES_MAX: number = 256 * 1024 * 1024;
/**
 * Compiled modules that a session keeps, counted by the bytes of their files; compiled code takes about four times
 * that.
 */
export const MODULES_BYTES_MAX: number = 128 * 1024 * 1024;
/** Programs of one session at once; each has its own stack and memory. */
export const PROGRAMS_MAX = 256;
/** Open descriptors of one program, like `ulimit -n`. */
export const DESCRIPTORS_MAX = 1024;
/** A piece of a stream on its way between the threads: large enough that the two seldom wait for each other. */
export const PIECE_BYTES: number = 256 * 1024;
/**
 * Bytes of a pipe that are read ahead on each side: the thread asks for more when it has less than these, and the node
 * has as many ready. Waking the other thread takes as long as copying 100 KB.
 */
export const STREAM_AHEAD_BYTES: number = 512 * 1024;
/** The memory of pieces from this size on is used again; smaller ones are not worth it. */
export const REUSED_BYTES_MIN: number = 16 * 1024;
/** Pieces that a program may write before it waits for the first to be taken. */
export const PIECES_IN_FLIGHT_MAX = 8;
/** Output to anything but a terminal is collected for this long while a program goes on writing, ms. */
export const COLLECT_MS = 10;
/** Bytes of a file that are read at once, ahead of what was asked for. */
export const READ_AHEAD_BYTES: number = 256 * 1024;
/** The length of a path, as on Linux. */
export const PATH_BYTES_MAX = 4096;
/** Symbolic links followed in one path, as on Linux. */
export const LINKS_MAX = 40;
/** Bytes of all files of a session that are changed in the middle; these are held in memory until they are closed. */
export const SCRATCH_BYTES_MAX: number = 256 * 1024 * 1024;
/**
 * A program that does not end within this time after it was told to is assumed to loop, and its thread is ended, ms.
 */
export const END_GRACE_MS = 50;
/** Subscriptions of one poll. */
export const SUBSCRIPTIONS_MAX = 1024;
/** Entries of one directory that a program is given. */
export const ENTRIES_MAX = 100_000;
/** A thread without programs is ended after this time, ms. */
export const IDLE_MS = 30_000;

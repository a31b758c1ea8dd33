/** Bounds of programs. Whatever a program does, it meets one of these before the node suffers. */

/** A module's file: the largest of the field (Python, PHP, Ruby with their libraries) have 20 to 60 MB. */
export const PROGRAM_BYTES_MAX: number = 128 * 1024 * 1024;
/** Memory of one program unless told otherwise. */
export const MEMORY_BYTES_MAX: number = 256 * 1024 * 1024;
/** Compiled modules that a session keeps, counted by the bytes of their files; code is some four times that. */
export const MODULES_BYTES_MAX: number = 128 * 1024 * 1024;
/** Programs of one session at once; each has a stack and a memory of its own. */
export const PROGRAMS_MAX = 256;
/** Open descriptors of one program, as `ulimit -n` has it. */
export const DESCRIPTORS_MAX = 1024;
/** A piece of a stream on its way between the threads: so much that the two need not wait for each other all the time. */
export const PIECE_BYTES: number = 256 * 1024;
/** Pieces that a program may have written before it waits for the first to be taken. */
export const PIECES_IN_FLIGHT_MAX = 4;
/** Output that is no terminal's is collected for so long while a program goes on writing, ms. */
export const COLLECT_MS = 10;
/** What is read of a file at once, ahead of what was asked for. */
export const READ_AHEAD_BYTES: number = 256 * 1024;
/** A path, as Linux has it. */
export const PATH_BYTES_MAX = 4096;
/** Symbolic links on one way, as Linux has it. */
export const LINKS_MAX = 40;
/** Bytes of all files of a session that are changed in the middle, which are held in memory until they are closed. */
export const SCRATCH_BYTES_MAX: number = 256 * 1024 * 1024;
/** A program that is to end and does not within this time is taken for spinning: its thread is ended, ms. */
export const END_GRACE_MS = 50;
/** Subscriptions of one poll. */
export const SUBSCRIPTIONS_MAX = 1024;
/** Entries of one directory that are told to a program. */
export const ENTRIES_MAX = 100_000;
/** A thread without programs is let go after so long, ms. */
export const IDLE_MS = 30_000;

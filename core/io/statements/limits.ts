/** Every bound of maps of signed statements, each with the reason for its value. */

/**
 * One turn of checking entries: shorter than a frame, however long a signature takes here (0.1 to 2 ms). An entry that
 * is refused without looking at its signature takes 0.03 ms.
 */
export const LOOK_TURN_MS = 8;
export const LOOKED_PER_TURN = 256;
export const LOOK_PAUSE_MS = 4;
/** The node that a statement concerns writes it again this long after somebody has deleted or overwritten it. */
export const RESTORE_OWN_MS = 1_000;
/**
 * The other nodes, in case that one is asleep, write it again at a random moment in this range: the first to do so is
 * enough.
 */
export const RESTORE_MS_MIN = 5_000;
export const RESTORE_MS_MAX = 60_000;
/** Each time the same statement is taken away, restoring it waits twice as long as before, up to this. */
export const RESTORE_AGAIN_MS_MAX: number = 10 * 60_000;
/** An invalid entry is deleted from the map at a random moment in this range, so that it uses up no space. */
export const DROP_MS_MIN = 10_000;
export const DROP_MS_MAX = 60_000;
/** A statement about something that is not known yet is kept for this long. */
export const WAITED_FOR_MS: number = 60 * 60_000;
/**
 * How often due restores and deletions are looked for, and how many are written in one turn: what gossip carries in a
 * second.
 */
export const DUE_LOOK_MS = 1_000;
export const DUE_PER_TURN = 512;
/** How often all known statements are checked for being over. */
export const OVER_LOOK_MS: number = 60_000;

/** Every bound of maps of signed statements, each with the reason for its value. */

/** Entries that one turn looks at: a signature takes 0.2 ms, so that a turn stays below a frame. */
export const LOOKED_PER_TURN = 48;
export const LOOK_PAUSE_MS = 4;
/** A statement that somebody has deleted or overwritten comes back after so long from whom it concerns, … */
export const RESTORE_OWN_MS = 1_000;
/** … and from the others, should those sleep, at a moment in this range: one of them is the first, and is enough. */
export const RESTORE_MS_MIN = 5_000;
export const RESTORE_MS_MAX = 60_000;
/** Each time that the same one is taken away, restoring it waits twice as long as before, up to this. */
export const RESTORE_AGAIN_MS_MAX: number = 10 * 60_000;
/** What nobody believes is deleted from the map at a moment in this range, so that it takes up nobody's room. */
export const DROP_MS_MIN = 10_000;
export const DROP_MS_MAX = 60_000;
/** What speaks of something that is not there (yet) is kept for so long. */
export const WAITED_FOR_MS: number = 60 * 60_000;
/** What is due is looked for this often; and so many are written in one turn: what gossip carries in a second. */
export const DUE_LOOK_MS = 1_000;
export const DUE_PER_TURN = 128;
/** How often all that is known is looked through for what is over. */
export const OVER_LOOK_MS: number = 60_000;

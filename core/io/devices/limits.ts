/** Every bound of what members may do at each other's devices, each with its reason. */

/** One text: a screen full, or what one copies by hand. More belongs in a file, of which the text says the name. */
export const TEXT_CHARS_MAX = 16_384;
/** How long a person has to answer. Who is at the screen answers in seconds; who is not will not. */
export const ASK_MS = 60_000;
/** How long a request waits for an answer before it is told to ask again: well below a request's own deadline. */
export const ASK_TURN_MS = 4_000;
/** And so long before it asks again, whatever it was told. */
export const ASK_PAUSE_MS = 200;
/** After a question that nobody has answered, the same member is not asked about again for so long. */
export const ASK_AGAIN_MS: number = 5 * 60_000;
/** Questions on one screen at once. A swarm gone bad could cover it otherwise. Who is known longer goes first. */
export const ASKS_MAX = 8;
/** Requests of one sender that wait for the same answer. */
export const WAITING_MAX = 4;
/** Texts of one sender at once, and how soon the next is let through: a person reads no faster. */
export const BURST = 10;
export const REFILL_MS = 1_000;
/** Senders whose pace or silence is remembered; the first ones are forgotten. */
export const SENDERS_MAX = 1_024;
/** Answers that are kept: people know fewer. Of too many the first "allow" goes, since a refusal is for good. */
export const ANSWERS_MAX = 1_024;
/** Screens on one node: terminals and pages that are open. */
export const PERSONS_MAX = 64;

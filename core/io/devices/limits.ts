/** Every bound of what members may do with each other's devices, with its reason. */

/** One text: a screen full. More belongs into a file, whose name the text can give. */
export const TEXT_CHARS_MAX = 16_384;
/** How long a person has to answer. A person at the screen answers within seconds; nobody else answers at all. */
export const ASK_MS = 60_000;
/**
 * How long a request waits for the person's answer before its reply says "asked": well below a request's own deadline.
 */
export const ASK_TURN_MS = 4_000;
/** How long the sender waits before it asks again, whatever the reply was. */
export const ASK_PAUSE_MS = 200;
/** After a question that nobody has answered, the node does not ask about the same member again for this long. */
export const ASK_AGAIN_MS: number = 5 * 60_000;
/** Questions on one screen at once, since hostile members could cover it otherwise. Members known longer come first. */
export const ASKS_MAX = 8;
/** Requests of one sender that wait for the same answer. */
export const WAITING_MAX = 4;
/** Texts that one sender may send at once, and the time until the next is let through: a person reads no faster. */
export const BURST = 10;
export const REFILL_MS = 1_000;
/** Senders whose pace or silence is remembered; the oldest entries are forgotten first. */
export const SENDERS_MAX = 1_024;
/**
 * Answers that are kept: a person knows fewer members. Above it the oldest "allow" is dropped, since refusals must
 * stay.
 */
export const ANSWERS_MAX = 1_024;
/** Screens on one node: terminals and pages that are open. */
export const PERSONS_MAX = 64;

/** Every bound of codes (for somebody who is no member), each with its reason. */
import { CONTROL_BYTES_MAX } from "../transfer/limits.ts";

/**
 * How long a code is valid: time to tell it to somebody, and for them to find a device. A fetch that has begun by then
 * goes on.
 */
export const CODE_MS: number = 3_600_000;
/**
 * Wrong guesses that end a code: a person may mistype twice. With 21 bits of words, three guesses hit once in 700,000
 * codes.
 */
export const WRONG_MAX = 3;
/** Codes that a member may have open at one node: more than a person keeps apart. */
export const CODES_PER_MEMBER_MAX = 8;
/** Codes of all members that may be open at one node: what 64 members may have. A code takes some hundred bytes there. */
export const CODES_MAX = 512;
/** Codes that are over, and of which a node can still say why. */
export const ENDED_MAX = 256;
/** The number before the words: it is told with them, so it should stay short. */
export const NUMBER_MAX = 9_999;
/**
 * How often a sender says that its code is still open. The node forgets the code after a silence of four such
 * intervals.
 */
export const HOLD_EVERY_MS = 30_000;
export const HELD_MS: number = 4 * HOLD_EVERY_MS;
/** How often a node looks which codes have run out. */
export const SWEEP_MS = 15_000;

/**
 * Strangers, from all addresses, that have not yet shown that they know a code. When there are more, the address with
 * the most strangers loses its oldest.
 */
export const STRANGERS_MAX = 32;
/**
 * Strangers that know the words, and whose bytes a node carries for members: each may hold a window of a transfer (7
 * MiB). The second value is for one member, which may have this many codes.
 */
export const CARRIED_MAX = 32;
export const CARRIED_PER_MEMBER_MAX = 8;
/** Strangers that try one code at once, and those of one address. */
export const MEETINGS_MAX = 4;
export const MEETINGS_OF_PLACE_MAX = 3;
/** After this time a stranger that tries a code gives way to those who wait. An honest one needs two round trips. */
export const TURN_MS = 2_000;
/** Tries of one code: so many at once, and then one each TRIES_EVERY_MS. Each costs the sender some milliseconds. */
export const TRIES_AT_ONCE = 8;
export const TRIES_EVERY_MS = 500;
/** Tries of one address within a minute. */
export const TRIES_OF_PLACE_MAX = 12;
/** How long a stranger waits for its turn: as long as all of STRANGERS_MAX may take that come from other addresses. */
export const LINE_MS: number = 1_000 + Math.ceil(STRANGERS_MAX / MEETINGS_MAX) * TURN_MS;
/**
 * Tries of one code within a minute that its sender takes part in, as long as the node that serves the page lets no
 * more come.
 */
export const MEETINGS_PER_MINUTE_MAX = 150;
/** Time until a stranger says which code it is for. */
export const FIRST_WORD_MS = 10_000;
/** Time from then until both ends know that the other end knows the words: four messages. */
export const MEET_MS = 15_000;
/** The size of a receiver's message: a control message of a transfer, sealed. */
export const RECEIVER_BYTES_MAX: number = CONTROL_BYTES_MAX + 64;
/** A stranger from whom nothing has come for this long is gone. A browser lets a hidden tab act once a minute. */
export const IDLE_MS = 150_000;
/** How often a stranger gives a sign of life. */
export const SIGN_MS = 20_000;
/** Time for a refusal to reach a stranger before its channel is closed. */
export const FAREWELL_MS = 1_000;
/** After a broken link, how long the sender waits for the receiver, and how long the receiver looks for the sender. */
export const LOST_MS: number = 10 * 60_000;
/** Pause before the receiver looks again. It doubles each time, up to the second value. */
export const RETRY_MIN_MS = 250;
export const RETRY_MAX_MS = 5_000;
/** Characters of the message that tells a stranger why it is refused. */
export const MESSAGE_CHARS_MAX = 300;

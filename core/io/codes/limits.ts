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
/** Codes of all members that may be open at one node. Each may have a fetch under way. */
export const CODES_MAX = 64;
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
/** Strangers whose bytes a node carries for members: each may hold a window of a transfer (7 MiB). */
export const CARRIED_MAX = 32;
/** Strangers that try one code at once. When there are more, the oldest is disconnected. */
export const MEETINGS_MAX = 4;
/**
 * Strangers that may try one code within a minute. Each costs the sender some milliseconds, and one that breaks off
 * before its guess does not count as a wrong guess.
 */
export const MEETINGS_PER_MINUTE_MAX = 30;
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

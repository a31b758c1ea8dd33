/** Every bound of codes for who is no member, each with its reason. */
import { CONTROL_BYTES_MAX } from "../transfer/limits.ts";

/** How long a code is good: time to tell it to somebody, and for them to find a device. What has begun by then goes on. */
export const CODE_MS: number = 3_600_000;
/** Wrong guesses that end a code: two for who mistypes. With 21 bits of words they hit once in 700,000 codes. */
export const WRONG_MAX = 3;
/** Codes that a member may have open at one node: more than a person keeps apart. */
export const CODES_PER_MEMBER_MAX = 8;
/** And all of them together, each of which may have a fetch under way. */
export const CODES_MAX = 64;
/** Codes that are over and of which a node still says why. */
export const ENDED_MAX = 256;
/** The number before the words: it is told with them, so it should stay short. */
export const NUMBER_MAX = 9_999;
/** How often a sender says that its code is open still, and after which silence the node forgets it: four such times. */
export const HOLD_EVERY_MS = 30_000;
export const HELD_MS: number = 4 * HOLD_EVERY_MS;
/** How often a node looks which codes have run out. */
export const SWEEP_MS = 15_000;

/** Strangers that have not shown that they know a code, all together: with more, the oldest goes, fairly between addresses. */
export const STRANGERS_MAX = 32;
/** Strangers whose bytes a node carries for members: each may hold a window of a transfer (8 MiB). */
export const CARRIED_MAX = 32;
/** Strangers that try one code at once: with more, the oldest goes. */
export const MEETINGS_MAX = 4;
/** And within a minute: each costs the sender some milliseconds, and who breaks off before a guess is not counted. */
export const MEETINGS_PER_MINUTE_MAX = 30;
/** Time until a stranger says which code it is for. */
export const FIRST_WORD_MS = 10_000;
/** Time from there until both ends know that the other knows the words: four messages. */
export const MEET_MS = 15_000;
/** A message of a receiver: a word of a transfer, sealed. */
export const RECEIVER_BYTES_MAX: number = CONTROL_BYTES_MAX + 64;
/** A stranger from whom nothing has come for so long is gone. A browser lets a hidden tab act once a minute. */
export const IDLE_MS = 150_000;
/** So often a stranger gives a sign of life. */
export const SIGN_MS = 20_000;
/** Time for a refusal to reach a stranger before its channel is closed. */
export const FAREWELL_MS = 1_000;
/** How long a sender waits for a receiver whose link broke, and the receiver looks for the sender. */
export const LOST_MS: number = 10 * 60_000;
/** Pause before the receiver looks again, doubled each time up to the second. */
export const RETRY_MIN_MS = 250;
export const RETRY_MAX_MS = 5_000;
/** Letters of why somebody is refused. */
export const MESSAGE_CHARS_MAX = 300;

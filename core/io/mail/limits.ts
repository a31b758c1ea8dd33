/** Every bound of mail, each with its reason. */

/**
 * How long a mail waits, by the swarm's time, read or not. Someone who is away for longer will hear of it in another
 * way.
 */
export const MAIL_KEPT_MS: number = 30 * 24 * 3_600_000;
/** The map of mail: about 50,000 mails with their receipts, most of which have one reader. */
export const MAIL_MAP_BYTES_MAX: number = 64 * 1024 * 1024;
/**
 * Mails of one node that are kept at a time; if there are more, the latest are dropped. One an hour, day and night, for
 * a month.
 */
export const MAILS_PER_SENDER_MAX = 720;
/** How far the time of a mail may lie ahead: a little more than two right clocks can differ. */
export const AHEAD_MS_MAX: number = 15 * 60_000;

/** Readers of one mail: a circle of friends. Use the shared files to reach more. */
export const READERS_MAX = 32;
/** Files of one mail. More go into an archive. */
export const FILES_MAX = 32;
/** One file, sealed: what the disk takes as one content. */
export const FILE_BYTES_MAX: number = 2 ** 40;
export const FILE_NAME_CHARS_MAX = 255;
export const SUBJECT_CHARS_MAX = 200;
/** Characters of a text: a hundred pages. A longer text belongs into a file. */
export const TEXT_CHARS_MAX: number = 256 * 1024;
/** The letter itself, sealed: its text in UTF-8, subject, names of files, and what age puts before it. */
export const LETTER_BYTES_MAX: number = 1024 * 1024;

/** Mails that are listed here: 500 a day for a month. Some 2 KB of memory each. */
export const INBOX_MAX = 16_384;
/**
 * Letters that are fetched at once; of these, letters of one sender, and letters of senders whom this node does not
 * know. A letter that nobody has takes its place for FETCH_MS.
 */
export const FETCHES_AT_ONCE = 4;
export const FETCHES_OF_ONE_MAX = 3;
export const FETCHES_OF_UNKNOWN_MAX = 2;
/** Pause before the numbers of mails are stored again: all of them are stored together. */
export const NUMBERS_PAUSE_MS = 1_000;
/**
 * Mails that are announced one by one within NOTICES_MS; how many more there were is told at its end. As many lines as
 * a person reads.
 */
export const NOTICES_MAX = 8;
export const NOTICES_MS = 10_000;
/**
 * How long fetching one letter may take. A letter that is out of reach is tried again after the second time, doubled
 * each time.
 */
export const FETCH_MS = 60_000;
export const FETCH_AGAIN_MS_MIN = 2_000;
export const FETCH_AGAIN_MS_MAX: number = 5 * 60_000;
/** Sent mails that this node remembers; the earliest are forgotten first. */
export const SENT_MAX = 1_000;
/** A number that a mail has on this node. */
export const NUMBER_MAX: number = 2 ** 40;
/** How often mails are checked for being over. */
export const EXPIRY_LOOK_MS = 10_000;
/** Changes are told at most this often. */
export const CHANGES_TOLD_MS = 100;
/** The texts of this many letters are kept, since a letter that was just read is often read again. */
export const LETTERS_REMEMBERED = 16;

/** Every bound of mail, each with its reason. */

/** How long a mail waits, by the swarm's time, read or not: who has been away for longer has been told some other way. */
export const MAIL_KEPT_MS: number = 30 * 24 * 3_600_000;
/** The map of mail: some 50,000 mails with their receipts, of which most have one reader. */
export const MAIL_MAP_BYTES_MAX: number = 64 * 1024 * 1024;
/** Mails of one node that are kept at a time; of more the latest are dropped. One an hour, day and night, for a month. */
export const MAILS_PER_SENDER_MAX = 720;
/** A moment may lie so far ahead, by the clock of whoever sent it: as far as two right clocks can be apart, and more. */
export const AHEAD_MS_MAX: number = 15 * 60_000;

/** Readers of one mail: a circle of friends. More is what files are for. */
export const READERS_MAX = 32;
/** Files of one mail. More go into an archive. */
export const FILES_MAX = 32;
/** One file, sealed: what the disk takes as one content. */
export const FILE_BYTES_MAX: number = 2 ** 40;
export const FILE_NAME_CHARS_MAX = 255;
export const SUBJECT_CHARS_MAX = 200;
/** Characters of a text: a hundred pages. A longer one is a file. */
export const TEXT_CHARS_MAX: number = 256 * 1024;
/** The letter itself, sealed: its text in UTF-8, subject, names of files, and what age puts before it. */
export const LETTER_BYTES_MAX: number = 1024 * 1024;

/** Mails that are listed here, the newest first: what a person looks through. */
export const INBOX_MAX = 4_096;
/** Letters that are fetched at once. */
export const FETCHES_AT_ONCE = 4;
/** How long one may take; and one that is out of reach is tried again after so long, doubled each time. */
export const FETCH_MS = 60_000;
export const FETCH_AGAIN_MS_MIN = 2_000;
export const FETCH_AGAIN_MS_MAX: number = 5 * 60_000;
/** Mails that this node remembers to have sent; the earliest are forgotten first. */
export const SENT_MAX = 1_000;
/** A number that a mail has on this node. */
export const NUMBER_MAX: number = 2 ** 40;
/** How often it is looked whether the time of a mail is over. */
export const EXPIRY_LOOK_MS = 10_000;
/** What changes all the time is told so often. */
export const CHANGES_TOLD_MS = 100;
/** A letter that was just read is read again: its text is kept for so many. */
export const LETTERS_REMEMBERED = 16;

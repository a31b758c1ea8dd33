/** Every bound and pace of transfers, each with its reason. */

// What is sent

/** Bytes of a transfer that are sent and stored together: the length of a shard, which every store accepts. */
export const PIECE_BYTES: number = 256 * 1024;
/** Bytes of one transfer: as much as the largest content. */
export const TRANSFER_BYTES_MAX: number = 2 ** 40;
/** Files and directories of one transfer. More of them belong in an archive: the receiver's shell lists each name. */
export const ENTRIES_MAX = 100_000;
/** The size of their list, which the receiver holds in memory to show it. */
export const MANIFEST_BYTES_MAX: number = 16 * 1024 * 1024;
/** Entries that are written and read without a pause: some milliseconds of a page's thread. */
export const MANIFEST_BLOCK_ENTRIES = 512;
/** The bytes of these entries: paths may be long. */
export const MANIFEST_BLOCK_BYTES: number = 64 * 1024;
/** Characters of a path; its bytes are bounded as in archives. */
export const PATH_CHARS_MAX = 4_096;
/** Names that an offer states: as many as fit a screen. The rest is in the list, which is sent first. */
export const NAMES_TOLD_MAX = 12;
/** Characters of a stated name. */
export const TOLD_CHARS_MAX = 200;

// On the way

/**
 * Bytes that are on their way, or at the receiver and not stored yet: fewer than a channel accepts (8 MiB). With a
 * round trip of 100 ms, or between two busy processes that take turns, this allows 70 MB/s.
 */
export const WINDOW_BYTES: number = 7 * 1024 * 1024;
/** Pieces that are read and hashed before the window has room for them. */
export const HASHED_AHEAD = 4;
/** A control message: an offer with all its names. */
export const CONTROL_BYTES_MAX: number = 16 * 1024;
/** Control messages that wait: a receiver's reply to each piece of a window, and some more. */
export const CONTROLS_MAX = 64;
/** Time until the first message on a channel. */
export const FIRST_WORD_MS = 10_000;
/** For how long a link that broke is set up again, if the other end has not said anything yet. */
export const FIRST_MEETING_MS = 10_000;
/** Pause before a broken link is set up again. It doubles each time, up to the second value. */
export const RETRY_MIN_MS = 250;
export const RETRY_MAX_MS = 5_000;
/** For how long a sender tries without any progress: a machine that restarts is back by then. */
export const RESUME_MS: number = 10 * 60_000;
/** How often progress is reported. */
export const PROGRESS_MS = 200;

// The receiver

/** How long a person has to answer an offer, and how long the sender waits. */
export const OFFER_MS: number = 10 * 60_000;
/** Offers that wait for the person's answer, of one member and of all. */
export const OFFERS_PER_SENDER_MAX = 8;
export const OFFERS_MAX = 64;
/** Incoming transfers of one member at the same time, and of all members. Each holds a window. */
export const INCOMING_PER_SENDER_MAX = 4;
export const INCOMING_MAX = 16;
/** Outgoing transfers at the same time. */
export const OUTGOING_MAX = 16;
/** Offers that are remembered, so that nobody is asked twice when a link breaks. */
export const ASKED_REMEMBERED_MAX = 256;
/** How long the received part of a transfer is kept after its sender has gone. */
export const PARTIAL_KEPT_MS: number = 24 * 3_600_000;
/** How often parts that are too old are looked for. */
export const SWEEP_MS: number = 10 * 60_000;
/** Transfers in the inbox: more than a person ever looks through. */
export const ITEMS_MAX = 1_000;
/** Pieces after which the progress is written down. After a restart the later pieces are hashed again (16 MiB). */
export const JOURNAL_PIECES = 64;
/** Room that is left for the swarm's files. */
export const ROOM_LEFT_BYTES: number = 2 * 1024 * 1024;
/** Lists of entries that are kept in memory for readers of the inbox. */
export const LISTS_KEPT = 4;
/** Characters of the message to the other end when something fails. */
export const MESSAGE_CHARS_MAX = 500;

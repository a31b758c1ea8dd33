/** Every bound and pace of transfers, each with its reason. */

// What is sent

/** Bytes of a transfer that travel and are stored together: a shard's length, which every store takes. */
export const PIECE_BYTES: number = 256 * 1024;
/** Bytes of one transfer: as much as the largest content. */
export const TRANSFER_BYTES_MAX: number = 2 ** 40;
/** Files and folders of one transfer. More belong in an archive: each is a name that the receiver's shell lists. */
export const ENTRIES_MAX = 100_000;
/** The list of them, which the receiver holds in memory to show it. */
export const MANIFEST_BYTES_MAX: number = 16 * 1024 * 1024;
/** Entries that are written and read together: some milliseconds of a page's thread. */
export const MANIFEST_BLOCK_ENTRIES = 512;
/** And their bytes: paths may be long. */
export const MANIFEST_BLOCK_BYTES: number = 64 * 1024;
/** Letters of a path; its bytes are bounded as in archives. */
export const PATH_CHARS_MAX = 4_096;
/** Names that an offer tells: what fits a screen. The rest is in the list, which comes first. */
export const NAMES_TOLD_MAX = 12;
/** Letters of a name that is told. */
export const TOLD_CHARS_MAX = 200;

// On the way

/**
 * Bytes that are on their way, or lie at the receiver and are not stored: below what a channel takes at all (8 MiB). At
 * 100 ms of round trip, or where two busy processes take turns, they are 70 MB/s.
 */
export const WINDOW_BYTES: number = 7 * 1024 * 1024;
/** Pieces that are read and hashed before the window has room for them. */
export const HASHED_AHEAD = 4;
/** A control message: an offer with all its names. */
export const CONTROL_BYTES_MAX: number = 16 * 1024;
/** Control messages that wait: a receiver's word on each piece of a window, and some. */
export const CONTROLS_MAX = 64;
/** Time until the first word on a channel. */
export const FIRST_WORD_MS = 10_000;
/** How long a link that breaks before the other end has said anything is looked for again. */
export const FIRST_MEETING_MS = 10_000;
/** Pause before a broken link is looked for again, doubled each time up to the second. */
export const RETRY_MIN_MS = 250;
export const RETRY_MAX_MS = 5_000;
/** How long it is looked for without any progress: a machine that restarts is back by then. */
export const RESUME_MS: number = 10 * 60_000;
/** How often progress is told. */
export const PROGRESS_MS = 200;

// The receiver

/** How long a person has to answer an offer, and the sender waits. */
export const OFFER_MS: number = 10 * 60_000;
/** Offers that wait for the person, of one member and of all. */
export const OFFERS_PER_SENDER_MAX = 8;
export const OFFERS_MAX = 64;
/** Transfers of one member that come in at once, and of all. Each holds a window. */
export const INCOMING_PER_SENDER_MAX = 4;
export const INCOMING_MAX = 16;
/** Transfers that go out at once. */
export const OUTGOING_MAX = 16;
/** Offers that are remembered so as not to be asked about twice when their link breaks. */
export const ASKED_REMEMBERED_MAX = 256;
/** What has come of a transfer whose sender is gone is kept for so long. */
export const PARTIAL_KEPT_MS: number = 24 * 3_600_000;
/** How often it is looked for what is too old. */
export const SWEEP_MS: number = 10 * 60_000;
/** Transfers in the inbox: what a person may ever look through. */
export const ITEMS_MAX = 1_000;
/** Pieces after which it is written down how far it is; after a restart the ones after it are hashed again (16 MiB). */
export const JOURNAL_PIECES = 64;
/** Room that is left for the swarm's files. */
export const ROOM_LEFT_BYTES: number = 2 * 1024 * 1024;
/** Lists of entries that are kept in memory for who looks at the inbox. */
export const LISTS_KEPT = 4;
/** Letters of what is told to the other end when something fails. */
export const MESSAGE_CHARS_MAX = 500;

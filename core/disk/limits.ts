/**
 * Every bound and pace of contents in one place, each with the reason for its value. The limits of formats are in
 * content/.
 */

// Shape

/**
 * A list of shard hashes up to this size is part of the layout's entry, which is on every node. A longer list is a
 * content of its own.
 */
export const LIST_INLINE_BYTES_MAX = 4_096;
/** Largest content: a terabyte. What claims to be larger is no content. */
export const CONTENT_BYTES_MAX: number = 2 ** 40;
/** Stripes of the largest content, at 256 KiB a stripe. */
export const STRIPES_MAX: number = 4 * 1024 * 1024;
/** Longest list of shard hashes, which is read into memory as a whole: for a terabyte that has nothing but leaves. */
export const LIST_BYTES_MAX: number = 128 * 1024 * 1024;
/** Devices that hold a stripe. More would make shards small and reads wide, for a promise that is good enough here. */
export const HOLDERS_MAX = 128;
/** Letters of a layout's id. */
export const LAYOUT_ID_CHARS_MAX = 32;
/** Characters of a device's id: those of a PeerId, or of a name. */
export const DEVICE_CHARS_MAX = 128;
/**
 * The most storage that a node may offer: a petabyte, more than any machine has. The sum of a thousand is still exact.
 */
export const STORAGE_BYTES_MAX: number = 2 ** 50;
/** Stripes that are looked after together: one question and one answer for all of them. */
export const UNIT_STRIPES = 64;

// Moving shards

/**
 * Coded bytes of one put that are under way: a few stripes, so that coding, sending and storing overlap. More would
 * only lie in memory, several times over: in messages, encrypted, and in the queues of links. If stripes are wide, two
 * of them are under way, up to the second value.
 */
export const PUT_WINDOW_BYTES: number = 4 * 1024 * 1024;
export const PUT_WINDOW_BYTES_MAX: number = 16 * 1024 * 1024;
/** Bytes of content that a read fetches ahead of its reader. */
export const READ_AHEAD_BYTES: number = 4 * 1024 * 1024;
/**
 * Bytes that a repairer handles at the same time: those that it rebuilds itself, in its memory, and those that it has
 * asked others to move.
 */
export const REBUILT_BYTES_MAX: number = 8 * 1024 * 1024;
export const REPAIR_ASKED_BYTES_MAX: number = 64 * 1024 * 1024;
/** How long the findings of one look are used; then it looks again, since others repair too. */
export const FOUND_BELIEVED_MS = 5_000;
/**
 * Bytes a millisecond that one node repairs when nothing is urgent: what a home's uplink can spare, and 600 GB a week.
 */
export const REPAIR_BYTES_PER_MS = 1_000;
/** Or what it can move in this part of the time, if that is more: a cable carries a hundred times as much. */
export const REPAIR_TIME_PART: number = 1 / 2;
/** Shards in one message: three of full size, within the 1 MiB of a message. */
export const MESSAGE_SHARD_BYTES_MAX: number = 768 * 1024;
/** The same if another member carries the message. */
export const CARRIED_SHARD_BYTES_MAX: number = 256 * 1024;
/** What one message asks another node to fetch: 84 s at 25 KB/s, within its timeout. */
export const MESSAGE_FETCH_BYTES_MAX: number = 2 * 1024 * 1024;
/** Shards in one message, if they are tiny. */
export const MESSAGE_SHARDS_MAX = 256;
/** Messages to one peer, in one direction, that wait for their answer: they fill the path while the first is stored. */
export const MESSAGES_PER_PEER = 4;
/** The time for three full shards at 25 KB/s; a slower node can't be a holder. */
export const MESSAGE_TIMEOUT_MS = 30_000;
/** The same for a node that fetches a whole stripe: up to 17 shards. */
export const FETCH_TIMEOUT_MS: number = 4 * MESSAGE_TIMEOUT_MS;
/** A shard that takes longer than this is fetched some other way too. */
export const HEDGE_MS = 300;
/** The same if nobody waits for the shard: repair moves many at once, so each takes longer than the one before. */
export const BULK_HEDGE_MS = 10_000;
/** Parts of layouts in one question for what a peer holds: the answer stays below a message's size. */
export const ASKED_UNITS_MAX = 1_024;
/**
 * Stripes in one such question: of each a node holds one shard, or all 64 data shards if it keeps the content whole.
 */
export const ASKED_STRIPES_MAX = 4_096;
/** Bytes of data shards from which shards are computed for others at once. */
export const COMPUTED_BYTES_MAX: number = 8 * 1024 * 1024;
/** Bytes that are given at once because others have asked for it: a few stripes. */
export const GIVEN_BYTES_MAX: number = 16 * 1024 * 1024;
/**
 * A node that has given a shard does not give it again within this time: other repairers may have looked before the
 * shard had arrived.
 */
export const GIVEN_REMEMBERED_MS = 20_000;
/**
 * How long a claim to have given a shard is believed, so that the shard is not asked for again; and how many claims are
 * remembered.
 */
export const GIVEN_BELIEVED_MS = 60_000;
export const GIVEN_SHARDS_MAX = 10_000;
/** Bytes that are fetched at once because others have asked for it. */
export const FETCHED_BYTES_MAX: number = 8 * 1024 * 1024;
/** Writes to this node's own store at once. */
export const OWN_WRITES_MAX = 16;

// Leases

/** A put of several stripes says that it is under way, and goes on saying so. */
export const LEASE_MS: number = 30 * 60_000;
export const LEASE_RENEWED_MS: number = 10 * 60_000;

// Placement

/** A device with less free space than this gets nothing new: what is under way has to fit. */
export const ROOM_BYTES_MIN: number = 2 * 1024 * 1024;
/** How long a device that answered "full" is not asked again. */
export const FULL_REMEMBERED_MS = 60_000;
/** A node tells its storage again when it has changed by this part of what it offers, and at most this often. */
export const STORAGE_TOLD_PART = 0.01;
/** Or by this part of what is used, if that is less; smaller changes are not told. */
export const STORAGE_TOLD_USED_PART = 0.1;
export const STORAGE_TOLD_BYTES_MIN = 1_000_000;
export const STORAGE_TOLD_MS = 10_000;
/** Until it has been told for the first time it is tried this often. */
export const STORAGE_FIRST_TOLD_MS = 500;
/** A node's statement about its storage expires after it was away for this long; it is repeated twice in that time. */
export const STORAGE_EXPIRES_MS: number = 4 * 24 * 3_600_000;

// Looking after

/** How often a node looks for what there is to repair, collect and recode. */
export const LOOK_MS = 1_000;
/** Departures and arrivals come in groups: this long after the last of them there is a look at once. */
export const LOOK_DELAY_MS = 300;
/** How often everything that a node looks after is compared with what is really held, whatever happens. */
export const VERIFY_EVERY_MS: number = 10 * 60_000;
/**
 * If more than this part of the devices (and not just one) has gone, they are awaited at most this long. Of a half that
 * was cut off, most devices come back within seconds or stay away for long, and the stripes might not survive losing
 * the next half. The same time holds for devices that were gone before this node came.
 */
export const MASS_DEPARTURE_PART: number = 1 / 4;
export const MASS_GRACE_MS = 20_000;
/**
 * The swarm is at rest when nobody has left for this many times the grace, which is about a session. Then postponed
 * repairs are done.
 */
export const REST_GRACES = 8;
/**
 * A device that has not answered for this long is no longer assumed to hold what it should: three timeouts of a
 * message.
 */
export const SILENT_BELIEVED_MS: number = 3 * MESSAGE_TIMEOUT_MS;
/**
 * How long a device has to be there before shards of old contents move to its machine: a tab that is opened and closed
 * again moves nothing.
 */
export const SPREAD_AFTER_MS = 60_000;
/** A repairer that makes no progress for this long gives way to the next. */
export const TURN_MS = 5_000;
/** Units for which one look computes which nodes look after them: some 30 ms of a page's thread. */
export const RANKED_PER_LOOK = 2_000;
/**
 * Units that one look passes: some 10 ms of a page's thread. Any member can claim contents of any size. A look that has
 * reached this number goes on in the next one, a second later.
 */
export const UNITS_PER_LOOK = 50_000;
/**
 * Units of one layout that are passed before the other layouts have their turn, so that a terabyte keeps no small
 * content waiting.
 */
export const UNITS_PER_TURN = 64;
/**
 * Units whose state is remembered: 16 MB. Up to this number, units are computed and asked for in consecutive looks
 * without a pause; each further part waits a second. 78,000 units are a terabyte in a swarm of five devices.
 */
export const UNIT_STATES_MAX: number = 256 * 1024;
/** Codes whose worth is worked out at one look: some 100 ms of a page's thread. Honest swarms have a few. */
export const CODES_PER_LOOK = 32;
/**
 * Stripes that are gone through before the thread is given back: some 15 ms of a page's. Hidden tabs wait a second each
 * time.
 */
export const STRIPES_PER_SLICE = 512;
/**
 * How long newly chosen slots wait for others to share their message. A put may choose some for each of its stripes,
 * and every message is work for all nodes.
 */
export const SLOTS_WRITTEN_AFTER_MS = 500;
/** How often a node checks whether contents have to be recoded. */
export const RECODE_LOOK_MS = 5_000;
/** Repairers that stand by for one unit. */
export const REPAIRERS_MAX = 3;
/**
 * A content whose code has not suited the swarm for this long is recoded: soon if the promise is broken or nearly so,
 * else in the background. In a swarm whose size swings, the code suits again before that.
 */
export const PRESSING_FOR_MS = 30_000;
export const LOOSE_FOR_MS: number = 10 * 60_000;
/** For this long after a cut nothing is recoded: by then most devices are back, or stay away for long. */
export const CUT_SETTLED_MS = 60_000;
/** When a failed recoding is tried again. */
export const RECODE_AGAIN_MS = 60_000;
/** How often `safe` looks whether it is. */
export const SAFE_LOOK_MS = 500;
/**
 * `safe` gives up when there was no progress for this long; later if the obstacle passes by itself, since repair may
 * have much to do first.
 */
export const SAFE_PATIENCE_MS = 30_000;
export const SAFE_PATIENCE_RETRYABLE_MS: number = 4 * SAFE_PATIENCE_MS;
/** How long it waits for members that have not told what they offer: they hear of a newcomer within a second. */
export const TOLD_PATIENCE_MS = 10_000;

// Collecting

/** How long contents and shards without references are kept. */
export const UNREFERENCED_KEPT_MS: number = 48 * 3_600_000;
/** How long the shards of a replaced layout are kept: reads that began before are done by then. */
export const REPLACED_KEPT_MS: number = 10 * 60_000;
/** With less than this part of its storage free, a node drops shards that lie where they belong too. */
export const TIDY_FREE_PART: number = 1 / 4;
/** How soon a node looks after a content that has lost its only entry: entries are often lost together. */
export const RESTORE_DELAY_MS = 5_000;
/** How often a node looks for what to collect. */
export const COLLECT_EVERY_MS: number = 10 * 60_000;

// Memory

/** What the map may hold: 150,000 contents at some 800 bytes each. */
export const LAYOUT_MAP_BYTES_MAX: number = 128 * 1024 * 1024;

/** Lists of shard hashes that are remembered, and their bytes. */
export const LISTS_KEPT_MAX = 1_024;
export const LISTS_KEPT_BYTES: number = 16 * 1024 * 1024;

/** Every bound of the memory in one place, each with the reason for its value. */
import { OWN_MS_MAX } from "../net/limits.ts";

/** Longest key in UTF-8 bytes: room for a path of 1,000 letters. */
export const KEY_BYTES_MAX = 1_024;
/** Largest value, encoded. Larger ones belong in files. */
export const VALUE_BYTES_MAX: number = 64 * 1024;
/**
 * Keys and values of one batch, with what each entry takes on the wire: a transaction of 50,000 rows. It is held whole
 * at both ends while it travels, and is one turn's work where it arrives: 100,000 small entries take half a second.
 */
export const BATCH_BYTES_MAX: number = 8 * 1024 * 1024;
/**
 * Batches above this size count as large. Few of them are on their way at a time, since 32 sessions at once would hold
 * too much.
 */
export const BATCH_SMALL_BYTES_MAX: number = 1024 * 1024;
/**
 * Large batches that are sent, and that are taken in, at a time. Each takes some 25 MiB while it is sent, and some 40
 * MiB while it is taken in.
 */
export const BATCHES_LARGE_SENT_MAX = 2;
export const BATCHES_LARGE_TAKEN_MAX = 3;
/** The most bytes that an entry of a batch takes on the wire beyond key and value. */
export const BATCH_ENTRY_BYTES = 20;
/**
 * How far ahead of corrected time a write may be before it waits. Clocks that are in line are seconds apart; liars can
 * move two right clocks this far from each other and no further, so that honest writes never have to wait.
 */
export const AHEAD_MS_MAX: number = 2 * OWN_MS_MAX;
/** Writes that wait for their time, and their bytes: an honest swarm has none, and what is lost is reconciled later. */
export const QUARANTINE_ENTRIES_MAX = 4_096;
export const QUARANTINE_BYTES_MAX: number = 4 * 1024 * 1024;
/**
 * Longer values than this have an array of their own, because the values of neighbouring keys, up to 256 of them, are
 * moved together. For such a value the cost of an array is a tenth of its length.
 */
export const INLINE_VALUE_BYTES_MAX: number = 2 * 1024;
/** The cost of an entry beyond key and value, for the byte budget: measured 60 to 70 bytes in V8, 90 of a tombstone. */
export const ENTRY_COST_BYTES = 96;
/** The default byte budget of an instance; a tab has some hundreds of megabytes for everything. */
export const BUDGET_BYTES_DEFAULT: number = 64 * 1024 * 1024;
/**
 * When two halves meet that were both full, they are twice as full together. Writes from others beyond that are
 * refused.
 */
export const BUDGET_OVERSHOOT = 2;
/**
 * Tombstones may take what the present keys leave of twice the budget, but at least this part of the budget. So a
 * deleted key always finds room as a tombstone, and the whole map never takes more than 2.25 times the budget.
 */
export const TOMBSTONES_SHARE_MIN: number = 1 / 4;
/** How long deleted keys are remembered: by maps that are kept, and by those in RAM only. */
export const HORIZON_KEPT_MS: number = 30 * 24 * 3_600_000;
export const HORIZON_RAM_MS: number = 24 * 3_600_000;

// Gossip

/** Local writes wait this long for others to share their message. */
export const GOSSIP_DELAY_MS = 20;
/** Packed entries in one message: below gossip's own bound, with room for what wraps them. */
export const GOSSIP_BYTES_MAX: number = 48 * 1024;
/**
 * Bytes a second that a node gossips for as long as it likes; the rest is left to reconciliation, which has
 * backpressure.
 */
export const GOSSIP_BYTES_PER_SECOND: number = 256 * 1024;
/** Bytes at once on top of that rate: some ten thousand small writes. */
export const GOSSIP_BURST_BYTES: number = 1024 * 1024;

/**
 * Messages of gossip that one batch, or several that overlap, may come in: more than GOSSIP_BURST_BYTES never go out.
 */
export const GOSSIP_PARTS_MAX = 32;
/**
 * Bytes of parts that wait here for the rest of their batch: two of the largest batches of one member; in all, what
 * eight members send.
 */
export const PARTS_BYTES_PER_MEMBER_MAX: number = 2 * GOSSIP_BURST_BYTES;
export const PARTS_BYTES_MAX: number = 8 * GOSSIP_BURST_BYTES;
/**
 * Parts that are still missing after this time are asked for by reconciling. Gossip repairs its own losses within it.
 */
export const PARTS_PATIENCE_MS = 1_000;
/**
 * Missing parts of one member's batches are asked for at most this often, so that a member that never sends the rest
 * causes no more work.
 */
export const PARTS_ASK_EVERY_MS = 10_000;
/** After this time a batch that is not whole is dropped; reconciling has brought it, or will. */
export const PARTS_KEEP_MS = 10_000;

// Reconciliation

/** Parts into which a range that differs is cut: fewer cost round trips, more cost bytes. */
export const RECONCILE_FANOUT = 16;
/** Ranges of at most so many entries are listed instead of cut further. */
export const RECONCILE_LIST_MAX = 24;
/** Bytes of ranges in one frame; what does not fit is asked again as one range. */
export const RECONCILE_RANGES_BYTES: number = 128 * 1024;
/** Bytes of entries in one frame: several frames are on the way at once, and each is held whole at both ends. */
export const RECONCILE_ENTRIES_BYTES: number = 192 * 1024;
/**
 * Rounds of one session. 24 rounds are enough to find differences among 16^24 entries, so no honest search needs more.
 * Sending entries adds rounds.
 */
export const RECONCILE_ROUNDS_MAX = 4_096;
/** Time for the next frame of a session to arrive: a throttled tab answers within 2 s, a path that is cut never. */
export const RECONCILE_PATIENCE_MS = 6_000;
/**
 * Time for a session's channel to open, which waits for no timer of the other side. After a cut, many links are silent.
 */
export const RECONCILE_OPEN_MS = 2_000;
/**
 * Time for a whole session, so that nobody keeps a place for longer. What it has brought by then stays, and the next
 * session goes on from there.
 */
export const RECONCILE_SESSION_MS = 120_000;
/**
 * How often a node reconciles over one of its links: while that finds differences, and at the least when it finds none.
 */
export const RECONCILE_EVERY_MS = 2_000;
export const RECONCILE_EVERY_MS_MAX = 60_000;
/** Entries younger than this may be on their way by gossip: that a side lacks them is no news. */
export const GOSSIP_SETTLED_MS = 3_000;
/** This many entries at once are news, whatever their age: gossip does not carry as much. */
export const NEWS_ENTRIES_MIN = 200;
/**
 * After news came by reconciling, this many other links are told within RECONCILE_SPREAD_MS, at different moments, so
 * that they don't collide. With two, one node in fifty was passed over by all of its neighbours and had to wait for its
 * next round. Many entries at once (WIDE_ENTRIES_MIN) have come over a cut, and more links are told.
 */
export const RECONCILE_SPREAD = 3;
export const RECONCILE_SPREAD_WIDE = 12;
export const WIDE_ENTRIES_MIN = 8;
export const RECONCILE_SPREAD_MS = 100;
/** Sessions that a node runs at once for all its maps: as asker, and as asked. */
export const RECONCILE_ASKING_MAX = 16;
export const RECONCILE_ASKED_MAX = 16;
/**
 * Sessions of one member among them: it asks for each map once at a time. So a member that stalls leaves room for the
 * others.
 */
export const RECONCILE_ASKED_PER_MEMBER_MAX = 6;
/**
 * How far the two sides' corrected times may be apart in a session: as far as right clocks can be, and the time that a
 * message takes.
 */
export const CUTOFF_SKEW_MS_MAX: number = AHEAD_MS_MAX + 60_000;
/**
 * Members for which a node remembers when their state was last complete here. Those not heard of for the longest time
 * are forgotten first.
 */
export const CAUSAL_CONTEXT_MEMBERS_MAX = 1_024;

// Acknowledgement

/** Bytes of the keys that one request asks for: less than members carry for each other. */
export const ACK_BYTES_MAX: number = 128 * 1024;
/** Members that are asked at once and may still answer soon. The second value also counts those that take longer. */
export const ACK_PARALLEL_MAX = 16;
export const ACK_ASKED_MAX = 64;
/** After this time another member is asked as well. It is twice the time of an answer that has to wait for gossip. */
export const ACK_HOPE_MS = 600;
/**
 * While answers come, the list of members may be this old. Making it takes n log n for n members, a few ms for 5,000.
 * Making it with each answer would be quadratic, and members can be made up.
 */
export const ACK_LOOK_MS = 200;
/** How long a member waits for gossip to bring what it is asked for before it says that it is missing. */
export const ACK_PATIENCE_MS = 300;
/** One member's time to answer, and that of `sync` as a whole. */
export const ACK_REQUEST_MS = 5_000;
export const SYNC_TIMEOUT_MS = 15_000;
/**
 * Keys written since the last `sync` that are listed; beyond it all of this node's entries are gone through instead.
 */
export const UNSYNCED_KEYS_MAX = 65_536;

// Keeping

/** Writes wait this long for others before they are stored, unless `sync` asks. */
export const STORE_DELAY_MS = 100;
/**
 * Bytes of one segment of a snapshot. Writing it does not stall a page, and reading it takes 25 ms: some 5,000 entries
 * of 50 bytes.
 */
export const SEGMENT_BYTES_MAX: number = 256 * 1024;
/** Bytes of a segment that is read: earlier versions of this program wrote longer ones. */
export const SEGMENT_READ_BYTES_MAX: number = 1024 * 1024;
/** The number of a segment: one each millisecond for thirty years. */
export const SEGMENT_NUMBER_MAX: number = 2 ** 40;
/** Segments after which the log is written anew, and bytes below which that is not worth it. */
export const SEGMENTS_MAX = 128;
export const COMPACT_BYTES_MIN: number = 1024 * 1024;

/**
 * A node that has just started knows the others' time after this at the latest. The second value is how often it looks.
 */
export const READY_MS_MAX = 12_000;
export const READY_LOOK_MS = 100;

/** How often what is due (expiry, old tombstones, quarantine) is looked for. */
export const SWEEP_MS = 1_000;
/** Keys that one turn looks at, so that it does not stall a page. */
export const SWEEP_KEYS_MAX = 10_000;

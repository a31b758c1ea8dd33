/** Every bound of the database in one place, each with the reason for its value. */
import { BATCH_BYTES_MAX } from "../memory/limits.ts";

/** The size of the map `db` on each node, unless `--database` states another. */
export const DATABASE_BYTES_DEFAULT: number = 256 * 1024 * 1024;
/**
 * The sizes that may be asked for: at least enough for some transactions, and at most what one process can hold beside
 * its index.
 */
export const DATABASE_BYTES_LEAST: number = 16 * 1024 * 1024;
export const DATABASE_BYTES_MOST: number = 8 * 1024 * 1024 * 1024;

// Statements and values

/** The text of a statement: as much as a person or a program writes. Bulk data goes through parameters. */
export const SQL_BYTES_MAX: number = 1024 * 1024;
/** A value within a statement. SQLite would take a gigabyte, which no tab has. */
export const SQL_VALUE_BYTES_MAX: number = 16 * 1024 * 1024;
/** A value in the map: half of the size of an entry. A larger one is a content on the disk. */
export const CELL_BYTES_MAX: number = 32 * 1024;
/** The packed cells in a row's entry; further cells get entries of their own. An entry has 64 KiB. */
export const ROW_BYTES_MAX: number = 48 * 1024;
/** A primary key in the map's keys, which have 1 KiB, including table and column. */
export const PRIMARY_KEY_BYTES_MAX = 960;
/** All changes of one transaction: it is one batch of the map. */
export const TRANSACTION_BYTES_MAX: number = BATCH_BYTES_MAX;
/** The rows of `insert` in one transaction: well below that, since keys and packing are only estimated. */
export const INSERT_BYTES = 400_000;
/** Columns of a table: SQLite's own bound is 2,000, and a row is one message. */
export const COLUMNS_MAX = 500;
/** Tables, views, indexes and triggers that count, the oldest first, whoever wrote them. */
export const OBJECTS_MAX = 1_000;
/** Columns of a table that rows have had before the schema has them. With more, any change of the schema fills it again. */
export const UNKNOWN_COLUMNS_MAX = 1_000;
/** Letters of a name, and of the definition of a column, view or trigger. */
export const NAME_CHARS_MAX = 128;
export const DEFINITION_CHARS_MAX = 16_384;

// Large values

/** Those of one transaction, which are in memory several times over while it is written. */
export const LARGE_TRANSACTION_BYTES_MAX: number = 32 * 1024 * 1024;
/** All that the index of a node has: SQLite holds them in memory, where a tab has some gigabytes. */
export const LARGE_INDEX_BYTES_MAX: number = 256 * 1024 * 1024;
/**
 * What the index may take. WebAssembly ends at 2 GiB, and the rows of a map of the usual size take a third of this. A
 * member can make a schema in which each row takes megabytes (a generated column, an index of an expression).
 */
export const INDEX_BYTES_MAX: number = 1024 * 1024 * 1024;
/**
 * The same for time: what the rows of a table may take in all, if each takes more than this on average, which is a hundred
 * times more than rows take. A member can make a CHECK that takes seconds.
 */
export const TABLE_MS_MAX = 30_000;
export const ROW_MS_MAX = 5;
/** How long it may take to follow a change of the map, before the index is made again. The index of a large table takes a minute. */
export const UPDATE_MS_MAX = 300_000;
/** Tables that are left out for these reasons, before the index is given up. */
export const TOO_LARGE_TABLES_MAX = 100;
/** How soon they are tried again after others have changed the schema. */
export const TOO_LARGE_AGAIN_MS = 60_000;
/** Values that are kept beside the index, for rows that are read anew. */
export const LARGE_CACHE_BYTES: number = 32 * 1024 * 1024;
/** Values that are waited for: more than the index has room for. */
export const LARGE_WANTED_MAX = 10_000;
/** Values that are fetched at once: at most 64 MiB in memory. */
export const LARGE_FETCHED_MAX = 4;
/** The time for one of 16 MiB at 200 KB/s. */
export const LARGE_FETCH_MS = 90_000;
export const LARGE_PUT_MS = 60_000;
/** When a fetch that failed is tried again: soon, and in the end each minute. */
export const LARGE_AGAIN_MS = 200;
export const LARGE_AGAIN_MS_MAX = 60_000;
/** Attempts to fetch a value that others wait for: with the pauses above, the next one begins after three seconds. */
export const LARGE_YOUNG_ATTEMPTS = 4;
/**
 * For how long a transaction of another node waits for its large values before it is shown without the rows that have
 * them. A fetch takes a second; a member must not stop all others for longer.
 */
export const LARGE_HOLD_MS = 3_000;
/** The same when the index is filled, for which the first statement waits: enough for values stored on this node. */
export const LARGE_LOAD_MS = 500;
/** After a value did not come in that time, nothing is held back for this long. */
export const LARGE_HOLD_AGAIN_MS = 30_000;
/** Entries that are looked at for references to contents without a pause: some milliseconds. */
export const REFERENCES_LOOKED_AT = 2_000;

// Counters

/** Entries of other writers that a counter may have before they are folded into one: few, and few foldings. */
export const COUNT_FOLD_ENTRIES = 8;
/** Entries as old as this are folded: they have reached all nodes that are not cut off, and their writers are at rest. */
export const COUNT_FOLD_AFTER_MS = 60_000;
/** What is folded in one transaction, so that no transaction fails because of it. */
export const COUNT_FOLD_BYTES_MAX: number = 256 * 1024;
/** Writers in one folded entry: 22 bytes each, well below the size of a value. */
export const COUNT_FOLDED_WRITERS = 1_000;
/** How long after an entry of sums has gone a node looks for them in other entries: batches are complete by then. */
export const COUNT_RESCUE_MS = 1_000;
/** Each node looks a different time later, up to this, so that one of them writes a missing sum again for all. */
export const COUNT_RESCUE_SPREAD_MS = 4_000;
/** Counters that have lost an entry and were not looked at yet. */
export const COUNTS_RESCUED_MAX = 100_000;

// Time

/** How long a statement may run. A longer one keeps all others of this node waiting. */
export const QUERY_MS_MAX = 60_000;
/** SQLite looks at the clock after this many of its instructions: some tenths of a millisecond. */
export const PROGRESS_STEPS = 20_000;
/**
 * A statement that has to end and does not end in this time is ended together with its thread; the index is made anew.
 */
export const CANCEL_MS = 1_000;
/** An open transaction that is not used for this long is rolled back. */
export const TRANSACTION_IDLE_MS = 10_000;
/** How long a reader of a large answer may pause while a writer waits. */
export const READER_REST_MS = 10_000;
/** The shortest time between two answers of a live query: a person reads no faster. */
export const LIVE_EVERY_MS = 50;

// Answers

/** Rows of a page, and their bytes. */
export const PAGE_ROWS = 500;
export const PAGE_BYTES: number = 256 * 1024;
/** How much of an answer the thread holds, so that nobody waits for its reader. */
export const RESULT_BYTES_HELD: number = 8 * 1024 * 1024;
/** The size of an answer that is asked for as a whole. */
export const RESULT_BYTES_MAX: number = 64 * 1024 * 1024;
/** Statements that the thread keeps prepared. */
export const PREPARED_MAX = 64;
/** Calls that wait for the index: further ones are refused. */
export const WAITING_MAX = 10_000;
/** Waiting statements that are committed together. */
export const GROUP_MAX = 256;

// Following the map

/** Rows that are read from the map without a pause: some milliseconds. */
export const APPLY_ROWS = 1_000;
export const APPLY_BYTES: number = 512 * 1024;
/** For how long replaced values are remembered: whoever has spoilt a table notices it within a day. */
export const HISTORY_MS: number = 24 * 3_600_000;
/** The size of the remembered values, in RAM beside the map: as much as a tab can spare, some 100,000 cells. */
export const HISTORY_BYTES_MAX: number = 16 * 1024 * 1024;
/** The cost of one of them besides its key and value. */
export const HISTORY_ENTRY_BYTES = 120;
/** Versions of one row that are returned: as many as a person reads, even if a counter in the row changes all day. */
export const ROW_VERSIONS_MAX = 1_000;
/** Earlier moments that are open at once: each is an index of its own. */
export const HISTORY_OPEN_MAX = 2;
/** Rows of a computer's table that go to the index at once: some milliseconds of the node's thread. */
export const FILL_ROWS = 500;
/** Rows that are known to be outdated in the index; with more, the index is made anew. */
export const DIRTY_MAX = 1_000_000;

/** Every bound of the database in one place, each with the reason for its value. */
import { BATCH_BYTES_MAX } from "../memory/limits.ts";

/** The map `db` on each node, unless it is told otherwise (`--database`). */
export const DATABASE_BYTES_DEFAULT: number = 256 * 1024 * 1024;
/** What may be asked for: some transactions at the least, and at the most what one process can hold beside its index. */
export const DATABASE_BYTES_LEAST: number = 16 * 1024 * 1024;
export const DATABASE_BYTES_MOST: number = 8 * 1024 * 1024 * 1024;

// Statements and values

/** A statement's text: what a person or a program writes; bulk goes through parameters. */
export const SQL_BYTES_MAX: number = 1024 * 1024;
/** A value within a statement. SQLite would take a gigabyte, which no tab has. */
export const SQL_VALUE_BYTES_MAX: number = 16 * 1024 * 1024;
/** A value that is kept in a table: half of what an entry of the map takes. */
export const CELL_BYTES_MAX: number = 32 * 1024;
/** The packed cells that share a row's entry; those beyond it get entries of their own. An entry has 64 KiB. */
export const ROW_BYTES_MAX: number = 48 * 1024;
/** A primary key as it is written in the map's keys: these have 1 KiB, with table and column. */
export const PRIMARY_KEY_BYTES_MAX = 960;
/** All that one transaction changes: it is one batch of the map. */
export const TRANSACTION_BYTES_MAX: number = BATCH_BYTES_MAX;
/** Of `insert`, for one transaction: well below that, since keys and packing are only estimated. */
export const INSERT_BYTES = 400_000;
/** Columns of a table: SQLite's own bound is 2,000, and a row is one message. */
export const COLUMNS_MAX = 500;
/** Tables, views, indexes and triggers that are considered, the oldest first, whoever wrote how many. */
export const OBJECTS_MAX = 1_000;
/** Letters of a name, and of the definition of a column, view or trigger. */
export const NAME_CHARS_MAX = 128;
export const DEFINITION_CHARS_MAX = 16_384;

// Time

/** How long a statement may run. A longer one keeps all others of this node waiting. */
export const QUERY_MS_MAX = 60_000;
/** SQLite looks at the clock after so many of its instructions: some tenths of a millisecond. */
export const PROGRESS_STEPS = 20_000;
/** A statement that is to end and does not for so long is ended with its thread; the index is made anew. */
export const CANCEL_MS = 1_000;
/** An open transaction of which nobody uses anything for so long is rolled back. */
export const TRANSACTION_IDLE_MS = 10_000;
/** A reader of a large answer may rest so long while a writer waits. */
export const READER_REST_MS = 10_000;
/** A live query tells a new answer at most so often: a person reads no faster. */
export const LIVE_EVERY_MS = 50;

// Answers

/** Rows of a page, and their bytes. */
export const PAGE_ROWS = 500;
export const PAGE_BYTES: number = 256 * 1024;
/** What the thread holds of an answer, so that nobody waits for its reader. */
export const RESULT_BYTES_HELD: number = 8 * 1024 * 1024;
/** An answer that is asked for as a whole. */
export const RESULT_BYTES_MAX: number = 64 * 1024 * 1024;
/** Statements that the thread keeps prepared. */
export const PREPARED_MAX = 64;
/** Calls that wait for the index: more are turned away. */
export const WAITING_MAX = 10_000;
/** Statements that wait and are committed together. */
export const GROUP_MAX = 256;

// Following the map

/** Rows that are read from the map in one turn of the node's thread: some milliseconds. */
export const APPLY_ROWS = 1_000;
export const APPLY_BYTES: number = 512 * 1024;
/** What was replaced in so long is remembered: whoever spoils a table sees it within a day. */
export const HISTORY_MS: number = 24 * 3_600_000;
/** Of what was replaced, in RAM beside the map: what a tab can spare, and some 100,000 cells. */
export const HISTORY_BYTES_MAX: number = 16 * 1024 * 1024;
/** What one of them costs beyond its key and value. */
export const HISTORY_ENTRY_BYTES = 120;
/** Earlier moments that are looked at at once: each is an index of its own. */
export const HISTORY_OPEN_MAX = 2;
/** Rows of a table of the computer that go to the index at once: some milliseconds of the node's thread. */
export const FILL_ROWS = 500;
/** Rows that are known to be out of date in the index; beyond it the index is made anew. */
export const DIRTY_MAX = 1_000_000;

/** Every bound of jobs in one place, each with the reason for its value. What bounds one task is in sandbox/limits.ts. */

// A node that works

/** Tasks of one asker that run or wait here. Twice the cores of a large machine; the asker prefetches little more than cores. */
export const TASKS_PER_ASKER_MAX = 48;
/** Tasks that run or wait here in all. */
export const TASKS_MAX = 192;
/** Bytes of inputs, outputs and modules under way that are held for others. */
export const BLOB_BYTES_MAX: number = 128 * 1024 * 1024;
/** The part of them that one asker may use. */
export const BLOB_BYTES_PER_ASKER_MAX: number = 48 * 1024 * 1024;
/** A blob that nobody asked for or added to for so long is dropped. */
export const BLOB_IDLE_MS = 60_000;

// On the wire

/** Bytes of a payload in one request. Small enough to be forwarded by a member, where there is no link of our own. */
export const PIECE_BYTES_MAX: number = 192 * 1024;
/** How long a piece may take: 192 KiB at 10 kB/s. */
export const PIECE_TIMEOUT_MS = 20_000;

/** What the asker of a task allows beyond the task's own time, for the way and the queue there. */
export const RUN_ALLOWANCE_MS = 30_000;

// A job

/** Inputs and results that a job holds at once; a source is not read further, or chunks not handed out, above it. */
export const JOB_BYTES_MAX: number = 64 * 1024 * 1024;
/** Chunks between the oldest that is open and the newest that is handed out: bounds what waits to be put in order. */
export const JOB_WINDOW_CHUNKS = 4_096;
/** Chunks beyond its cores that a node is given at most, however long the round trip. */
export const PREFETCH_MAX = 16;
/** Copies of one chunk under way at once. */
export const COPIES_MAX = 3;
/** Failures of nodes, not of the task, after which a chunk is run by the submitter only. */
export const CHUNK_FAILURES_MAX = 4;
/** Pause before a node that failed or was busy is asked again, doubled each time. */
export const BACKOFF_MIN_MS = 250;
export const BACKOFF_MAX_MS = 15_000;
/** How often a job looks for chunks that are late, and reports progress. */
export const JOB_TICK_MS = 200;
/** The stretch of time over which a job's rate is measured. */
export const RATE_WINDOW_MS = 10_000;
/** Jobs of this node that run at once. */
export const JOBS_MAX = 16;
/** Rate at which a node tells how many of its cores are busy. */
export const BUSY_REPORT_MS = 2_000;

// A job that is written down (spec.ts)

/** An entry of the map has 64 KiB; the rest is left to who wrote it and when. */
export const SPEC_BYTES_MAX: number = 48 * 1024;
/** Contents of up to so many bytes are written into the job's entry: shards of them would be tiny. */
export const INLINE_BYTES_MAX = 4_096;
/** Letters of a job's title: what a line of a listing has room for. */
export const TITLE_CHARS_MAX = 100;
/**
 * Tasks of a job, reductions among them. What is kept of each is less than a bit where neighbours are done by one node; a
 * million tasks of a millisecond are seventeen minutes of a core.
 */
export const TASKS_PER_JOB_MAX: number = 2 ** 24;
export const ARGUMENTS_MAX = 64;
export const ARGUMENT_CHARS_MAX = 4_096;
/** Nodes that a job may be bound to by name. */
export const NODES_NAMED_MAX = 64;
/** Devices that run the same task: an even larger majority than 8 of 15 is no more honest. */
export const RUNS_MAX = 15;
/** Steps of one task: ten minutes of a core at some billion a second. */
export const FUEL_MAX: number = 2 ** 40;
/** A list of inputs: what the largest job has at 64 KiB each. */
export const LIST_BYTES_MAX: number = 2 ** 40;
/** The names and CIDs of a job's files: 100,000 of them. Each node that runs some holds it whole. */
export const FILE_LIST_BYTES_MAX: number = 16 * 1024 * 1024;
/** Smaller pieces of files cost more to fetch than to work on. */
export const PIECE_OF_FILE_BYTES_MIN = 1_024;
/** Numbers of a range: what is divided in halves and added without losing a digit. */
export const NUMBER_MAX: number = 2 ** 52;

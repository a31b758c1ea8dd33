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

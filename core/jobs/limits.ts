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
/** A list of inputs: what the largest job has at 64 KiB each. */
export const LIST_BYTES_MAX: number = 2 ** 40;
/** The names and CIDs of a job's files: 100,000 of them. Each node that runs some holds it whole. */
export const FILE_LIST_BYTES_MAX: number = 16 * 1024 * 1024;
/** Smaller pieces of files cost more to fetch than to work on. */
export const PIECE_OF_FILE_BYTES_MIN = 1_024;
/** Numbers of a range: what is divided in halves and added without losing a digit. */
export const NUMBER_MAX: number = 2 ** 52;

// Who does what (plan.ts)

/** Blocks of tasks that nodes are ranked for: five for each of 200 nodes, and ranking them takes some milliseconds. */
export const BLOCKS_MAX = 1_024;
/** How much work a node claims ahead: so many times as long as passes until it tells again what it does. */
export const AHEAD_TELLS = 2;
/** Claims are at most so many times what a node has done: the first task's cost may be an exception. */
export const CLAIM_GROWTH = 8;
/** A node of which nothing new was heard for so long, or twice what a task takes, has its tasks run by others too. */
export const LATE_MS_MIN = 3_000;

// The maps (entries.ts)

/** Jobs of the swarm that are known, running and over: 100,000 small ones. */
export const PROC_MAP_BYTES_MAX: number = 32 * 1024 * 1024;
/** What nodes say of their part in jobs: 200 nodes and 20 jobs of entries of 8 KiB. */
export const WORK_MAP_BYTES_MAX: number = 32 * 1024 * 1024;
/** Deleted and expired entries of it say nothing that their expiry does not say. */
export const WORK_HORIZON_MS: number = 10 * 60_000;
/** Packed intervals of one kind in a node's entry: some thousand. Where there are more, the shortest are left out. */
export const INTERVALS_BYTES_MAX: number = 8 * 1024;
/** Failures that a node tells with their reasons, and letters of these: a person reads a few. */
export const FAILURES_TOLD_MAX = 8;
export const FAILURE_CHARS_MAX = 300;
/** A job is known for so long after it was submitted, its outcome after it has ended. */
export const JOB_KEPT_MS: number = 30 * 24 * 3_600_000;
/** What its submitter has read is kept for so long after it has ended. */
export const READ_KEPT_MS: number = 7 * 24 * 3_600_000;
/** Jobs of one submitter that are known. Beyond it the oldest that is over makes room; where all run, a new one is refused. */
export const JOBS_PER_SUBMITTER_MAX = 128;
/** Jobs that are considered, the oldest first, whoever wrote how many. */
export const JOBS_KNOWN_MAX = 4_096;
/** Running jobs in which a node takes part at once. */
export const JOBS_SERVED_MAX = 32;

/** Parts of a job of which its outcome says who did them: cells of a strip on a phone. */
export const WHO_PARTS = 64;

// Inputs (inputs.ts)

/** Files of a job, letters of their names, and bytes of one: what a disk of the swarm may hold. */
export const FILES_MAX = 200_000;
export const FILE_NAME_CHARS_MAX = 1_024;
export const FILE_BYTES_MAX: number = 2 ** 44;
/** Inputs that are read together, and their bytes: a request for each would cost more than it brings. */
export const INPUTS_AHEAD = 4_096;
export const INPUTS_AHEAD_BYTES: number = 512 * 1024;

/** Tasks of a graph, and how often they name each other: each node that runs some holds it whole, and looks through it often. */
export const GRAPH_TASKS_MAX = 16_384;
export const GRAPH_NEEDS_MAX = 65_536;
export const GRAPH_NEEDS_BYTES_MAX: number = 512 * 1024;

// Results (results.ts, wire.ts)

/** Outputs up to so many bytes travel and are held as they are; larger ones become contents of the disk. */
export const OUTPUT_INLINE_BYTES_MAX: number = 16 * 1024;
/** Results that a node holds for one job, and for all: beyond it outputs become contents, and copies are refused. */
export const HELD_JOB_BYTES_MAX: number = 48 * 1024 * 1024;
export const HELD_BYTES_MAX: number = 96 * 1024 * 1024;
/** Outputs in one message, and their bytes (PIECE_BYTES_MAX). */
export const OUTPUTS_PER_MESSAGE_MAX = 4_096;
/** How long one message of results may take. */
export const RESULTS_TIMEOUT_MS = 15_000;
/** Packed task numbers of one question: some hundred intervals. */
export const ASKED_TASKS_BYTES_MAX = 2_048;
/** Nodes that are asked for results at once. */
export const GATHER_PARALLEL = 8;
/** Tasks whose results are brought together at a time, at the least and the most, and the bytes that are aimed at. */
export const GATHER_TASKS_MIN = 512;
export const GATHER_TASKS_MAX: number = 128 * 1024;
export const GATHER_BYTES: number = 8 * 1024 * 1024;
/** Keys, or lines, that are held at once to be merged or sorted: what a tab can spare for a while. */
export const COMBINED_BYTES_MAX: number = 64 * 1024 * 1024;
/** What a node has taken a copy of, it tells within this time. */
export const COPY_AGAIN_MS = 8_000;
/** A node that took no copy is asked again after so long. */
export const COPY_REFUSED_MS = 10_000;

// A node's part in a job (part.ts)

/**
 * How often a node writes what it does, at the most, and for each node of a large swarm: all of it goes to all of them, and
 * at 200 nodes that is 83 entries a second for each. At the least it writes so often that its entry does not expire.
 */
export const TELL_EVERY_MS = 1_000;
export const TELL_EVERY_NODE_MS = 12;
export const TELL_EVERY_MS_MAX = 5_000;
/** The same of a node that has nothing to run. */
export const IDLE_EVERY_MS = 200;
/** Without a word of it for so long, a node's part in a job is over: three times that it could have told. */
export const LEASE_MS = 16_000;
/** How often it looks at what others do, and plans at most. */
export const LOOK_EVERY_MS = 500;
export const PLAN_EVERY_MS = 20;
/** Tasks that take less are handed to the cores ahead of time, so that these do not wait for the next. */
export const SHORT_TASK_MS = 50;
/** Pause of a node that could not run a task for a fault of its own, doubled each time. */
export const FAULT_PAUSE_MS = 500;
export const FAULT_PAUSE_MS_MAX = 30_000;
/** Who puts the results together and makes no progress for so long yields to the next. */
export const COMBINE_TURN_MS = 10_000;
/** After so long a result that is not safe everywhere is told all the same: it is readable. */
export const SAFE_WITHIN_MS = 20_000;
/** Results stay for so long after the job is over: who watches them come may be behind. */
export const RESULTS_KEPT_MS = 30_000;
/** A state that changes all the time is told so often. */
export const STATE_EVERY_MS = 250;
/** Contents that were put for jobs to come, of which it is remembered when they are safe. */
export const PUTS_AWAITED_MAX = 64;
/** A job that could not be worked on for so long yields its place to one that has none, and for so long. */
export const STALLED_MS = 60_000;
export const BENCHED_MS: number = 5 * 60_000;
export const ROTATE_EVERY_MS = 30_000;

/** The result of a job of the same work is given again for so long, to who may believe it. */
export const REMEMBERED_MS: number = 24 * 3_600_000;

// What a node remembers of its own tasks (memo.ts)

/** Outputs, and what each entry costs beside them. */
export const MEMO_BYTES_MAX: number = 16 * 1024 * 1024;
export const MEMO_ENTRY_BYTES = 250;
export const MEMO_OUTPUT_BYTES_MAX: number = 1024 * 1024;
/** A larger input is not hashed: that takes a page's thread longer than a frame. */
export const MEMO_INPUT_BYTES_MAX: number = 256 * 1024;
/** What takes less is as soon computed as looked up. */
export const MEMO_MS_MIN = 2;

// Verifying (draw.ts, ballot.ts, verifier.ts)

/** Blocks of tasks that devices are drawn for: with ten nodes and three runs each node has some 77, alike within a tenth. */
export const DRAW_BLOCKS_MAX = 256;
/** A node with more cores is drawn as if it had these: what it says of them is its own word. */
export const DRAW_WEIGHT_MAX = 4;
/** Of SHA-256: nobody finds a second result with the same 128 bits. */
export const DIGEST_BYTES = 16;
/** The number that hides what is committed to, which may be one of two words. */
export const NONCE_BYTES = 16;
/** Tasks of one commitment, of which the digests go in one message, and their packed intervals. */
export const COMMIT_TASKS_MAX = 4_096;
export const COMMIT_TASKS_BYTES_MAX = 32;
/** Commitments that a node tells at once, 8 KiB: with the rest its entry stays below the map's greatest value. */
export const COMMITS_MAX = 128;
/** What all have seen to agree is told a little longer, for those who are behind. */
export const COMMIT_KEPT_MS = 5_000;
export const OPENINGS_BYTES_MAX: number = 128 * 1024;
/** Nodes that a node says have disagreed, and the tasks of each, one of a block, packed. More liars are no minority. */
export const DISPUTES_MAX = 32;
export const DISPUTE_TASKS_MAX = 32;
export const DISPUTE_TASKS_BYTES_MAX = 128;
/** Fuel of a job: more is not counted. A million tasks of the greatest fuel have 2^63. */
export const FUEL_TOLD_MAX: number = 2 ** 52;
/** Digests of results in one answer. */
export const SUMS_MAX = 8_192;
/** Nodes that are asked for their answers at once. */
export const VERIFY_PARALLEL = 8;
/** A node that is drawn and brings nothing for so long, or four times what a task takes, is replaced by the next. */
export const DRAWN_LATE_MS = 10_000;
/** When all is verified, answers that have not been compared are waited for so long: who lied in them is to be named. */
export const NAMING_MS = 2_000;
/** Who was named in a job of the last hour is drawn for none. */
export const DISTRUST_MS: number = 3_600_000;
/** Who has found a proposed result to be another than its own looks again after so long. */
export const PROPOSAL_AGAIN_MS = 3_000;
/** Members who confirm one result: more than are ever asked to. */
export const CONFIRMATIONS_MAX = 256;
/** So long a member that has gone is remembered; who confirmed the result of an older job may be unknown now. */
export const MEMBERS_KNOWN_MS: number = 24 * 3_600_000;

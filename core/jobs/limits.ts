/** Every bound of jobs, with its reason. The bounds of a single task are in sandbox/limits.ts. */

// A node that works

/**
 * Tasks of one asker that run or wait here: twice the cores of a large machine. An asker sends little more ahead than
 * cores.
 */
export const TASKS_PER_ASKER_MAX = 48;
/** Tasks that run or wait here in all. */
export const TASKS_MAX = 192;
/** Bytes of inputs, outputs and modules in transit that are held for others. */
export const BLOB_BYTES_MAX: number = 128 * 1024 * 1024;
/** The part of them that one asker may use. */
export const BLOB_BYTES_PER_ASKER_MAX: number = 48 * 1024 * 1024;
/** A blob that nobody has asked for or added to for this long is dropped. */
export const BLOB_IDLE_MS = 60_000;

// On the wire

/** Bytes of a payload in one request: small enough to be forwarded by a member, if there is no direct link. */
export const PIECE_BYTES_MAX: number = 192 * 1024;
/** How long a piece may take: 192 KiB at 10 kB/s. */
export const PIECE_TIMEOUT_MS = 20_000;

/** What the asker of a task allows beyond the task's own time, for transfer and waiting. */
export const RUN_ALLOWANCE_MS = 30_000;

// A job

/**
 * Bytes of inputs and results that a job holds at once. Above it no more is read from the source, and no chunks are
 * handed out.
 */
export const JOB_BYTES_MAX: number = 64 * 1024 * 1024;
/**
 * Chunks between the oldest open one and the newest that is handed out, which bounds the results that wait to be put in
 * order.
 */
export const JOB_WINDOW_CHUNKS = 4_096;
/** Chunks that a node is given beyond its cores at most, however long the round trip is. */
export const PREFETCH_MAX = 16;
/** Copies of one chunk that run at once. */
export const COPIES_MAX = 3;
/** After so many failures of nodes (not of the task) only the submitter runs a chunk. */
export const CHUNK_FAILURES_MAX = 4;
/** Pause before a node that failed or was busy is asked again, doubled each time. */
export const BACKOFF_MIN_MS = 250;
export const BACKOFF_MAX_MS = 15_000;
/** How often a job looks for chunks that are late, and reports progress. */
export const JOB_TICK_MS = 200;
/** The time over which a job's rate is measured. */
export const RATE_WINDOW_MS = 10_000;
/** Jobs of this node that run at once. */
export const JOBS_MAX = 16;
/** How often a node tells how many of its cores are busy. */
export const BUSY_REPORT_MS = 2_000;

// Jobs that are written down (spec.ts)

/** An entry of the map has 64 KiB; the rest is for the writer and the time. */
export const SPEC_BYTES_MAX: number = 48 * 1024;
/** A content of up to so many bytes is written into the job's entry, because shards of it would be tiny. */
export const INLINE_BYTES_MAX = 4_096;
/** Letters of a job's title: it has to fit in a line of a listing. */
export const TITLE_CHARS_MAX = 100;
/**
 * Tasks of a job, reductions among them. A task costs less than a bit if the same node did its neighbours too. A
 * million tasks of a millisecond are seventeen minutes of a core.
 */
export const TASKS_PER_JOB_MAX: number = 2 ** 24;
export const ARGUMENTS_MAX = 64;
export const ARGUMENT_CHARS_MAX = 4_096;
/** Nodes that a job can be restricted to. */
export const NODES_NAMED_MAX = 64;
/** Devices that run the same task. A larger majority than 8 of 15 makes no difference. */
export const RUNS_MAX = 15;
/** Bytes of a list of inputs: the largest job with 64 KiB for each task. */
export const LIST_BYTES_MAX: number = 2 ** 40;
/**
 * Bytes of the list of a job's files: names and CIDs of 100,000. Each node that runs some of them holds the whole list.
 */
export const FILE_LIST_BYTES_MAX: number = 16 * 1024 * 1024;
/** Smaller pieces of files take longer to fetch than to work on. */
export const PIECE_OF_FILE_BYTES_MIN = 1_024;
/** The numbers of a range: they can be halved and added without losing a digit. */
export const NUMBER_MAX: number = 2 ** 52;

// Who does what (plan.ts)

/**
 * Blocks of tasks for which nodes are ranked: five for each of 200 nodes, so that a node that comes late gets its part.
 * Ranking them takes some milliseconds.
 */
export const BLOCKS_MAX = 1_024;
/** How much work a node claims ahead: this many times the interval at which it tells what it does. */
export const AHEAD_TELLS = 2;
/** A node claims at most this many times what it has done, because the cost of its first tasks may not be typical. */
export const CLAIM_GROWTH = 8;
/** If nothing new was heard of a node for this long, or for twice what a task takes, others run its tasks too. */
export const LATE_MS_MIN = 3_000;

// The maps (entries.ts)

/** The known jobs of the swarm, running and over: 100,000 small ones. */
export const PROC_MAP_BYTES_MAX: number = 32 * 1024 * 1024;
/** What nodes say of their part in jobs: entries of 8 KiB for 200 nodes and 20 jobs. */
export const WORK_MAP_BYTES_MAX: number = 32 * 1024 * 1024;
/**
 * How long deleted entries of `work` are remembered. That need not be long: a node's entry that expires says the same
 * as a deleted one.
 */
export const WORK_HORIZON_MS: number = 10 * 60_000;
/**
 * Bytes of one kind of intervals in a node's entry: some thousand intervals. If there are more, the shortest are left
 * out.
 */
export const INTERVALS_BYTES_MAX: number = 8 * 1024;
/** Failures that a node tells with their reasons, and letters of a reason: a person reads a few. */
export const FAILURES_TOLD_MAX = 8;
export const FAILURE_CHARS_MAX = 300;
/** A job is known for this long after it was submitted, and its outcome for this long after it has ended. */
export const JOB_KEPT_MS: number = 30 * 24 * 3_600_000;
/** A job whose submitter has read the result is kept for this long after it has ended. */
export const READ_KEPT_MS: number = 7 * 24 * 3_600_000;
/** Known jobs of one submitter. Beyond it the oldest that is over makes room; if all run, a new one is refused. */
export const JOBS_PER_SUBMITTER_MAX = 128;
/** Jobs that are considered, the oldest first, whoever wrote them. */
export const JOBS_KNOWN_MAX = 4_096;
/** Running jobs in which a node takes part at once. */
export const JOBS_SERVED_MAX = 32;

/** The outcome says who did which of this many parts of the job: the cells of a strip on a phone. */
export const WHO_PARTS = 64;

// Inputs (inputs.ts)

/** Files of a job, letters of a file's name, and bytes of a file. */
export const FILES_MAX = 200_000;
export const FILE_NAME_CHARS_MAX = 1_024;
export const FILE_BYTES_MAX: number = 2 ** 44;
/** Inputs that are read together, and their bytes: a request for each would cost more than it brings. */
export const INPUTS_AHEAD = 4_096;
export const INPUTS_AHEAD_BYTES: number = 512 * 1024;

/**
 * Tasks of a graph (including those that tasks return), and how often they name each other. Each node that runs some of
 * them holds the whole graph, and often looks through it.
 */
export const GRAPH_TASKS_MAX = 16_384;
export const GRAPH_NEEDS_MAX = 65_536;
export const GRAPH_NEEDS_BYTES_MAX: number = 512 * 1024;
/** Programs of a graph besides the job's: what a spec of 48 KiB may name. */
export const GRAPH_PROGRAMS_MAX = 16;
/** Length of a chain of tasks of which each was returned by the one before: a loop with this many turns. */
export const GRAPH_DEPTH_MAX = 1_024;
/** A list of tasks that a task returns: every node that runs some of the job reads it. */
export const RETURNED_BYTES_MAX: number = 256 * 1024;
/**
 * The first bytes of an output, which tell whether it is a list of tasks or a value. So a value need not be read whole.
 */
export const RETURNED_BEGIN_BYTES = 256;
/** All lists of a job together: every node that runs some of the job holds what is in them. */
export const GROWN_BYTES_MAX: number = 4 * 1024 * 1024;
/** Results that are fetched together, of tasks that may return others. */
export const GROWING_AT_ONCE = 256;

// Results (results.ts, wire.ts)

/** Outputs of up to so many bytes are sent and held as bytes; larger ones become contents of the disk. */
export const OUTPUT_INLINE_BYTES_MAX: number = 16 * 1024;
/**
 * Bytes of results that a node holds for one job, and for all jobs. Beyond it outputs become contents, and copies are
 * refused.
 */
export const HELD_JOB_BYTES_MAX: number = 48 * 1024 * 1024;
export const HELD_BYTES_MAX: number = 96 * 1024 * 1024;
/** Outputs in one message, and their bytes (PIECE_BYTES_MAX). */
export const OUTPUTS_PER_MESSAGE_MAX = 4_096;
/** How long one message of results may take. */
export const RESULTS_TIMEOUT_MS = 15_000;
/** Packed task numbers in one question: some hundred intervals. */
export const ASKED_TASKS_BYTES_MAX = 2_048;
/** Nodes that are asked for results at once. Their answers are 3 MiB at most. */
export const GATHER_PARALLEL = 16;
/** Tasks whose results are fetched together, at least and at most, and the bytes that are aimed at. */
export const GATHER_TASKS_MIN = 512;
export const GATHER_TASKS_MAX: number = 128 * 1024;
export const GATHER_BYTES: number = 8 * 1024 * 1024;
/** If more come, fewer tasks' results are fetched together. */
export const GATHER_BYTES_MAX: number = 32 * 1024 * 1024;
/** Bytes of keys or lines that are held at once to be merged or sorted: what a tab can spare for a while. */
export const COMBINED_BYTES_MAX: number = 64 * 1024 * 1024;
/**
 * In a swarm of fewer devices, a small result is held by more than half of them. In a larger swarm that would be too
 * many copies: there each result is on two devices, and a half that leaves at once may take both.
 */
export const HALF_DEVICES_MAX = 16;
/**
 * A result is small up to this size, including its cost in a message; and how many bytes of such copies a node gives a
 * second.
 */
export const COPY_SMALL_BYTES_MAX = 1_024;
export const HALF_BYTES_A_SECOND: number = 64 * 1024;
/**
 * In a large swarm the node that puts the results together waits for so long until copies of the last ones are on few
 * nodes: a second for giving them, and half a second until all know.
 */
export const LAST_COPIES_MS = 1_500;
/** A node tells within this time that it has taken copies. */
export const COPY_AGAIN_MS = 8_000;
/** A node that took no copy is asked again after this long. */
export const COPY_REFUSED_MS = 10_000;

// A node's part in a job (part.ts)

/**
 * A node writes its entry at most this often. In a large swarm the interval grows by TELL_EVERY_NODE_MS for each node
 * that works on the job, because every entry goes to all nodes: of 200 nodes, each receives 83 entries a second. The
 * interval never exceeds TELL_EVERY_MS_MAX, so that the entry does not expire.
 */
export const TELL_EVERY_MS = 1_000;
export const TELL_EVERY_NODE_MS = 12;
export const TELL_EVERY_MS_MAX = 5_000;
/** The longest such interval for a node that has nothing to run. */
export const IDLE_EVERY_MS = 200;
/** The shortest such interval: in a small swarm it is TELL_EVERY_NODE_MS for each node, but at least this. */
export const IDLE_EVERY_MS_MIN = 50;
/** Without news of it for this long, a node's part in a job is over: by then it could have told three times. */
export const LEASE_MS = 16_000;
/** How often a node looks at what others do, and the most often that it plans. */
export const LOOK_EVERY_MS = 500;
export const PLAN_EVERY_MS = 20;
/** Shorter tasks are given to the cores ahead of time, so that these do not wait for the next task. */
export const SHORT_TASK_MS = 50;
/** How long a node pauses that could not run a task for a fault of its own, doubled each time. */
export const FAULT_PAUSE_MS = 500;
export const FAULT_PAUSE_MS_MAX = 30_000;
/** A node that puts the results together and makes no progress for this long yields to the next. */
export const COMBINE_TURN_MS = 10_000;
/** After this long an outcome is told although its result is not safe everywhere, because it is readable. */
export const SAFE_WITHIN_MS = 20_000;
/** Results are kept for this long after the job is over, because a consumer may be behind. */
export const RESULTS_KEPT_MS = 30_000;
/** A state that changes all the time is told this often. */
export const STATE_EVERY_MS = 250;
/** How often a state is reported while somebody waits for the job's first result. */
export const SOON_EVERY_MS = 20;
/** Contents that were put for future jobs, and whose safety is awaited. */
export const PUTS_AWAITED_MAX = 64;
/** A job that could not be worked on for this long yields its place to one that has none, for as long. */
export const STALLED_MS = 60_000;
export const BENCHED_MS: number = 5 * 60_000;
export const ROTATE_EVERY_MS = 30_000;

/** The result of a job is given again to jobs of the same work for this long. */
export const REMEMBERED_MS: number = 24 * 3_600_000;

// What a node remembers of its own tasks (memo.ts)

/** Bytes of outputs, and what each entry costs beyond them. */
export const MEMO_BYTES_MAX: number = 16 * 1024 * 1024;
export const MEMO_ENTRY_BYTES = 250;
export const MEMO_OUTPUT_BYTES_MAX: number = 1024 * 1024;
/** A larger input is not hashed, because that would block a page's thread for longer than a frame. */
export const MEMO_INPUT_BYTES_MAX: number = 256 * 1024;
/** A shorter task is computed as fast as it is looked up. */
export const MEMO_MS_MIN = 2;

// What the swarm remembers of long tasks (remembered.ts)

/** The swarm remembers a task that took longer, for REMEMBERED_MS. */
export const LONG_TASK_MS = 1_000;
/** What all nodes say together: some 25,000 small results. Each node has an equal part of it. */
export const LONG_TASKS_BYTES_MAX: number = 8 * 1024 * 1024;
/**
 * A node states one result at a time, at most this often. In a large swarm the interval is LONG_TASK_SAID_EVERY_NODE_MS
 * for each member: 200 nodes together state 20 results a second, of 300 bytes each.
 */
export const LONG_TASK_SAID_EVERY_MS = 100;
export const LONG_TASK_SAID_EVERY_NODE_MS = 50;
/**
 * Results that wait to be said, at most 1 MiB, and for how long. Those of verified jobs wait until enough devices
 * agree.
 */
export const LONG_TASKS_WAITING_MAX = 64;
export const LONG_TASK_WAITS_MS: number = 10 * 60_000;
/**
 * Nodes that may state the result of one task: RUNS_MAX, and some that have left. Hostile members may write more
 * statements; the second value bounds how many are read.
 */
export const LONG_TASKS_SAID_MAX = 24;
export const LONG_TASKS_LOOKED_MAX = 64;

// Verifying (draw.ts, ballot.ts, verifier.ts)

/**
 * Blocks of tasks for which devices are drawn. With ten nodes and three runs each node gets about 77 of them, within a
 * tenth.
 */
export const DRAW_BLOCKS_MAX = 256;
/** A node with more cores is drawn as if it had this many, because it could claim any number. */
export const DRAW_WEIGHT_MAX = 4;
/** Bytes of SHA-256: nobody finds a second result with the same 128 bits. */
export const DIGEST_BYTES = 16;
/** The number that hides what is committed to, which may be one of only two values. */
export const NONCE_BYTES = 16;
/** Tasks of one commitment, whose digests go in one message, and the bytes of their packed intervals. */
export const COMMIT_TASKS_MAX = 4_096;
export const COMMIT_TASKS_BYTES_MAX = 32;
/** Commitments that a node tells at once, 8 KiB: with them its entry stays below the largest value of the map. */
export const COMMITS_MAX = 128;
/** Commitments that all have compared are told for this much longer, for nodes that are behind. */
export const COMMIT_KEPT_MS = 5_000;
export const OPENINGS_BYTES_MAX: number = 128 * 1024;
/**
 * Nodes that a node reports as having disagreed; and for each of them the tasks (one of a block), and their packed
 * bytes. If there were more liars, they would be no minority.
 */
export const DISPUTES_MAX = 32;
export const DISPUTE_TASKS_MAX = 32;
export const DISPUTE_TASKS_BYTES_MAX = 128;
/** Fuel of a job: more is not counted. A million tasks of the greatest fuel would have 2^63. */
export const FUEL_TOLD_MAX: number = 2 ** 52;
/** Digests of results in one answer. */
export const SUMS_MAX = 8_192;
/** Nodes that are asked for their answers at once. */
export const VERIFY_PARALLEL = 8;
/** A drawn node that brings nothing for this long, or for four times what a task takes, is replaced by the next. */
export const DRAWN_LATE_MS = 10_000;
/**
 * When all tasks are verified, answers that have not been compared are awaited for this long, so that nodes that lied
 * can be named.
 */
export const NAMING_MS = 2_000;
/** A node that was named in a job within this time is drawn for no other. */
export const DISTRUST_MS: number = 3_600_000;
/** A node whose result differs from the proposed one looks again after this long. */
export const PROPOSAL_AGAIN_MS = 3_000;
/** Confirmations of one outcome that are counted: more than are ever needed. */
export const CONFIRMATIONS_MAX = 256;
/** A member that has left is remembered for this long. The confirming members of an older job may be unknown. */
export const MEMBERS_KNOWN_MS: number = 24 * 3_600_000;

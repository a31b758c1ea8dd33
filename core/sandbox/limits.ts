/** Every bound of the sandbox in one place, each with the reason for its value. */
import type { TaskLimits } from "./types.ts";

export const PAGE_BYTES = 65_536;

// One task

/**
 * The limits of a task unless its job states others. Fuel: optimised code was measured to use 5 to 20 thousand million
 * a second. So this lasts for at least 12 s, and ends an endless loop before the time limit does, except on the slowest
 * machines.
 */
export const LIMITS_DEFAULT: TaskLimits = {
  memoryBytesMax: 64 * 1024 * 1024,
  fuelMax: 250_000_000_000,
  timeMsMax: 60_000,
};
/**
 * The most memory that a node lends to a task of others, whatever they ask for. A phone's tab has a few hundred MiB in
 * all.
 */
export const MEMORY_BYTES_MAX: number = 256 * 1024 * 1024;
/** The most fuel of one task: ten minutes (TIME_MS_MAX) of the most demanding code, on a fast core. */
export const FUEL_MAX: number = 2 ** 43;
/** A core is lent in portions: a longer task should be several tasks, so that a node that leaves loses little. */
export const TIME_MS_MAX: number = 10 * 60_000;
/**
 * The largest module: a compiler or an interpreter fits (20 MB and some more), and sending it over slow links is still
 * bearable.
 */
export const MODULE_BYTES_MAX: number = 20 * 1024 * 1024;
/** The largest input or output of one task. More data should be several tasks. */
export const PAYLOAD_BYTES_MAX: number = 16 * 1024 * 1024;
/**
 * Entries of all tables of a module, including growth: enough for any vtable. The engine takes some 30 bytes for each.
 */
export const TABLE_ENTRIES_MAX = 100_000;

// A module: V8's own limits (wasm-limits.h) hold a browser, not a lent core. Measured with V8 13.6.

/** A compiler's output has one table, an interpreter's a few. Each consists of some objects in each instance. */
export const TABLES_MAX = 100;
/** The engine keeps types as long as it runs. The largest programs have some thousand. */
export const TYPES_MAX = 10_000;
/** Parameters and results of one type (V8 has the same bound), and of all types. */
export const TYPE_VALUES_MAX = 1_000;
export const TYPE_VALUES_SUM_MAX = 100_000;
/** Some 100 bytes each. A module of the largest size has 160 bytes of code for each. */
export const FUNCTIONS_MAX = 100_000;
/** Some 30 bytes each, in every instance. */
export const GLOBALS_MAX = 10_000;
/** An object each in every instance: some 200 bytes for a function. */
export const EXPORTS_MAX = 10_000;
/** The names of all exports together: they become strings of the engine. */
export const NAME_BYTES_SUM_MAX: number = 1024 * 1024;
/** Linkers make a handful of segments; Binaryen splits data up to this number (which is also V8's bound). */
export const DATA_SEGMENTS_MAX = 100_000;
export const ELEMENT_SEGMENTS_MAX = 10_000;
/** References in all element segments: enough to fill the tables twice. */
export const ELEMENTS_SUM_MAX = 200_000;
/** Each known section occurs once; debuggers and toolchains add some dozens of their own. */
export const SECTIONS_MAX = 1_000;
/**
 * One function: optimising it takes some 450 bytes for each byte of code. The main loops of interpreters have 100 kB.
 */
export const FUNCTION_BYTES_MAX: number = 256 * 1024;
/** Locals of one function (V8 has 50,000; the rewriter needs some of them), and of all functions. */
export const LOCALS_MAX = 49_000;
export const LOCALS_SUM_MAX = 4_000_000;
/**
 * Values whose places the compiler remembers at the blocks of one function, 25 bytes each: 100 MB while it compiles.
 */
export const CODE_SLOTS_MAX = 4_000_000;
/** The cost of a block itself, counted as such values: 1 kB. */
export const BLOCK_SLOTS = 40;

// What is written into a module (sandbox/wasm). All of it is part of what a task's result and fuel are: whoever changes
// one of these numbers counts REWRITER_VERSION up.

/**
 * The cost of a call, besides what the function does. It also pays for small functions that call nothing: these count
 * no fuel.
 */
export const CALL_FUEL = 16;
/**
 * A branch that costs at most this is paid for by the code before it. So fuel is a few instructions too high, and one
 * charge less is run.
 */
export const SEGMENT_FUEL = 16;
/** The cost of a page of memory besides the call: as much as writing it, 8 bytes at a time. */
export const FUEL_PAGE = 8_192;
/**
 * Room on the stack, in slots of 8 bytes, from which a function takes its locals and operands. The smallest measured
 * stack is that of Chromium's workers. With the densest frames it ends after 64,688 slots (that of Node.js after
 * 500,820), and the host's own frames need some of them.
 */
export const STACK_SLOTS_MAX = 50_000;
/** The slots of a frame besides locals and operands: return address, instance, saved registers. */
export const FRAME_SLOTS = 16;
/**
 * A function that calls nothing takes room of its own only if its frame is larger than this; this much is always
 * reserved for one.
 */
export const LEAF_FRAME_SLOTS = 1_000;

// Modules and workers of a node

/** Compiled modules that are kept, by the size of their bytes; the machine code is several times larger. */
export const MODULE_CACHE_BYTES_MAX: number = 32 * 1024 * 1024;
export const MODULE_CACHE_COUNT_MAX = 32;
/** Faulty modules whose errors are remembered, so that a bad module is not checked again for each of its tasks. */
export const MODULE_FAILURES_MAX = 256;
/** A module that took too long or too much memory is tried again after this. */
export const MODULE_RETRY_MS = 60_000;
/** Checking and compiling the largest module takes a second or two; a phone under load, ten times as long. */
export const COMPILE_MS_MAX = 20_000;
/** Modules of others that wait or are being compiled: their bytes are held meanwhile. One for each asker. */
export const COMPILING_MAX = 4;
/** An idle worker is ended after this time: it costs a few MiB. */
export const WORKER_IDLE_MS = 30_000;

// Batches: short tasks that go to a worker in one message (batches.ts)

/**
 * The work of a batch. A message costs as much as a task of 0.2 ms, which is little of it. And another job waits no
 * longer for the core than it would for one task of this length.
 */
export const BATCH_MS = 10;
export const BATCH_TASKS_MAX = 100;
/** Inputs of a batch, and outputs of an answer. A task whose own are larger goes alone. */
export const BATCH_BYTES_MAX: number = 256 * 1024;
/** A worker answers this often while it runs a batch: what it has not told yet is run again if the next task hangs. */
export const ANSWER_EVERY_MS = 5;
/** Without an answer for this long, a batch is given up, and its tasks go one by one. */
export const BATCH_LATE_MS = 1_000;
/** Kinds of tasks whose mean time is known: more than a node works on at once. */
export const PACES_MAX = 64;

// A WASI program, and a script

/** The bytes that one call of a program may read or write; a longer call is cut short, as the interface allows. */
export const TRANSFER_BYTES_MAX: number = 1024 * 1024;
/** Words of a command line, and characters of each: as many as a job's entry has room for. */
export const ARGUMENTS_MAX = 64;
export const ARGUMENT_CHARS_MAX = 4_096;
/** The first bytes of a program's standard error that are kept: they tell why it failed. */
export const STDERR_BYTES_MAX = 4_096;
/**
 * The texts of a script, or the arguments of a command, in total. They are sent with each task, in one message with the
 * input. A larger one is a library, and should be a module.
 */
export const PROGRAM_BYTES_MAX: number = 64 * 1024;
/** The message of a failed task: a stack of a dozen calls. */
export const MESSAGE_CHARS_MAX = 2_000;
/** Inputs of a script in one task. Each gets a fresh state. */
export const VALUES_MAX = 100_000;
/** The time that a program sees: each time that it reads the clock, it is a millisecond later than before. */
export const CLOCK_STEP_MS = 1;

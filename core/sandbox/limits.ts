/** Every bound of the sandbox in one place, each with the reason for its value. */
import type { TaskLimits } from "./types.ts";

export const PAGE_BYTES = 65_536;

// One task

/**
 * What a task gets unless its job says otherwise. Fuel: optimised code was seen to burn 5 to 20 thousand million a second.
 * So much lasts for 12 s at least, and ends an endless loop before the clock does on all but the slowest machines.
 */
export const LIMITS_DEFAULT: TaskLimits = {
  memoryBytesMax: 64 * 1024 * 1024,
  fuelMax: 250_000_000_000,
  timeMsMax: 60_000,
};
/** What a node lends at most to a task of others, whatever they ask. A phone's tab has a few hundred MiB in all. */
export const MEMORY_BYTES_MAX: number = 256 * 1024 * 1024;
/** Fuel of one task at most: ten minutes (TIME_MS_MAX) of the code that burns most, on a fast core. */
export const FUEL_MAX: number = 2 ** 43;
/** A core is lent in portions: longer tasks should be more tasks, so that a leaver loses little. */
export const TIME_MS_MAX: number = 10 * 60_000;
/** Largest module: a compiler or an interpreter fits, and sending it over slow links stays bearable. 20 MB, and some. */
export const MODULE_BYTES_MAX: number = 20 * 1024 * 1024;
/** Largest input or output of one task. More is better cut in more tasks. */
export const PAYLOAD_BYTES_MAX: number = 16 * 1024 * 1024;
/** Entries of a module's tables together, grown ones too: enough for any vtable; the engine takes some 30 bytes each. */
export const TABLE_ENTRIES_MAX = 100_000;

// A module: V8's own limits (wasm-limits.h) hold a browser, not a lent core. Measured with V8 13.6.

/** A compiler's output has one, an interpreter's a few; each is some objects in each instance. */
export const TABLES_MAX = 100;
/** Types are kept by the engine as long as it runs. The largest programs have some thousand. */
export const TYPES_MAX = 10_000;
/** Parameters and results of one type (V8 has the same), and of all of them. */
export const TYPE_VALUES_MAX = 1_000;
export const TYPE_VALUES_SUM_MAX = 100_000;
/** Some 100 bytes each; a module of the largest size then has 160 bytes of code for each. */
export const FUNCTIONS_MAX = 100_000;
/** Some 30 bytes each, in each instance again. */
export const GLOBALS_MAX = 10_000;
/** An object each in each instance: a function's, some 200 bytes. */
export const EXPORTS_MAX = 10_000;
/** Of exports, together: they become the engine's own strings. */
export const NAME_BYTES_SUM_MAX: number = 1024 * 1024;
/** Linkers make a handful, Binaryen splits data up to here (so has V8). */
export const DATA_SEGMENTS_MAX = 100_000;
export const ELEMENT_SEGMENTS_MAX = 10_000;
/** References in element segments together: enough to fill the tables twice. */
export const ELEMENTS_SUM_MAX = 200_000;
/** Known ones are there once; debuggers and toolchains add some dozens of their own. */
export const SECTIONS_MAX = 1_000;
/** One function: optimising it takes some 450 bytes for each of code. The main loops of interpreters have 100 kB. */
export const FUNCTION_BYTES_MAX: number = 256 * 1024;
/** Of one function (V8 has 50,000, some of which are the rewriter's), and of all. */
export const LOCALS_MAX = 49_000;
export const LOCALS_SUM_MAX = 4_000_000;
/** Values whose places the compiler remembers at the blocks of one function, 25 bytes each: 100 MB for its time. */
export const CODE_SLOTS_MAX = 4_000_000;
/** What a block costs by itself, counted as such values: 1 kB. */
export const BLOCK_SLOTS = 40;

// What is written into a module (sandbox/wasm). All of it is part of what a task's result and fuel are: whoever changes
// one of these numbers counts REWRITER_VERSION up.

/** What a call costs, beside what the function does. It pays for small ones that call nothing: they have no fuel to count. */
export const CALL_FUEL = 16;
/** A branch that costs no more than this is paid for by the code before it: a few instructions too many, one less to run. */
export const SEGMENT_FUEL = 16;
/** What a page of memory costs beside the call: as much as writing it, 8 bytes at a time. */
export const FUEL_PAGE = 8_192;
/**
 * Room on the stack, in places of 8 bytes: a function takes its locals and its operands off it. The smallest stack that
 * was measured is that of Chromium's workers: it ends after 64,688 of them where frames are as dense as can be (Node's
 * after 500,820), and the host's own frames need some.
 */
export const STACK_SLOTS_MAX = 50_000;
/** What a frame has beside its locals and operands: where to return to, the instance, registers that are saved. */
export const FRAME_SLOTS = 16;
/** A function that calls nothing takes room of its own only if its frame is larger; so much is always kept for one. */
export const LEAF_FRAME_SLOTS = 1_000;

// Modules and workers of a node

/** Compiled modules that are kept, by the size of their bytes; machine code takes some times more. */
export const MODULE_CACHE_BYTES_MAX: number = 32 * 1024 * 1024;
export const MODULE_CACHE_COUNT_MAX = 32;
/** What was wrong with so many modules is remembered: a bad one is not checked again for each of its tasks. */
export const MODULE_FAILURES_MAX = 256;
/** A module that took too long or too much memory is tried again after this. */
export const MODULE_RETRY_MS = 60_000;
/** Checking and compiling the largest module takes a second or two; a phone under load, ten times as long. */
export const COMPILE_MS_MAX = 20_000;
/** Modules of others that wait or are compiled at once: their bytes are held meanwhile. One for each asker. */
export const COMPILING_MAX = 4;
/** Workers are ended after so long without a task: an idle one costs a few MiB. */
export const WORKER_IDLE_MS = 30_000;

// A WASI program, and a script

/** What one call of a program may read or write; a longer one is cut short, as the interface allows. */
export const TRANSFER_BYTES_MAX: number = 1024 * 1024;
/** Words of a command's line, and letters of each: a job's entry has room for so many. */
export const ARGUMENTS_MAX = 64;
export const ARGUMENT_CHARS_MAX = 4_096;
/** Of a program's standard error, the first so many bytes are kept: they say why it failed. */
export const STDERR_BYTES_MAX = 4_096;
/**
 * A script's texts, or a command's arguments, all together: they go with each task, in one message with the input. What is
 * larger is a library, and better a module.
 */
export const PROGRAM_BYTES_MAX: number = 64 * 1024;
/** What a task's failure is told with: a stack of a dozen calls. */
export const MESSAGE_CHARS_MAX = 2_000;
/** Inputs of one task of a script. Each gets a fresh state. */
export const VALUES_MAX = 100_000;
/** What a program knows of the time: each look at the clock is a millisecond later than the one before. */
export const CLOCK_STEP_MS = 1;

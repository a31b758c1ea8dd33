/** Bounds of one shell session. A script meets one of these before the node suffers. */

/** Characters of one line at a terminal or of `sh -c`: an accidental paste must not keep a tab busy. */
export const LINE_LENGTH_MAX: number = 64 * 1024;
/** Characters of a script: an accidental file must not fill the memory. */
export const SCRIPT_CHARS_MAX: number = 16 * 1024 * 1024;
/** Characters of one variable, one expansion or one captured output: a variable of 100 MB is refused. */
export const TEXT_CHARS_MAX: number = 32 * 1024 * 1024;
/** Words that one command line may expand to, like the kernel's limit on arguments. */
export const WORDS_MAX = 500_000;
/** Nested calls of functions, `source` and `eval`. Bash has no bound and ends with a segmentation fault. */
export const CALL_DEPTH_MAX = 1_000;
/** Subshells, stages and background jobs of a session at once; `:(){ :|:& };:` meets it. */
export const PROCESSES_MAX = 256;
/** Nested arithmetic: parentheses, and variables whose values are expressions. */
export const ARITHMETIC_DEPTH_MAX = 256;
/** Open descriptors of one shell, like `ulimit -n`. */
export const DESCRIPTORS_MAX = 1_024;
/** A script that only computes lets other work of this thread have a turn after this time, ms. */
export const TURN_MS = 8;
/** Elements of one array, and results of one brace expansion. */
export const ELEMENTS_MAX = 1_000_000;
/** Places of commands that a shell remembers: more than anybody calls in a session. */
export const HASHED_MAX = 4_096;

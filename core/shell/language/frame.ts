/** What is passed down while a script runs: the state of one shell, the world outside, and the interpreter. */
import type { Assignment, CommandNode, CompoundList, ParsedScript, Redirection, Statement } from "unbash";
import type { Clock } from "../../ports/clock.ts";
import type { Descriptor, OpenFile } from "./descriptor.ts";
import type { Job, Jobs } from "./jobs.ts";
import type { Process } from "./process.ts";
import type { SourceText } from "./source-text.ts";
import type { ShellState } from "./state.ts";
import type { FileAccess, OpenMode } from "./world.ts";

export interface Frame {
  readonly state: ShellState;
  readonly files: FileAccess;
  readonly clock: Clock;
  readonly process: Process;
  readonly jobs: Jobs;
  /** Aborts when this shell, stage or job is to end. */
  readonly signal: AbortSignal;
  readonly interpreter: Interpreter;
  /** The text to which positions of the running code refer. */
  readonly source: SourceText;
}

/** What the parts of the language need of each other; otherwise they would import each other in circles. */
export interface Interpreter {
  /** Standard output of a script in a subshell, without its trailing newlines. */
  capture(script: ParsedScript | undefined, text: string, frame: Frame): Promise<string>;
  /** A path under /dev/fd that is connected to the running script. */
  processSubstitution(text: string, operator: "<" | ">", frame: Frame): Promise<string>;
  /** Writes to the shell's standard error, after its name and line. */
  complain(message: string, frame: Frame): Promise<void>;
  /** Runs a text as `eval` does; resolves to its last status. */
  runText(
    text: string,
    frame: Frame,
    options?: { name?: string; firstLine?: number; isCommandSubstitution?: boolean },
  ): Promise<number>;
  /** Runs a script line by line as it arrives; the commands that it runs may read the rest of it. */
  runInput(input: Descriptor, frame: Frame): Promise<number>;
  runCommand(node: CommandNode | CompoundList, frame: Frame): Promise<void>;
  runStatements(statements: readonly Statement[], frame: Frame): Promise<number>;
  /** Runs a command by its words, without aliases; `isPlain` skips functions, as `command` does. */
  runWords(words: readonly string[], frame: Frame, options?: WordsOptions): Promise<number>;
  redirect(redirections: readonly Redirection[], frame: Frame): Promise<void>;
  assign(assignment: Assignment, frame: Frame): Promise<void>;
  /** Opens a path as a redirection does: /dev/fd and the like are descriptors of this shell. */
  open(path: string, mode: OpenMode, frame: Frame): Promise<Descriptor>;
  /** What kind of command a name is. */
  lookUp(name: string, frame: Frame, options?: { path?: string }): Promise<CommandKind | undefined>;
  /** Everything that a name may mean, in the order of precedence. */
  lookUpAll(name: string, frame: Frame): Promise<CommandKind[]>;
  /** Runs the traps of signals that have arrived. */
  runPendingTraps(frame: Frame): Promise<void>;
  /** Throws if there are too many processes already. A detached one does not end with the foreground. */
  newProcess(frame: Frame, options?: { isDetached?: boolean; outer?: AbortSignal | undefined }): Process;
  /** Prepares a copy of a shell, with special variables and signals of its own. */
  adopt(frame: Frame): void;
  ended(frame: Frame): void;
  /** Reports an error that the script has not caused, and returns its status. */
  failed(error: unknown): number;
  /** Watches a process that nobody waits for. */
  watch(ended: Promise<number>): void;
  /** The message about an unknown command. */
  unknown(name: string): Promise<string>;
  /** Runs a script in a shell of its own, with its words as positional parameters. */
  runScriptFile(text: string, path: string, args: readonly string[], frame: Frame, options?: string): Promise<number>;
  /** A prompt with its escapes and expansions, as `${x@P}` gives it. */
  prompt(text: string, frame: Frame): Promise<string>;
  /** Sends a signal to a job (`%1`) or process. Returns what is wrong, if anything. Signal "0" only asks. */
  kill(target: string, signal: string, frame: Frame): Promise<string | undefined>;
  /** Waits for something that is no job of this shell; undefined if there is no such thing. */
  waitProcess?(target: string, frame: Frame): Promise<number | undefined>;
  /** Waits for a job, which owns the terminal meanwhile. Resolves to its status. */
  foreground(job: Job, frame: Frame): Promise<number>;
  /** `bash …`: runs a shell of its own, by the words after its name. */
  runShell(name: string, words: readonly string[], frame: Frame): Promise<number>;
  readonly builtins: ReadonlyMap<string, Builtin>;
  readonly externals: Externals;
}

export interface WordsOptions {
  /** $0 of a shell that is run, in place of its name. */
  readonly shownAs?: string | undefined;
  /** Whether functions are skipped. */
  readonly isPlain?: boolean;
  readonly isBuiltinOnly?: boolean;
  /** In place of $PATH. */
  readonly path?: string;
  readonly declarations?: readonly (string | Assignment)[];
}

export type CommandKind =
  | { readonly kind: "alias"; readonly text: string }
  | { readonly kind: "keyword" }
  | { readonly kind: "function" }
  | { readonly kind: "builtin"; readonly isSpecial: boolean }
  /** A command of /bin; `shown` is the path that was found, as $PATH has it. */
  | { readonly kind: "command"; readonly name: string; readonly shown: string }
  | { readonly kind: "file"; readonly path: string; readonly shown: string };

/** The call of a builtin. */
export interface BuiltinCall {
  readonly name: string;
  /** The words after the name. Assignments of `declare` and the like are in `declarations` too. */
  readonly args: readonly string[];
  /** For `declare`, `local`, `export`, `readonly`: words and assignments in order. */
  readonly declarations: readonly (string | Assignment)[];
  readonly frame: Frame;
  /** Writes to standard output. */
  readonly out: (text: string) => Promise<void>;
  /** Writes to standard error, after the shell's and the command's name. */
  readonly complain: (message: string) => Promise<void>;
}

export interface Builtin {
  readonly name: string;
  /** One line for `help`. */
  readonly summary: string;
  /** `NAME [WORD…]`, as `help NAME` shows it. */
  readonly usage: string;
  readonly isSpecial?: boolean;
  /** Whether it takes assignments as words. */
  readonly isDeclaration?: boolean;
  /** Whether it runs other commands, whose faults are not its own. */
  readonly isTransparent?: boolean;
  run(call: BuiltinCall): Promise<number>;
}

/** A command that is not part of the language: one of ours, or a program. */
export interface ExternalCall {
  readonly name: string;
  readonly args: readonly string[];
  readonly environment: ReadonlyMap<string, string>;
  readonly cwd: string;
  readonly descriptors: { get(number: number): Descriptor | undefined };
  readonly signal: AbortSignal;
  readonly process: Process;
  open(path: string, mode: OpenMode): Promise<Descriptor>;
  /** Runs another command with these words, as xargs and find do. */
  run(words: readonly string[], options: ExternalRun): Promise<number>;
}

export interface ExternalRun {
  readonly stdin?: OpenFile | undefined;
  readonly stdout?: OpenFile | undefined;
  readonly environment?: ReadonlyMap<string, string> | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Externals {
  /** Whether a command of that name is known, without looking at files. */
  has(name: string): boolean;
  names(): readonly string[];
  run(call: ExternalCall): Promise<number>;
  /** The session has ended: nothing of it runs any more. */
  end?(): void;
  /** Runs a file that is no script; undefined if its first bytes show that it is no program either. */
  runFile(path: string, head: Uint8Array, call: ExternalCall): Promise<number> | undefined;
}

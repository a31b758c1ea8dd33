/**
 * What a shell needs from the place where it runs, and what a command gets. A session's host is the person's own machine:
 * the tab (file picker, download) or the directory in which `starfish sh` was called.
 */
import type { Bytes } from "../base/bytes.ts";
import type { Computer } from "../computer.ts";
import type { Namespace } from "./namespace/namespace.ts";
import type { RandomAccess } from "../disk/content/random-access.ts";
import type { KeyName } from "./editor-keys.ts";
import type { ProgramPlatform } from "./programs/session.ts";
import type { Text } from "./styled.ts";
import type { FullScreen, ScreenSource } from "./terminal/full-screen.ts";

/** A sink of bytes. `write` resolves when there is room for more; rejects with "closed" once the reader has gone. */
export interface Output {
  write(bytes: Bytes): Promise<void>;
}

/** Where a command writes. On a terminal all of it is made harmless but for `Styled` sequences of our own (sink.ts). */
export interface Sink extends Output {
  print(text: Text): Promise<void>;
}

/** What is known of the terminal behind an output, or undefined where it is a pipe or file. */
export interface TerminalInfo {
  readonly columns: number;
  readonly rows: number;
  /** Whether 24-bit colours may be used. */
  readonly colours: boolean;
  /** How pictures are shown: the iTerm2 inline image protocol, or coloured half blocks. */
  readonly pictures: "inline" | "blocks";
  /** Which ground colours have to stand out from; dark unless known. */
  readonly ground?: "dark" | "light";
  /** A screen reader reads it out: nothing is shown there that says nothing. */
  readonly isReadOut?: boolean;
}

/** A file of the person's machine, open for reading. Its reads reject once it is closed. */
export interface HostFile extends RandomAccess {
  readonly name: string;
  /** Ms since 1970. */
  readonly modifiedAtMs: number;
  /** Whether it has been written to since it was opened; absent where reading it would fail then. */
  isChanged?(): Promise<boolean>;
  close(): Promise<void>;
}

export interface HostEntry {
  readonly name: string;
  /** "other": neither; a socket, say, or a link to a directory, which may lead anywhere. */
  readonly kind: "file" | "directory" | "other";
  /** Why something that a person would take for a file can't be read; its name is one for people to read then. */
  readonly why?: string | undefined;
}

/** A file of the person's machine that is being written: all of it is there when `finish` resolves, and nothing before. */
export interface HostWriter extends Output {
  finish(): Promise<void>;
  /** Leaves nothing behind. Never rejects. */
  abort(): Promise<void>;
}

export interface Host {
  /** A file of the person's machine, by path or, where there are no paths, by letting them pick it. Rejects with "not-found", "unsupported", "cancelled". */
  readFile(path: string, options: { signal: AbortSignal }): Promise<Uint8Array>;
  /** How a person finds what was written to `path`, where that is no path to them (a browser's downloads). */
  savedAs?(path: string): string;
  writeFile(path: string, bytes: Bytes, options: { signal: AbortSignal }): Promise<void>;
  /** For files of any size. Rejects with "not-found", "is-a-directory", "unsupported", "cancelled", "io". */
  openFile(path: string, options: { signal: AbortSignal }): Promise<HostFile>;
  /** Rejects with "not-found", "io". */
  createFile(path: string, options: { signal: AbortSignal }): Promise<HostWriter>;
  /** Lets the person pick files, where that is how files are named; at least one, or "not-found". */
  pickFiles?(options: { signal: AbortSignal }): Promise<readonly HostFile[]>;
  /** What is in a directory; absent where there are none. Rejects with "not-found", "not-a-directory", "io". */
  listDirectory?(path: string, options: { signal: AbortSignal }): Promise<readonly HostEntry[]>;
  /** Fine where it is there already. */
  makeDirectory?(path: string, options: { signal: AbortSignal }): Promise<void>;
  /** What keeps a name of the swarm from being the name of a file there, for people; absent where names are hints. */
  nameTrouble?(name: string): string | undefined;
  /** Whether a backslash parts names in its paths, as on Windows. */
  readonly hasBackslashPaths?: boolean;
  /** Where programs run; absent where none can. */
  readonly programs?: ProgramPlatform;
  /** Empties the screen; absent where there is none. */
  clear?(): void;
}

export interface Io {
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly stdout: Output;
  readonly stderr: Output;
  /** The terminal, where stdout (or stderr) is one. Read it anew for the present size. */
  readonly terminal: {
    /** Where standard input is the keyboard. */
    readonly stdin?: TerminalInfo | undefined;
    readonly stdout?: TerminalInfo | undefined;
    readonly stderr?: TerminalInfo | undefined;
    /** Gives a program the whole screen and every key. */
    readonly screen?: ScreenSource | undefined;
  };
}

/** How a command runs another; what is not given is as the command has it itself. */
interface NestedRun {
  readonly stdin?: AsyncIterable<Uint8Array>;
  readonly stdout?: Output;
  readonly environment?: ReadonlyMap<string, string>;
  /** Ends it, besides the command's own. */
  readonly signal?: AbortSignal;
}

export interface CommandContext extends Io {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly computer: Computer;
  readonly host: Host;
  /** The words after the command's name. */
  readonly args: readonly string[];
  readonly signal: AbortSignal;
  /** stderr that still takes a line after the signal has aborted, when stdout and stderr take no more. */
  readonly lastWords: Sink;
  /** All trees of the session, by absolute path. */
  readonly names: Namespace;
  /** The current directory, absolute. */
  readonly cwd: string;
  /** What is exported. */
  readonly environment: ReadonlyMap<string, string>;
  /**
   * The whole screen and every key, for `less` and `edit`; absent where standard output is no terminal. It is given back
   * when the command ends, however it does. Throws "unsupported" in the background.
   */
  readonly fullScreen?: (() => FullScreen) | undefined;
  /** The same for a program that reads lines of its own where the cursor is, as `sql` does; only where the keyboard is standard input too. */
  readonly ownLines?: (() => FullScreen<KeyName>) | undefined;
  /** An operand as an absolute path. */
  readonly path: (operand: string) => string;
  /** The bytes of an operand; `-` is standard input. Rejects with "not-found", "is-a-directory" and what reading rejects with. */
  readonly input: (operand: string) => AsyncIterable<Uint8Array>;
  /** Runs another command in this one's place in the pipe, as xargs and find do. Resolves to its status. */
  readonly run: (words: readonly string[], options?: NestedRun) => Promise<number>;
}

export interface Command {
  readonly name: string;
  /** One line for `help`. */
  readonly summary: string;
  /** Whole text of `NAME --help`, with at least one example that works when pasted. */
  readonly help: string;
  /** Exit status for words that are not understood; 64 unless it is a utility that others have too. */
  readonly usageStatus?: number;
  /** Its words are data: `--help` among others is not meant for it. */
  readonly verbatim?: true;
  /** Resolves to the exit status. A thrown StarfishError is printed as "NAME: message"; "usage" exits with 64, the others with 1, "cancelled" with 130. */
  run(context: CommandContext): Promise<number>;
  /** Completions of the last word. */
  complete?(words: readonly string[], computer: Computer): readonly string[];
}

/**
 * What a shell needs from the place where it runs, and what a command gets. A session's host is the user's own machine:
 * the tab (file picker, download), or the directory in which `starfish sh` was called.
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

/**
 * Where a command writes. For a terminal everything is made harmless, except for `Styled` sequences of ours (sink.ts).
 */
export interface Sink extends Output {
  print(text: Text): Promise<void>;
}

/** What is known of the terminal behind an output; undefined for a pipe or file. */
export interface TerminalInfo {
  readonly columns: number;
  readonly rows: number;
  /** Whether 24-bit colours may be used. */
  readonly colours: boolean;
  /** How pictures are shown: the iTerm2 inline image protocol, or coloured half blocks. */
  readonly pictures: "inline" | "blocks";
  /** The background with which colours have to contrast; dark if unknown. */
  readonly ground?: "dark" | "light";
  /** Whether a screen reader reads it, so that decoration is left out. */
  readonly isReadOut?: boolean;
}

/** A file of the user's machine, open for reading. Reads reject once it is closed. */
export interface HostFile extends RandomAccess {
  readonly name: string;
  /** Ms since 1970. */
  readonly modifiedAtMs: number;
  /** Whether it has been written to since it was opened. Absent if reading it would fail then. */
  isChanged?(): Promise<boolean>;
  close(): Promise<void>;
}

export interface HostEntry {
  readonly name: string;
  /** "other": neither, for example a socket, or a link to a directory, which may lead anywhere. */
  readonly kind: "file" | "directory" | "other";
  /** Why an entry that looks like a file can't be read. Its name is then only for display. */
  readonly why?: string | undefined;
}

/**
 * A file of the user's machine that is being written. All of it is there when `finish` resolves, and nothing before.
 */
export interface HostWriter extends Output {
  finish(): Promise<void>;
  /** Removes everything that was written. Never rejects. */
  abort(): Promise<void>;
}

export interface Host {
  /**
   * A file of the user's machine, by path; if there are no paths, the user picks it. Rejects with "not-found",
   * "unsupported", "cancelled".
   */
  readFile(path: string, options: { signal: AbortSignal }): Promise<Uint8Array>;
  /** Where a person finds what was written to `path`, if that is not a path to them (a browser's downloads). */
  savedAs?(path: string): string;
  writeFile(path: string, bytes: Bytes, options: { signal: AbortSignal }): Promise<void>;
  /** For files of any size. Rejects with "not-found", "is-a-directory", "unsupported", "cancelled", "io". */
  openFile(path: string, options: { signal: AbortSignal }): Promise<HostFile>;
  /** Rejects with "not-found", "io". */
  createFile(path: string, options: { signal: AbortSignal }): Promise<HostWriter>;
  /** Lets the user pick files, if the host has no paths. Resolves to at least one; rejects with "not-found". */
  pickFiles?(options: { signal: AbortSignal }): Promise<readonly HostFile[]>;
  /**
   * The entries of a directory. Absent if the host has no directories. Rejects with "not-found", "not-a-directory",
   * "io".
   */
  listDirectory?(path: string, options: { signal: AbortSignal }): Promise<readonly HostEntry[]>;
  /** Makes a directory, unless it exists. */
  makeDirectory?(path: string, options: { signal: AbortSignal }): Promise<void>;
  /** Why a name of the swarm can't be the name of a file there, for people. Absent if names are only suggestions. */
  nameTrouble?(name: string): string | undefined;
  /**
   * Makes a picture small enough to be a person's, without what cameras write into files. Absent if the host can't draw.
   * Rejects with "malformed" if it is no picture that can be shown.
   */
  shrinkPicture?(bytes: Uint8Array): Promise<Uint8Array>;
  /** Whether a backslash separates names in its paths, as on Windows. */
  readonly hasBackslashPaths?: boolean;
  /** Where programs run; absent if none can. */
  readonly programs?: ProgramPlatform;
  /** Empties the screen; absent if there is none. */
  clear?(): void;
}

export interface Io {
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly stdout: Output;
  readonly stderr: Output;
  /** The terminal, if stdout (or stderr) is one. Read it again for the present size. */
  readonly terminal: {
    /** Set if standard input is the keyboard. */
    readonly stdin?: TerminalInfo | undefined;
    readonly stdout?: TerminalInfo | undefined;
    readonly stderr?: TerminalInfo | undefined;
    /** Gives a program the whole screen and every key. */
    readonly screen?: ScreenSource | undefined;
  };
}

/** How a command runs another one. What is not given is the command's own. */
interface NestedRun {
  readonly stdin?: AsyncIterable<Uint8Array>;
  readonly stdout?: Output;
  readonly environment?: ReadonlyMap<string, string>;
  /** Ends it, besides the command's own signal. */
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
  /** The exported variables. */
  readonly environment: ReadonlyMap<string, string>;
  /**
   * The whole screen and every key, for `less` and `edit`; absent if standard output is no terminal. The screen is
   * given back when the command ends in any way. Throws "unsupported" in the background.
   */
  readonly fullScreen?: (() => FullScreen) | undefined;
  /**
   * The same for a program that reads lines of its own at the cursor, as `sql` does; absent if the keyboard is not
   * standard input.
   */
  readonly ownLines?: (() => FullScreen<KeyName>) | undefined;
  /** The absolute path of an operand. */
  readonly path: (operand: string) => string;
  /**
   * The bytes of an operand; `-` is standard input. Rejects with "not-found", "is-a-directory", and with errors of
   * reading.
   */
  readonly input: (operand: string) => AsyncIterable<Uint8Array>;
  /** Runs another command in this one's place in the pipe, as xargs and find do. Resolves to its status. */
  readonly run: (words: readonly string[], options?: NestedRun) => Promise<number>;
}

export interface Command {
  readonly name: string;
  /** One line for `help`. */
  readonly summary: string;
  /** The text of `NAME --help`, with at least one example that works when pasted. */
  readonly help: string;
  /** The exit status for wrong usage: 64, except for utilities that other systems have too. */
  readonly usageStatus?: number;
  /** Its words are data, so `--help` among others is not an option. */
  readonly verbatim?: true;
  /**
   * Resolves to the exit status. A thrown StarfishError is printed as "NAME: message"; "usage" exits with 64, the
   * others with 1, "cancelled" with 130.
   */
  run(context: CommandContext): Promise<number>;
  /** Completions of the last word. */
  complete?(words: readonly string[], computer: Computer): readonly string[];
}

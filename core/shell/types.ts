/**
 * What a shell needs from the place where it runs, and what a command gets. A session's host is the person's own machine:
 * the tab (file picker, download) or the directory in which `starfish sh` was called.
 */
import type { Bytes } from "../base/bytes.ts";
import type { Computer } from "../computer.ts";

/** A sink of bytes. `write` resolves when there is room for more; rejects with "closed" once the reader has gone. */
export interface Output {
  write(bytes: Bytes): Promise<void>;
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
}

export interface Host {
  /** A file of the person's machine, by path or, where there are no paths, by letting them pick it. Rejects with "not-found", "unsupported", "cancelled". */
  readFile(path: string, options: { signal: AbortSignal }): Promise<Uint8Array>;
  writeFile(path: string, bytes: Bytes, options: { signal: AbortSignal }): Promise<void>;
  /** Empties the screen; absent where there is none. */
  clear?(): void;
}

export interface Io {
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly stdout: Output;
  readonly stderr: Output;
  /** The terminal, where stdout (or stderr) is one. Read it anew for the present size. */
  readonly terminal: { readonly stdout?: TerminalInfo | undefined; readonly stderr?: TerminalInfo | undefined };
}

export interface CommandContext extends Io {
  readonly computer: Computer;
  readonly host: Host;
  /** The words after the command's name. */
  readonly args: readonly string[];
  readonly signal: AbortSignal;
  /** stderr that still takes a line after the signal has aborted, when stdout and stderr take no more. */
  readonly lastWords: Output;
}

export interface Command {
  readonly name: string;
  /** One line for `help`. */
  readonly summary: string;
  /** Whole text of `NAME --help`, with at least one example that works when pasted. */
  readonly help: string;
  /** Its words are data: `--help` among others is not meant for it. */
  readonly verbatim?: true;
  /** Resolves to the exit status. A thrown StarfishError is printed as "NAME: message"; "usage" exits with 64, the others with 1, "cancelled" with 130. */
  run(context: CommandContext): Promise<number>;
  /** Completions of the last word. */
  complete?(words: readonly string[], computer: Computer): readonly string[];
}

/** What the language needs from outside: files by path, and commands that are not its own. */
import type { OpenFile } from "./descriptor.ts";

export interface FileStatus {
  readonly kind: "file" | "directory" | "device" | "pipe" | "terminal";
  readonly sizeBytes: number;
  /** Ms since 1970, if known. */
  readonly modifiedAtMs?: number | undefined;
  /** Whether it may be run as a program or script. */
  readonly isExecutable?: boolean;
  readonly isReadable?: boolean;
  readonly isWritable?: boolean;
  /** Equal for two names of one file. */
  readonly identity?: string | undefined;
}

export type OpenMode = "read" | "write" | "append" | "read-write" | "create";

/** Files by absolute and normal paths: without `.`, `..` or double slashes. */
export interface FileAccess {
  stat(path: string, options: { signal: AbortSignal }): Promise<FileStatus | undefined>;
  /** The names in a directory, in any order; undefined if it is no directory. */
  list(
    path: string,
    options: { signal: AbortSignal },
  ): Promise<readonly { name: string; isDirectory: boolean }[] | undefined>;
  /** The target of a symbolic link; undefined for everything else. */
  readLink?(path: string): { readonly target: string } | undefined;
  /**
   * "write" empties an existing file first; "create" refuses one that exists ("exists"). Rejects with a StarfishError.
   */
  open(path: string, mode: OpenMode, options: { signal: AbortSignal }): Promise<OpenFile>;
}

/** What the language needs from outside: files by path, and commands that are not its own. */
import type { OpenFile } from "./descriptor.ts";

export interface FileStatus {
  readonly kind: "file" | "directory" | "device" | "pipe" | "terminal";
  readonly sizeBytes: number;
  /** Ms since 1970, where it is known. */
  readonly modifiedAtMs?: number | undefined;
  /** May be run as a program or script. */
  readonly isExecutable?: boolean;
  readonly isReadable?: boolean;
  readonly isWritable?: boolean;
  /** Equal for two names of one file. */
  readonly identity?: string | undefined;
}

export type OpenMode = "read" | "write" | "append" | "read-write" | "create";

/** Paths are absolute and normal: no `.`, `..` or double slash. */
export interface FileAccess {
  stat(path: string, options: { signal: AbortSignal }): Promise<FileStatus | undefined>;
  /** Names in a directory, in any order; undefined where it is none. */
  list(
    path: string,
    options: { signal: AbortSignal },
  ): Promise<readonly { name: string; isDirectory: boolean }[] | undefined>;
  /** What a symbolic link says; undefined for everything else. */
  readLink?(path: string): { readonly target: string } | undefined;
  /** "write" empties it first, "create" refuses one that is there ("exists"). Rejects with a StarfishError. */
  open(path: string, mode: OpenMode, options: { signal: AbortSignal }): Promise<OpenFile>;
}

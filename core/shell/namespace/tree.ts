/**
 * A tree of files as the shell sees it: the distributed files, shared memory, members, devices. Each kind is a folder
 * beside this file that implements Tree and is mounted into the session's Namespace. A new kind needs nothing else.
 *
 * Paths within a tree are absolute and normal ("/", "/a/b"): no `.`, `..`, double or trailing slashes.
 */
import type { Bytes } from "../../base/bytes.ts";
import type { OpenFile } from "../language/descriptor.ts";
import type { OpenMode } from "../language/world.ts";

export type EntryKind = "file" | "directory" | "device";

export interface TreeEntry {
  /** The last part of the path; "" for a tree's root. */
  readonly name: string;
  readonly kind: EntryKind;
  /** Bytes; undefined if only reading tells the size. */
  readonly sizeBytes?: number | undefined;
  /** Ms since 1970, if known. */
  readonly modifiedAtMs?: number | undefined;
  /** Permission bits (0o755). Without them a file has 0o644, a directory 0o755. */
  readonly mode?: number | undefined;
  /** The name of the writer, if known. */
  readonly owner?: string | undefined;
  /** Equal for two paths of one file. */
  readonly identity?: string | undefined;
  /**
   * How many names the file has, if the tree counts them; `identity` is then the same for all its names and for no
   * other file.
   */
  readonly links?: number | undefined;
  /** A note that a long listing prints after the name. One line. */
  readonly about?: string | undefined;
}

export interface TreeOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface ReadOptions extends TreeOptions {
  /** The first byte; 0 by default. */
  readonly from?: number | undefined;
  /** The byte after the last one; the end by default. */
  readonly to?: number | undefined;
}

export interface WriteOptions extends TreeOptions {
  /** Whether it appends to the file instead of replacing it. */
  readonly isAppend?: boolean | undefined;
  readonly mode?: number | undefined;
}

/** Symbolic and hard links, for programs that need them. Stat, list, read and write follow them. */
export interface TreeLinks {
  /** The target of a symbolic link; undefined for everything else. */
  read(path: string): { readonly target: string; readonly madeAtMs: number } | undefined;
  /** Throws "exists", "not-found". */
  make(path: string, target: string): void;
  addName(from: string, to: string): void;
}

/** Each method that a tree does not support rejects with "unsupported" and the reason. */
export interface Tree {
  /** Whether a file can be written whose directory does not exist: directories come and go with their contents. */
  readonly makesDirectories?: boolean | undefined;
  /** Undefined if nothing is there. */
  stat(path: string, options?: TreeOptions): Promise<TreeEntry | undefined>;
  /** In any order. Rejects with "not-found", "not-a-directory". */
  list(path: string, options?: TreeOptions): Promise<readonly TreeEntry[]>;
  /** Rejects with "not-found", "is-a-directory", and with the reason why a part of a file is not available. */
  read(path: string, options?: ReadOptions): AsyncIterable<Uint8Array>;
  /**
   * Resolves when the whole source is stored as it was written. If the source fails, the old file stays. Rejects with
   * "not-found" (its directory), "is-a-directory", "full", "io".
   */
  write(path: string, source: AsyncIterable<Bytes>, options?: WriteOptions): Promise<void>;
  /** Rejects with "exists", "not-found" (its parent). */
  makeDirectory(path: string, options?: TreeOptions): Promise<void>;
  /** Rejects with "not-found", "not-empty" (a directory with contents, without `isRecursive`). */
  remove(path: string, options?: TreeOptions & { readonly isRecursive?: boolean }): Promise<void>;
  /** Replaces an existing file. Rejects with "not-found", "exists", "is-a-directory", "not-a-directory". */
  rename(from: string, to: string, options?: TreeOptions): Promise<void>;
  /**
   * Copies without moving bytes, if the tree can: a file, which may replace an existing file; or a directory with its
   * contents, to where nothing exists.
   */
  copy?(from: string, to: string, options?: TreeOptions): Promise<void>;
  readonly links?: TreeLinks;
  setMode?(path: string, mode: number, options?: TreeOptions): Promise<void>;
  /** For devices, which are read and written piece by piece; undefined for files that `read` and `write` serve. */
  open?(path: string, mode: OpenMode, options: { readonly signal: AbortSignal }): Promise<OpenFile | undefined>;
  /** The changed paths at or below `path`, until the signal aborts. Several changes of one path may be told as one. */
  watch(path: string, options: { readonly signal: AbortSignal }): AsyncIterable<string>;
}

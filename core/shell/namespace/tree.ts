/**
 * A tree of files as the shell sees it: the distributed files, shared memory, members, devices. Each kind is a folder
 * beside this file that implements Tree, and is mounted into the session's Namespace. A new kind needs nothing else.
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
  /** Bytes; undefined where it is known only by reading. */
  readonly sizeBytes?: number | undefined;
  /** Ms since 1970, where it is known. */
  readonly modifiedAtMs?: number | undefined;
  /** Permission bits (0o755); who has no say in it gets 0o644, directories 0o755. */
  readonly mode?: number | undefined;
  /** Name of who wrote it, where it is known. */
  readonly owner?: string | undefined;
  /** Equal for two paths of one file. */
  readonly identity?: string | undefined;
  /** Names of the file, where a tree keeps count; `identity` is then the same for all of them and no other. */
  readonly links?: number | undefined;
  /** What a long listing says behind the name, where there is more to say. One line. */
  readonly about?: string | undefined;
}

export interface TreeOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface ReadOptions extends TreeOptions {
  /** The first byte, 0 unless given. */
  readonly from?: number | undefined;
  /** The byte after the last, the end unless given. */
  readonly to?: number | undefined;
}

export interface WriteOptions extends TreeOptions {
  /** Adds to what is there instead of replacing it. */
  readonly isAppend?: boolean | undefined;
  readonly mode?: number | undefined;
}

/** Symbolic links and second names of files, for programs that need them. Stat, list, read and write follow them. */
export interface TreeLinks {
  /** What a symbolic link says; undefined for everything else. */
  read(path: string): { readonly target: string; readonly madeAtMs: number } | undefined;
  /** Throws "exists", "not-found". */
  make(path: string, target: string): void;
  addName(from: string, to: string): void;
}

/** What a tree does not do it rejects with "unsupported" and why. */
export interface Tree {
  /** A file may be written whose directory is not there: it comes and goes with what is in it. */
  readonly makesDirectories?: boolean | undefined;
  /** Undefined where there is nothing. */
  stat(path: string, options?: TreeOptions): Promise<TreeEntry | undefined>;
  /** In any order. Rejects with "not-found", "not-a-directory". */
  list(path: string, options?: TreeOptions): Promise<readonly TreeEntry[]>;
  /** Rejects with "not-found", "is-a-directory", and with what a part of a file can't be had for. */
  read(path: string, options?: ReadOptions): AsyncIterable<Uint8Array>;
  /**
   * Resolves when all of the source is there as it was written; a source that fails leaves what was there before.
   * Rejects with "not-found" (its directory), "is-a-directory", "full", "io".
   */
  write(path: string, source: AsyncIterable<Bytes>, options?: WriteOptions): Promise<void>;
  /** Rejects with "exists", "not-found" (its parent). */
  makeDirectory(path: string, options?: TreeOptions): Promise<void>;
  /** Rejects with "not-found", "not-empty" (a directory that is not, without `isRecursive`). */
  remove(path: string, options?: TreeOptions & { readonly isRecursive?: boolean }): Promise<void>;
  /** Replaces a file that is there. Rejects with "not-found", "exists", "is-a-directory", "not-a-directory". */
  rename(from: string, to: string, options?: TreeOptions): Promise<void>;
  /**
   * A copy without moving bytes, where the tree can: of a file, which replaces a file that is there, or of a directory
   * with all that is in it, where there is nothing yet.
   */
  copy?(from: string, to: string, options?: TreeOptions): Promise<void>;
  readonly links?: TreeLinks;
  setMode?(path: string, mode: number, options?: TreeOptions): Promise<void>;
  /** For devices, which are read and written piece by piece; undefined where `read` and `write` do. */
  open?(path: string, mode: OpenMode, options: { readonly signal: AbortSignal }): Promise<OpenFile | undefined>;
  /** Paths that have changed, at or below `path`, until the signal aborts. Bursts may be told as one. */
  watch(path: string, options: { readonly signal: AbortSignal }): AsyncIterable<string>;
}

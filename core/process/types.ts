/** What programs need from the node: a tree of files, streams, and the details of a run. */
import type { Bytes } from "../base/bytes.ts";
import type { Filetype } from "./messages.ts";

export interface FileEntry {
  readonly kind: "file" | "directory" | "device" | "pipe" | "terminal" | "link";
  /** Absent if only reading the file tells its size. */
  readonly sizeBytes?: number | undefined;
  readonly modifiedAtMs?: number | undefined;
  readonly identity?: string | undefined;
  /**
   * How many names the file has, if the tree counts them. `identity` is then the same for all its names and for no
   * other file.
   */
  readonly links?: number | undefined;
}

interface Options {
  readonly signal?: AbortSignal | undefined;
}

/** The files that a program sees, by absolute path: the tree of the shell. */
export interface FileTree {
  /** Has no `sizeBytes` if the tree can't tell the size. */
  entry(path: string, options?: Options): Promise<FileEntry | undefined>;
  list(path: string, options?: Options): Promise<readonly (FileEntry & { readonly name: string })[]>;
  read(path: string, options?: Options & { readonly from?: number; readonly to?: number }): AsyncIterable<Uint8Array>;
  write(path: string, source: AsyncIterable<Bytes>, options?: Options): Promise<void>;
  /** A reader of the path sees what was written so far. "write" empties the file first, or creates it. */
  open(
    path: string,
    mode: "write" | "append",
    options: { readonly signal: AbortSignal },
  ): Promise<{ write?(bytes: Bytes): Promise<void>; close?(): Promise<void> }>;
  makeDirectory(path: string, options?: Options): Promise<void>;
  remove(path: string, options?: Options): Promise<void>;
  rename(from: string, to: string, options?: Options): Promise<void>;
  /** The target of a symbolic link; undefined for everything else. */
  readLink(path: string): Promise<string | undefined>;
  /** Rejects with "unsupported" if the tree has no links. */
  makeLink(path: string, target: string): Promise<void>;
  /** Adds a second name of a file. Rejects with "unsupported" if the tree has no such links. */
  addName(from: string, to: string): Promise<void>;
}

export interface ProgramStream {
  readonly type: Filetype;
  read?(): Promise<Uint8Array | undefined>;
  /** Resolves when a piece is there, or the end. The piece stays for the next reader. */
  ready?(): Promise<void>;
  /** Takes pieces back that the reader has used up. Set if the reader owns what it gets. */
  reuse?(pieces: readonly Uint8Array[]): void;
  /** Takes bytes back that were read too far. */
  unread?(bytes: Uint8Array): void;
  /** Keeps nothing of the memory once it has resolved. Rejects with "closed" when nobody reads any more. */
  write?(bytes: Bytes): Promise<void>;
  close?(): Promise<void>;
}

/** Converts bytes of names and words to text and back. */
export interface TextCodec {
  encode(text: string): Uint8Array;
  decode(bytes: Uint8Array): string;
}

export interface ProgramRun {
  /** The name in error messages. */
  readonly name: string;
  /** Equal for modules of equal bytes. */
  readonly moduleKey: string;
  load(): Promise<Bytes>;
  readonly args: readonly string[];
  readonly environment: ReadonlyMap<string, string>;
  readonly cwd: string;
  /** Descriptors 0, 1 and 2, as far as they are open. */
  readonly streams: ReadonlyMap<number, ProgramStream>;
  /** The stream behind /dev/fd/N and the like; undefined for every other path. */
  openStream(path: string): Promise<ProgramStream | undefined>;
  readonly signal: AbortSignal;
  readonly memoryBytesMax?: number;
}

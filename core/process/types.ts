/** What programs need of the node: a tree of files, streams, and who wants them run. */
import type { Bytes } from "../base/bytes.ts";
import type { Filetype } from "./messages.ts";

export interface FileEntry {
  readonly kind: "file" | "directory" | "device" | "pipe" | "terminal" | "link";
  /** Absent where it is known only by reading. */
  readonly sizeBytes?: number | undefined;
  readonly modifiedAtMs?: number | undefined;
  readonly identity?: string | undefined;
  /** Names of the file, where a tree keeps count; `identity` is then the same for all of them and no other. */
  readonly links?: number | undefined;
}

interface Options {
  readonly signal?: AbortSignal | undefined;
}

/** The files that a program sees, by absolute path: the shell's namespace. */
export interface FileTree {
  /** What a tree can't tell the size of has none (`sizeBytes` undefined). */
  entry(path: string, options?: Options): Promise<FileEntry | undefined>;
  list(path: string, options?: Options): Promise<readonly (FileEntry & { readonly name: string })[]>;
  read(path: string, options?: Options & { readonly from?: number; readonly to?: number }): AsyncIterable<Uint8Array>;
  write(path: string, source: AsyncIterable<Bytes>, options?: Options): Promise<void>;
  /** Who reads the path sees what was written so far. "write" empties it first, or makes it. */
  open(
    path: string,
    mode: "write" | "append",
    options: { readonly signal: AbortSignal },
  ): Promise<{ write?(bytes: Bytes): Promise<void>; close?(): Promise<void> }>;
  makeDirectory(path: string, options?: Options): Promise<void>;
  remove(path: string, options?: Options): Promise<void>;
  rename(from: string, to: string, options?: Options): Promise<void>;
  /** What a symbolic link says; undefined for everything else. */
  readLink(path: string): Promise<string | undefined>;
  /** Rejects with "unsupported" where the tree keeps none. */
  makeLink(path: string, target: string): Promise<void>;
  /** A second name of a file. Rejects with "unsupported" where the tree keeps none. */
  addName(from: string, to: string): Promise<void>;
}

export interface ProgramStream {
  readonly type: Filetype;
  read?(): Promise<Uint8Array | undefined>;
  /** Resolves when a piece is there, or the end; it stays for whoever reads next. */
  ready?(): Promise<void>;
  /** Its pieces belong to who reads them. */
  readonly givesAway?: boolean;
  /** Takes back what was read too far. */
  unread?(bytes: Uint8Array): void;
  /** Rejects with "closed" once nobody reads. */
  write?(bytes: Bytes): Promise<void>;
  close?(): Promise<void>;
}

/** Bytes of names and words as text, and back. */
export interface TextCodec {
  encode(text: string): Uint8Array;
  decode(bytes: Uint8Array): string;
}

export interface ProgramRun {
  /** For messages. */
  readonly name: string;
  /** Equal for equal bytes. */
  readonly moduleKey: string;
  load(): Promise<Bytes>;
  readonly args: readonly string[];
  readonly environment: ReadonlyMap<string, string>;
  readonly cwd: string;
  /** Descriptors 0, 1 and 2, as far as they are open. */
  readonly streams: ReadonlyMap<number, ProgramStream>;
  /** /dev/fd/N and the like; undefined for every other path. */
  openStream(path: string): Promise<ProgramStream | undefined>;
  readonly signal: AbortSignal;
  readonly memoryBytesMax?: number;
}

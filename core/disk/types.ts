/**
 * The disk in two halves. Contents: immutable bytes by the CID that IPFS gives them, cut in stripes, coded, and spread
 * over the swarm's devices (contents.ts). Files: paths that name contents, in a replicated map (files/files.ts). The
 * parts above this interface know nothing of shards; those below it know nothing of paths.
 */
import type { Unsubscribe } from "../base/events.ts";
import type { PeerId } from "../ports/network.ts";

/** The reference of a content: the CID of its UnixFS root (text, base32) and its length. */
export interface ContentRef {
  readonly cid: string;
  readonly sizeBytes: number;
}

export interface PutProgress {
  /** Bytes of the source that have been taken in; of these, how many are placed as the layout promises. */
  readonly takenBytes: number;
  readonly safeBytes: number;
}

/**
 * How a content stands now. "safe": placed so that any half of the devices may go; "here": on this device only, since
 * there is no other; "placing": under way, or waiting for devices with room; "lost": fewer shards are in reach than it
 * takes.
 */
export type Safety = "safe" | "here" | "placing" | "lost";

export interface ContentStat extends ContentRef {
  readonly safety: Safety;
  /**
   * The code of its stripes: k of n shards, the number of devices that hold each shard, and the number that hold the
   * whole stripe. Undefined if the content is stored in its entry.
   */
  readonly code:
    | { readonly k: number; readonly n: number; readonly copies: number; readonly wholes: number }
    | undefined;
  readonly stripes: number;
  /** How many devices may be lost, whichever they are; -1 if it can't be read now. */
  readonly survivesAny: number;
  /**
   * How many devices are there, and on how many machines; and how many machines may be lost, whichever they are, -1 as
   * above.
   */
  readonly devices: number;
  readonly machines: number;
  readonly survivesAnyMachines: number;
  /** The chance that the content is lost when a random half of the devices dies at one instant. */
  readonly lossChance: number;
  /** The devices that hold shards of it, and how many bytes each. */
  readonly holders: readonly { readonly device: string; readonly bytes: number }[];
  /**
   * By stripe, and in it by shard: the devices that hold it. Repair fills the gaps. Empty if the content is stored
   * inline.
   */
  readonly shardHolders: readonly StripeHolders[];
}

/** By shard the devices that hold it; number n are those that hold the whole stripe. Each device is counted once. */
export type StripeHolders = readonly (readonly string[])[];

export interface StorageUse {
  /** The bytes that this node offers to the swarm, and the used ones among them. */
  readonly offeredBytes: number;
  readonly usedBytes: number;
  readonly shards: number;
  /** Shards that were found damaged here, and shards that this node has repaired, since it started. */
  readonly damaged: number;
  readonly repaired: number;
  /** Content that is pinned whole on this node. */
  readonly keptBytes: number;
  /** Entries about contents and storage that are not used, because they are impossible or unknown to this version. */
  readonly setAside: number;
}

/** The bytes that a node offers to the swarm and the free ones among them, by its own word. */
export interface StorageOffer {
  readonly peer: PeerId;
  readonly offeredBytes: number;
  readonly freeBytes: number;
}

export interface Contents {
  /**
   * Stores a stream. Resolves when all of it is read and at least this node can serve it. `safe` resolves when it is
   * placed as promised, or rejects with what prevents that. Rejects with "full" (no room here or elsewhere),
   * "cancelled" (then nothing stays), "io".
   */
  put(
    source: AsyncIterable<Uint8Array>,
    options: { readonly signal?: AbortSignal | undefined; readonly onProgress?: (progress: PutProgress) => void },
  ): Promise<{ readonly ref: ContentRef; readonly safe: Promise<void> }>;
  /**
   * Bytes from `from` on and below `to`; every piece is checked against the CID. Rejects with "not-found", "lost",
   * "corrupt", "cancelled".
   */
  read(
    ref: ContentRef,
    options?: { readonly from?: number; readonly to?: number; readonly signal?: AbortSignal | undefined },
  ): AsyncIterable<Uint8Array>;
  stat(ref: ContentRef, options?: { readonly signal?: AbortSignal | undefined }): Promise<ContentStat>;
  /** Holds the content whole on this node until released, so that it can be read here without any other node. */
  keep(ref: ContentRef, options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  release(ref: ContentRef): Promise<void>;
  /**
   * Registers the sources that refer to contents. A content that no source names is collected after a time of grace.
   * Call it before anything is put.
   */
  addReferences(source: () => Iterable<string>): Unsubscribe;
  use(): StorageUse;
  /** The offers of all members that are there and have told one; this node's own is the present one. */
  offers(): StorageOffer[];
  /**
   * Sets how many bytes this node offers from now on. Its present shards stay even if they are more; nothing is added
   * until there is room. Its own puts may take `ownBytes`, if that is more than the offer and no other node has room
   * for them.
   */
  offer(bytes: number, ownBytes?: number): void;
  /** Called when the results of the methods above may have changed. */
  onChange(listener: () => void): Unsubscribe;
  close(): Promise<void>;
}

export type FileKind = "file" | "directory";

export interface FileInfo {
  /** Absolute, normalised ("/a/b"), without a slash at its end except for the root. */
  readonly path: string;
  readonly kind: FileKind;
  readonly sizeBytes: number;
  /** Undefined for directories; inline contents have a CID too. */
  readonly content: ContentRef | undefined;
  /** When it was last written, in corrected time, ms since 1970; for a directory the latest time of its contents. */
  readonly modifiedAtMs: number;
  /** Writer of this version: first 48 bits of the hash of its PeerId. */
  readonly writer: number;
  /** The writer's name at that time, by its own word; "" for directories. */
  readonly writerName: string;
  /** May be run as a program or script; of a directory always false. */
  readonly isExecutable: boolean;
  /** This name stands for one of several writes that did not know of each other; it is not the latest of them. */
  readonly isConflict: boolean;
  readonly isKeptHere: boolean;
}

export interface FileVersion extends FileInfo {
  /** Names the version for `restore`. */
  readonly version: string;
  readonly isCurrent: boolean;
  /** When it will be collected, ms since 1970; undefined while it is current. */
  readonly keptUntilMs: number | undefined;
}

export interface WriteOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: PutProgress) => void;
  /** It may be executed. If absent, a replaced file keeps its permission, and a new file may not be executed. */
  readonly isExecutable?: true | undefined;
}

/** Paths are absolute or are taken from the root; "." and ".." are resolved. Names are any Unicode but NUL and "/". */
export interface Files {
  /** Entries of the tree that are not shown, because they are impossible, or too many for one name. */
  readonly setAside: number;
  stat(path: string): FileInfo | undefined;
  /** The entries of a directory, by name. Throws "not-found", "not-a-directory". */
  list(path: string): FileInfo[];
  /** All files and directories under a path, itself first. */
  walk(path: string): IterableIterator<FileInfo>;
  /** Rejects with "not-found", "is-a-directory", "lost", "corrupt", "cancelled". */
  read(
    path: string,
    options?: { readonly from?: number; readonly to?: number; readonly signal?: AbortSignal | undefined },
  ): AsyncIterable<Uint8Array>;
  /**
   * Puts the stream under the path in one step: readers see the old file or the new one. Resolves when it is written
   * here and can be read by all who reach this node; `safe` as in Contents.put, its tree entry acknowledged too.
   */
  write(
    path: string,
    source: AsyncIterable<Uint8Array>,
    options?: WriteOptions,
  ): Promise<{ readonly info: FileInfo; readonly safe: Promise<void> }>;
  append(
    path: string,
    source: AsyncIterable<Uint8Array>,
    options?: WriteOptions,
  ): Promise<{ readonly info: FileInfo; readonly safe: Promise<void> }>;
  /** A copy without moving bytes. */
  copy(from: string, to: string): FileInfo;
  /** Whether a file may be run. Throws "not-found", "is-a-directory", "full", "clock". */
  setExecutable(path: string, isExecutable: boolean): void;
  makeDirectory(path: string, options?: { readonly parents?: boolean }): void;
  /** Removes a directory only if it is empty or with `recursive`. Throws "not-found", "not-empty". */
  remove(path: string, options?: { readonly recursive?: boolean }): void;
  /** One batch, also of a directory with all that is in it. */
  rename(from: string, to: string): void;
  versions(path: string): FileVersion[];
  /** Makes an earlier (or removed) version the current one. */
  restore(path: string, version?: string): FileInfo;
  keep(path: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  release(path: string): Promise<void>;
  statContent(path: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<ContentStat>;
  /** Called with a path whenever something at or under it changes. */
  watch(path: string, listener: (path: string) => void): Unsubscribe;
}

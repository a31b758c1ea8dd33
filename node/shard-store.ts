/**
 * The port ShardStore as files, a file a shard, in 256 directories by the hash of the id. A shard is written beside its
 * place, flushed, renamed into it, and the directory flushed, so that it survives what a power cut leaves. Opening reads the
 * directories and no file: lengths are in the names. Assumes that one process uses the directory at a time (data-dir.ts
 * sees to that) and a POSIX file system.
 *
 * Most of what a put costs are the flushes. How much that is, and how much several puts at once save, differs widely from
 * disk to disk and with its other work: bench/disk-store.ts measures it.
 */
import { hash } from "node:crypto";
import { mkdir, open, readdir, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Bytes } from "../core/base/bytes.ts";
import { webSha256 } from "../core/platform/sha256.ts";
import { FRAME_BYTES_MAX, type FrameKeeper, ShardShelf } from "../core/platform/shard-shelf.ts";
import type { ShardStore } from "../core/ports/shard-store.ts";
import { flushDirectory, guardFiles, isNotFound, isUnreadable, writeDurably } from "./files.ts";
import { nodeSha256, SMALL_BYTES_MAX } from "./sha256.ts";

const DIRECTORIES = 256;
const UNFINISHED = ".part";
/** Directories that are read at once when opening: the threads that Node has for files. */
const OPENERS = 4;

export interface FileShardStoreOptions {
  readonly quotaBytes: number;
}

/** Opens the store, making its directories if need be, and clears away what a crash has left unfinished. Rejects with "io". */
export async function openFileShardStore(directory: string, options: FileShardStoreOptions): Promise<ShardStore> {
  return guardFiles(directory, async () => {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const names: string[][] = [];
    const numbers = Array.from({ length: DIRECTORIES }, (_, i) => i).values();
    const opener = async (): Promise<void> => {
      for (const number of numbers) names[number] = await openDirectory(join(directory, directoryName(number)));
    };
    await Promise.all(Array.from({ length: OPENERS }, opener));
    await flushDirectory(directory);
    const keeper = new FileKeeper(directory);
    return new ShardShelf({ keeper, names: names.flat(), quotaBytes: options.quotaBytes, sha256 });
  });
}

/** The names in it. */
async function openDirectory(directory: string): Promise<string[]> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const names = await readdir(directory);
  for (const name of names) if (name.endsWith(UNFINISHED)) await unlink(join(directory, name));
  return names;
}

class FileKeeper implements FrameKeeper {
  readonly #directory: string;
  /** The next flush of each directory, for whoever changes it before that begins. */
  readonly #nextFlushes = new Map<string, Promise<void>>();
  /** The last flush of each directory that has one under way or to come. */
  readonly #flushes = new Map<string, Promise<void>>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  read(name: string): Promise<Bytes | undefined> {
    return this.#guard(async () => {
      try {
        return await readAtMost(join(this.#directoryOf(name), name), FRAME_BYTES_MAX + 1);
      } catch (error) {
        if (isNotFound(error) || isUnreadable(error)) return undefined;
        throw error;
      }
    });
  }

  write(name: string, frame: Bytes, replaced: string | undefined): Promise<void> {
    return this.#guard(async () => {
      const directory = this.#directoryOf(name);
      const unfinished = join(directory, name + UNFINISHED);
      try {
        await writeDurably(unfinished, frame);
        await rename(unfinished, join(directory, name));
      } catch (error) {
        await unlink(unfinished).catch(() => {});
        throw error;
      }
      if (replaced !== undefined) await unlinkIfThere(join(directory, replaced));
      await this.#flush(directory);
    });
  }

  remove(name: string): Promise<void> {
    return this.#guard(() => unlinkIfThere(join(this.#directoryOf(name), name)));
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#flushes.values());
  }

  /** By the id alone, so that what replaces a shard is in the same directory and one flush makes both last. */
  #directoryOf(name: string): string {
    const id = name.slice(0, name.lastIndexOf("."));
    return join(this.#directory, hash("sha256", id).slice(0, 2));
  }

  /** Flushes the directory once for all who ask while it is being flushed. */
  #flush(directory: string): Promise<void> {
    const waiting = this.#nextFlushes.get(directory);
    if (waiting !== undefined) return waiting;
    const before = this.#flushes.get(directory);
    const flush = (before ?? Promise.resolve())
      .catch(() => {})
      .then(() => {
        this.#nextFlushes.delete(directory);
        return flushDirectory(directory);
      })
      .finally(() => {
        if (this.#flushes.get(directory) === flush) this.#flushes.delete(directory);
      });
    this.#flushes.set(directory, flush);
    if (before !== undefined) this.#nextFlushes.set(directory, flush);
    return flush;
  }

  #guard<T>(work: () => Promise<T>): Promise<T> {
    return guardFiles(this.#directory, work, "full");
  }
}

function directoryName(number: number): string {
  return number.toString(16).padStart(2, "0");
}

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** The file, or its beginning if it is longer than it can be. */
async function readAtMost(path: string, bytes: number): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const buffer = new Uint8Array(Math.min(size, bytes));
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return buffer.subarray(0, length);
  } finally {
    await file.close();
  }
}

/** Large ones on another thread. */
function sha256(message: Bytes): Uint8Array | Promise<Uint8Array> {
  return message.length <= SMALL_BYTES_MAX ? nodeSha256(message) : webSha256(message);
}

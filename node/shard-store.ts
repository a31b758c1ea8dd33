/**
 * The port ShardStore as files: one file a shard, in 256 directories by the hash of the id. A shard is written beside
 * its place and then renamed, so that a process that is killed leaves it whole or not at all. Opening the store reads
 * the directories and no file, because lengths are in the names. Assumes that only one process uses the directory
 * (data-dir.ts ensures that), and a POSIX file system.
 *
 * Files and directories are flushed when somebody asks for it (`sync`), or some seconds after they were written. A
 * power cut before that may leave names without their bytes; the checksums tell. Flushing each shard before its put
 * resolves made a put take three times as long. Callers that wait for `safe` wait for one flush of all shards.
 */
import { hash } from "node:crypto";
import { mkdir, open, readdir, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Bytes } from "../core/base/bytes.ts";
import { own } from "../core/base/owned.ts";
import { frameBytes, type FrameStore, ShardShelf } from "../core/platform/shard-shelf.ts";
import type { ShardStore } from "../core/ports/shard-store.ts";
import { flushDirectory, flushFile, guardFiles, isNotFound, isUnreadable, writePieces } from "./files.ts";
import { nodeSha256 } from "./sha256.ts";

const DIRECTORIES = 256;
const UNFINISHED = ".part";
/** Files and directories that are read or flushed at once: as many as Node.js has threads for files. */
const AT_ONCE = 4;
/**
 * If nobody has asked for it, writes are flushed after this time: a power cut may take so much from any file system.
 */
const FLUSHED_AFTER_MS = 5_000;

export interface FileShardStoreOptions {
  readonly quotaBytes: number;
}

/**
 * Opens the store, makes its directories if need be, and removes what a crash has left unfinished. Rejects with "io".
 */
export async function openFileShardStore(directory: string, options: FileShardStoreOptions): Promise<ShardStore> {
  return guardFiles(directory, async () => {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const names: string[][] = [];
    const numbers = Array.from({ length: DIRECTORIES }, (_, i) => i);
    await someAtOnce(numbers, async (number) => {
      names[number] = await openDirectory(join(directory, directoryName(number)));
    });
    await flushDirectory(directory);
    const frames = new FileFrames(directory, () => {
      // A caller of `sync` hears of a failure; otherwise it is found later, like any damage.
      setTimeout(() => void store.sync().catch(() => {}), FLUSHED_AFTER_MS).unref();
    });
    const store = new ShardShelf({ frames, names: names.flat(), quotaBytes: options.quotaBytes, sha256: nodeSha256 });
    return store;
  });
}

async function someAtOnce<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const left = Iterator.from(items);
  const worker = async (): Promise<void> => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** The names in the directory. */
async function openDirectory(directory: string): Promise<string[]> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const names = await readdir(directory);
  for (const name of names) if (name.endsWith(UNFINISHED)) await unlink(join(directory, name));
  return names;
}

class FileFrames implements FrameStore {
  readonly #directory: string;
  readonly #onUnflushed: () => void;
  /** Names of the files that were written since the last flush began. */
  #unflushed = new Set<string>();
  /** The last flush, and the one that begins after it. */
  #flush: Promise<readonly string[]> = Promise.resolve([]);
  #nextFlush: Promise<readonly string[]> | undefined;

  /** `onUnflushed` is called at the first write after a flush has begun. */
  constructor(directory: string, onUnflushed: () => void) {
    this.#directory = directory;
    this.#onUnflushed = onUnflushed;
  }

  read(name: string): Promise<Bytes | undefined> {
    return this.#guard(async () => {
      try {
        return await readAtMost(join(this.#directoryOf(name), name), frameBytes(name) + 1);
      } catch (error) {
        if (isNotFound(error) || isUnreadable(error)) return undefined;
        throw error;
      }
    });
  }

  write(name: string, head: Bytes, bytes: Bytes, replaced: string | undefined): Promise<void> {
    return this.#guard(async () => {
      const directory = this.#directoryOf(name);
      const unfinished = join(directory, name + UNFINISHED);
      try {
        await writePieces(unfinished, head, bytes);
        await rename(unfinished, join(directory, name));
      } catch (error) {
        await unlink(unfinished).catch(() => {});
        throw error;
      }
      this.#unflushed.add(name);
      if (this.#unflushed.size === 1) this.#onUnflushed();
      if (replaced !== undefined) await unlinkIfThere(join(directory, replaced));
    });
  }

  /** Callers during a flush share the next one. */
  flush(): Promise<readonly string[]> {
    this.#nextFlush ??= this.#flush.then(() => {
      this.#nextFlush = undefined;
      const names = this.#unflushed;
      this.#unflushed = new Set();
      this.#flush = this.#flushAll(names);
      return this.#flush;
    });
    return this.#nextFlush;
  }

  remove(name: string): Promise<void> {
    return this.#guard(() => unlinkIfThere(join(this.#directoryOf(name), name)));
  }

  async close(): Promise<void> {
    await this.flush();
  }

  async #flushAll(names: ReadonlySet<string>): Promise<readonly string[]> {
    const lost: string[] = [];
    await someAtOnce(names, async (name) => {
      await flushFile(join(this.#directoryOf(name), name)).catch(() => lost.push(name));
    });
    const directories = Map.groupBy(names, (name) => this.#directoryOf(name));
    await someAtOnce(directories, async ([directory, within]) => {
      await flushDirectory(directory).catch(() => lost.push(...within));
    });
    return lost;
  }

  /**
   * Determined by the id alone, so that the new file of a shard is in the same directory as the old one, and one flush
   * makes both changes durable.
   */
  #directoryOf(name: string): string {
    const id = name.slice(0, name.lastIndexOf("."));
    return join(this.#directory, hash("sha256", id).slice(0, 2));
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

/** The file, or its beginning if it is longer than allowed. */
async function readAtMost(path: string, bytes: number): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    // Not cleared, since the unread part is cut off; and a buffer of its own, since it may live long.
    const buffer = own(Buffer.allocUnsafeSlow(bytes));
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, bytes - length);
      length += bytesRead;
      if (bytesRead === 0 || length === bytes) break;
      // The whole file has been read, unless somebody has changed it.
      if (length === bytes - 1) break;
    }
    return new Uint8Array(buffer.buffer, 0, length);
  } finally {
    await file.close();
  }
}

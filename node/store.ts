/**
 * The port Store as files of one directory, one file a key. A value is written beside its place, flushed, and then
 * renamed, so that a crash at any moment leaves the old value or the new one. Assumes that only one process uses the
 * directory (data-dir.ts ensures that), and a POSIX file system.
 */
import { mkdir, readdir, readFile, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { type Bytes, utf8 } from "../core/base/bytes.ts";
import { StarfishError } from "../core/base/errors.ts";
import { checkKey, type Store } from "../core/ports/store.ts";
import { flushDirectory, guardFiles, isNotFound, writeDurably } from "./files.ts";

/** A file's name is its key in hexadecimal, which is safe on every file system, with one of these endings. */
const VALUE = ".value";
const UNFINISHED = ".part";

/** Opens the store, makes the directory if need be, and removes what a crash has left unfinished. Rejects with "io". */
export async function openFileStore(directory: string): Promise<Store> {
  return guardFiles(directory, async () => {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    for (const name of await readdir(directory)) {
      if (name.endsWith(UNFINISHED)) await unlink(join(directory, name));
    }
    return new FileStore(directory);
  });
}

class FileStore implements Store {
  readonly #directory: string;
  /** Writes take turns, in the order of their calls; this is the last one. */
  #lastWrite: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const path = this.#pathOf(key);
    return guardFiles(this.#directory, async () => {
      try {
        return new Uint8Array(await readFile(path));
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    });
  }

  async set(key: string, value: Bytes): Promise<void> {
    const path = this.#pathOf(key);
    const copy = value.slice();
    await this.#inTurn(async () => {
      const unfinished = path + UNFINISHED;
      try {
        await writeDurably(unfinished, copy);
        await rename(unfinished, path);
      } catch (error) {
        await unlink(unfinished).catch(() => {});
        throw error;
      }
      await flushDirectory(this.#directory);
    });
  }

  async delete(key: string): Promise<void> {
    const path = this.#pathOf(key);
    await this.#inTurn(async () => {
      try {
        await unlink(path);
      } catch (error) {
        if (isNotFound(error)) return;
        throw error;
      }
      await flushDirectory(this.#directory);
    });
  }

  async keys(prefix: string): Promise<string[]> {
    this.#pathOf(prefix);
    const names = await guardFiles(this.#directory, () => readdir(this.#directory));
    return names
      .filter((name) => name.endsWith(VALUE))
      .map((name) => Buffer.from(name.slice(0, -VALUE.length), "hex").toString())
      .filter((key) => key.startsWith(prefix))
      .sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#lastWrite;
  }

  #pathOf(key: string): string {
    if (this.#closed) throw new StarfishError("closed", "The store is closed");
    checkKey(key);
    return join(this.#directory, Buffer.from(utf8(key)).toString("hex") + VALUE);
  }

  #inTurn(write: () => Promise<void>): Promise<void> {
    const written = this.#lastWrite.then(() => guardFiles(this.#directory, write));
    this.#lastWrite = written.catch(() => {});
    return written;
  }
}

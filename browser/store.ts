/**
 * The port Store in IndexedDB, a database for each name, so that the tabs of one browser have stores of their own.
 * Writes are durable when they resolve (browsers otherwise report success before the data has left memory).
 */
import { del, get, keys, set, type UseStore } from "idb-keyval";
import type { Bytes } from "../core/base/bytes.ts";
import { StarfishError } from "../core/base/errors.ts";
import { checkKey, type Store } from "../core/ports/store.ts";
import { guardDatabase, openDatabase } from "./database.ts";

const OBJECT_STORE = "values";

/** Opens the store of that name. Rejects with "unsupported" where the browser has no storage for pages, or with "io". */
export async function openIndexedDbStore(name: string): Promise<Store> {
  return guardDatabase(async () => new IndexedDbStore(await openDatabase(name, OBJECT_STORE)));
}

class IndexedDbStore implements Store {
  readonly #database: IDBDatabase;
  readonly #use: UseStore;
  #closed = false;

  constructor(database: IDBDatabase) {
    this.#database = database;
    this.#use = async (mode, work) =>
      work(database.transaction(OBJECT_STORE, mode, { durability: "strict" }).objectStore(OBJECT_STORE));
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    this.#check(key);
    return guardDatabase(() => get<Uint8Array>(key, this.#use));
  }

  async set(key: string, value: Bytes): Promise<void> {
    this.#check(key);
    // Copied, because storing a view stores the whole buffer that it is a part of.
    const copy = value.slice();
    await guardDatabase(() => set(key, copy, this.#use));
  }

  async delete(key: string): Promise<void> {
    this.#check(key);
    await guardDatabase(() => del(key, this.#use));
  }

  async keys(prefix: string): Promise<string[]> {
    this.#check(prefix);
    const all = await guardDatabase(() => keys<string>(this.#use));
    return all.filter((key) => key.startsWith(prefix)).sort();
  }

  /** Running transactions finish first; the browser sees to that. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#database.close();
  }

  #check(key: string): void {
    if (this.#closed) throw new StarfishError("closed", "The store is closed");
    checkKey(key);
  }
}

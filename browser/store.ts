/**
 * The port Store in IndexedDB, a database for each name, so that the tabs of one browser have stores of their own.
 * Writes are durable when they resolve (browsers otherwise report success before the data has left memory).
 */
import { del, get, keys, set, type UseStore } from "idb-keyval";
import type { Bytes } from "../core/base/bytes.ts";
import { messageOf, StarfishError } from "../core/base/errors.ts";
import { checkKey, type Store } from "../core/ports/store.ts";

const OBJECT_STORE = "values";

/** Opens the store of that name. Rejects with "unsupported" where the browser has no storage for pages, or with "io". */
export async function openIndexedDbStore(name: string): Promise<Store> {
  if (typeof indexedDB === "undefined") {
    throw new StarfishError("unsupported", "This browser keeps nothing for pages (IndexedDB is switched off)");
  }
  return guard(async () => new IndexedDbStore(await openDatabase(name)));
}

class IndexedDbStore implements Store {
  readonly #database: IDBDatabase;
  readonly #use: UseStore;
  #closed = false;

  constructor(database: IDBDatabase) {
    this.#database = database;
    this.#use = async (mode, work) =>
      work(database.transaction(OBJECT_STORE, mode, { durability: "strict" }).objectStore(OBJECT_STORE));
    // Somebody deletes the database: let go, or they wait for ever.
    database.addEventListener("versionchange", () => database.close());
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    this.#check(key);
    return guard(() => get<Uint8Array>(key, this.#use));
  }

  async set(key: string, value: Bytes): Promise<void> {
    this.#check(key);
    // Copied, because storing a view stores the whole buffer that it is a part of.
    const copy = value.slice();
    await guard(() => set(key, copy, this.#use));
  }

  async delete(key: string): Promise<void> {
    this.#check(key);
    await guard(() => del(key, this.#use));
  }

  async keys(prefix: string): Promise<string[]> {
    this.#check(prefix);
    const all = await guard(() => keys<string>(this.#use));
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

function openDatabase(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name);
    request.addEventListener("upgradeneeded", () => request.result.createObjectStore(OBJECT_STORE));
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error ?? new Error("The database could not be opened")));
  });
}

/** What to do about the faults that people can mend, by the name of the browser's exception. */
const REMEDIES: Readonly<Record<string, string>> = {
  QuotaExceededError: "The browser's storage is full: free some space on this device.",
  InvalidStateError: "The browser has closed this page's storage: reload the page.",
  NotFoundError: "This page's storage was deleted: reload the page.",
  SecurityError: "The browser's settings forbid this page to store anything: allow it site data.",
  VersionError: "This page's storage was written by a newer version: reload the page.",
};

async function guard<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const remedy = error instanceof DOMException ? REMEDIES[error.name] : undefined;
    const message = remedy ?? `The browser's storage failed: ${messageOf(error)}`;
    throw new StarfishError("io", message, { cause: error });
  }
}

/**
 * The port Store in IndexedDB, with a database for each name, so that the tabs of one browser have stores of their own.
 * Writes are durable when they resolve (by default browsers report success before the data has left memory).
 */
import { del, get, keys, set, type UseStore } from "idb-keyval";
import type { Bytes } from "../core/base/bytes.ts";
import { StarfishError } from "../core/base/errors.ts";
import { checkKey, type Store } from "../core/ports/store.ts";
import { guardDatabase, openDatabase } from "./database.ts";

const OBJECT_STORE = "values";
/** How often it checks whether the storage was cleared, for which there is no event. */
const LOOK_MS = 5_000;

export interface IndexedDbStoreOptions {
  /** Called once when somebody deletes or clears the database. Nothing is kept from then on. */
  readonly onLost?: (() => void) | undefined;
  readonly lookMs?: number | undefined;
}

/** Opens the store of that name. Rejects with "unsupported" if the browser has no storage for pages, or with "io". */
export async function openIndexedDbStore(name: string, options: IndexedDbStoreOptions = {}): Promise<Store> {
  return guardDatabase(async () => {
    // If the database is lost before the store exists, nothing was in it.
    let store: IndexedDbStore | undefined;
    const database = await openDatabase(name, OBJECT_STORE, () => store?.lose());
    store = new IndexedDbStore(database, options);
    await store.look();
    return store;
  });
}

class IndexedDbStore implements Store {
  readonly #database: IDBDatabase;
  readonly #use: UseStore;
  readonly #onLost: (() => void) | undefined;
  readonly #looking: ReturnType<typeof setInterval>;
  /** Whether it has contained something that its owner has not deleted. */
  #hasHeld = false;
  /** How often its owner has begun to write or delete. */
  #changes = 0;
  #isLost = false;
  #closed = false;

  constructor(database: IDBDatabase, { onLost, lookMs = LOOK_MS }: IndexedDbStoreOptions) {
    this.#database = database;
    this.#onLost = onLost;
    this.#use = async (mode, work) =>
      work(database.transaction(OBJECT_STORE, mode, { durability: "strict" }).objectStore(OBJECT_STORE));
    // An event tells of a database that can't be read any more.
    this.#looking = setInterval(() => void this.look().catch(() => {}), lookMs);
  }

  lose(): void {
    if (this.#isLost || this.#closed) return;
    this.#isLost = true;
    clearInterval(this.#looking);
    this.#onLost?.();
  }

  /** Checks whether everything in it is gone. */
  async look(): Promise<void> {
    const changes = this.#changes;
    const isEmpty = (await keys(this.#use)).length === 0;
    // Its owner has begun a change meanwhile, so the result is uncertain; the next check will tell.
    if (changes !== this.#changes) return;
    if (isEmpty && this.#hasHeld) this.lose();
    this.#hasHeld ||= !isEmpty;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    this.#check(key);
    return guardDatabase(() => get<Uint8Array>(key, this.#use));
  }

  async set(key: string, value: Bytes): Promise<void> {
    this.#check(key);
    // Copied, because storing a view would store the whole buffer behind it.
    const copy = value.slice();
    const changes = ++this.#changes;
    await guardDatabase(() => set(key, copy, this.#use));
    if (changes === this.#changes) this.#hasHeld = true;
  }

  async delete(key: string): Promise<void> {
    this.#check(key);
    // Perhaps its owner has emptied it, which is no loss.
    this.#changes++;
    this.#hasHeld = false;
    await guardDatabase(() => del(key, this.#use));
    await guardDatabase(() => this.look());
  }

  async keys(prefix: string): Promise<string[]> {
    this.#check(prefix);
    const all = await guardDatabase(() => keys<string>(this.#use));
    return all.filter((key) => key.startsWith(prefix)).sort();
  }

  /** Running transactions finish first; the browser ensures that. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearInterval(this.#looking);
    this.#database.close();
  }

  #check(key: string): void {
    if (this.#closed) throw new StarfishError("closed", "The store is closed");
    if (this.#isLost) throw new StarfishError("io", "This page's storage was cleared: reload the page.");
    checkKey(key);
  }
}

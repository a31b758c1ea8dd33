/**
 * The port ShardStore in IndexedDB, with a database for each tab's number. The tab that holds the number's Web Lock
 * (tab-index.ts) is its only owner. Puts that arrive while a transaction is being flushed share the next one.
 *
 * It is not the fastest that a browser has: that is one file in the origin's private file system (OPFS), written by a
 * worker. Chromium 156 on ext4, a real profile, three rounds in turn on a machine with other work, from worst to best:
 *
 *                                       256 KiB write, read          4 KiB write, read
 *   this store, 16 calls at once        88-113, 205-312 MB/s         3,400-4,800, 6,400-12,500 /s
 *   OPFS, one file, a flush for 8       1,050-1,250, 1,100-1,900     19,000-31,000, 205,000-235,000
 *   OPFS, one file, a flush for each    260-710, 1,600-2,200         2,700-6,300, 211,000-229,000
 *
 * The file was written and read bare: without checksums, the way to the worker and back, an index, and the allocation
 * and recovery after crashes that one file for all would have to be taught. That is why it is not used yet, and the
 * only reason. OPFS with a file for each shard was slower than IndexedDB with small ones (280-430 writes a second; one
 * run).
 */
import { type Bytes, concat } from "../core/base/bytes.ts";
import { type FrameStore, ShardShelf } from "../core/platform/shard-shelf.ts";
import { webSha256 } from "../core/platform/sha256.ts";
import type { ShardStore } from "../core/ports/shard-store.ts";
import { guardDatabase, openDatabase } from "./database.ts";

const OBJECT_STORE = "shards";
/** Changes of one transaction: enough to hide the flush, and few enough to fail or be waited for together. */
const BATCH_MAX = 32;
/** What a tab offers at most by default, and its part of what the browser lets the whole origin keep. */
const QUOTA_BYTES_MAX = 2_000_000_000;
const QUOTA_OF_ESTIMATE = 0.5;

export interface IndexedDbShardStoreOptions {
  readonly quotaBytes: number;
}

/** Opens the store of that name. Rejects with "unsupported" if the browser has no storage for pages, or with "io". */
export async function openIndexedDbShardStore(name: string, options: IndexedDbShardStoreOptions): Promise<ShardStore> {
  return guardDatabase(async () => {
    const database = await openDatabase(name, OBJECT_STORE);
    const keys = await resultOf(database.transaction(OBJECT_STORE).objectStore(OBJECT_STORE).getAllKeys());
    const names = keys.filter((key) => typeof key === "string");
    return new ShardShelf({
      frames: new IndexedDbFrames(database),
      names,
      quotaBytes: options.quotaBytes,
      sha256: webSha256,
    });
  });
}

/**
 * What a tab may offer: half of what the browser lets this page keep, so that several tabs find room, up to 2 GB. Asks
 * the browser not to evict the page's storage when the device runs out of it; the answer changes nothing here.
 */
export async function shardQuota(storage: StorageManager): Promise<number> {
  await storage.persist().catch(() => false);
  const { quota = 0 } = await storage.estimate().catch((): StorageEstimate => ({}));
  return Math.min(QUOTA_BYTES_MAX, Math.floor(quota * QUOTA_OF_ESTIMATE));
}

/** A put or a removal that waits for its transaction. */
interface Change {
  readonly apply: (shards: IDBObjectStore) => void;
  readonly settle: () => void;
  readonly fail: (error: unknown) => void;
}

class IndexedDbFrames implements FrameStore {
  readonly #database: IDBDatabase;
  readonly #waiting: Change[] = [];
  #isWriting = false;

  constructor(database: IDBDatabase) {
    this.#database = database;
  }

  read(name: string): Promise<Bytes | undefined> {
    return guardDatabase(async () => {
      const shards = this.#database.transaction(OBJECT_STORE).objectStore(OBJECT_STORE);
      try {
        const value: unknown = await resultOf(shards.get(name));
        return value instanceof Uint8Array ? value : undefined;
      } catch (error) {
        if (isUnreadable(error)) return undefined;
        throw error;
      }
    });
  }

  write(name: string, head: Bytes, bytes: Bytes, replaced: string | undefined): Promise<void> {
    const frame = concat([head, bytes]);
    return this.#change((shards) => {
      shards.put(frame, name);
      if (replaced !== undefined) shards.delete(replaced);
    });
  }

  /** Every transaction is flushed before its changes count as done. */
  async flush(): Promise<readonly string[]> {
    return [];
  }

  remove(name: string): Promise<void> {
    return this.#change((shards) => shards.delete(name));
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  #change(apply: Change["apply"]): Promise<void> {
    return guardDatabase(
      () =>
        new Promise<void>((settle, fail) => {
          this.#waiting.push({ apply, settle, fail });
          if (!this.#isWriting) void this.#writeAll();
        }),
      "full",
    );
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH_MAX);
      try {
        await this.#transact(batch);
        for (const { settle } of batch) settle();
      } catch (error) {
        if (batch.length === 1) batch[0]?.fail(error);
        // Changes that were too much together may fit one by one.
        else await this.#writeSingly(batch);
      }
    }
    this.#isWriting = false;
  }

  async #writeSingly(batch: readonly Change[]): Promise<void> {
    for (const change of batch) await this.#transact([change]).then(change.settle, change.fail);
  }

  /** Durable when it resolves; by default browsers report success before the data has left memory. */
  async #transact(batch: readonly Change[]): Promise<void> {
    const transaction = this.#database.transaction(OBJECT_STORE, "readwrite", { durability: "strict" });
    const done = new Promise<void>((resolve, reject) => {
      transaction.addEventListener("complete", () => resolve());
      transaction.addEventListener("abort", () =>
        reject(transaction.error ?? new Error("The transaction was aborted")),
      );
    });
    const shards = transaction.objectStore(OBJECT_STORE);
    for (const { apply } of batch) apply(shards);
    await done;
  }
}

function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error ?? new Error("The database gave no reason")));
  });
}

/** Chromium's messages about a value whose bytes are gone or damaged. */
function isUnreadable(error: unknown): boolean {
  return error instanceof DOMException && (error.name === "DataError" || error.name === "NotReadableError");
}

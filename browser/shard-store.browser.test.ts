/** The IndexedDB store of shards in a real browser: its contract, and faults that a browser can have. */
import { describe, expect, it } from "vitest";
import { isStarfishError } from "../core/base/errors.ts";
import { shardStoreContract } from "../core/ports/shard-store.contract.ts";
import type { ShardStore } from "../core/ports/shard-store.ts";
import { openIndexedDbShardStore, shardQuota } from "./shard-store.ts";

let made = 0;
const freshName = (): string => `shards-test-${performance.timeOrigin}-${made++}`;
const openStore = (name: string): Promise<ShardStore> => openIndexedDbShardStore(name, { quotaBytes: Infinity });

function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error ?? new Error("failed")));
  });
}

async function remove(name: string): Promise<void> {
  await resultOf(indexedDB.deleteDatabase(name));
}

/** Changes a shard through a connection of its own. */
async function tamper(name: string, id: string, change: (kept: unknown) => unknown): Promise<void> {
  const database = await resultOf(indexedDB.open(name));
  const transaction = database.transaction("shards", "readwrite");
  const shards = transaction.objectStore("shards");
  const keys = await resultOf(shards.getAllKeys());
  const key = keys.find((name) => typeof name === "string" && name.startsWith(`${id}.`)) ?? "";
  const changed = change(await resultOf<unknown>(shards.get(key)));
  if (changed === undefined) await resultOf(shards.delete(key));
  else await resultOf(shards.put(changed, key));
  database.close();
}

shardStoreContract("IndexedDB", async () => {
  const name = freshName();
  return {
    open: () => openStore(name),
    tamper: (id, change) => tamper(name, id, (kept) => (kept instanceof Uint8Array ? change(kept) : new Uint8Array(0))),
    destroy: () => remove(name),
  };
});

describe("IndexedDB store of shards", () => {
  it("takes anything but bytes for damage", async () => {
    const name = freshName();
    {
      await using store = await openStore(name);
      await store.put("a", new Uint8Array(10));
      await tamper(name, "a", () => "text");
      expect(await store.get("a")).toBeUndefined();
      expect(store.usage().damaged).toBe(1);
    }
    await remove(name);
  });

  it("lets its database be deleted under it, and then says what to do", async () => {
    const name = freshName();
    await using store = await openStore(name);
    await store.put("a", new Uint8Array(10));
    await remove(name);
    await expect(store.get("a")).rejects.toThrow("reload the page");
    await expect(store.put("a", new Uint8Array(1))).rejects.toSatisfy((error) => isStarfishError(error, "io"));
    const puts = await Promise.allSettled([1, 2, 3].map((i) => store.put(`b-${i}`, new Uint8Array(1))));
    expect(puts.every(({ status }) => status === "rejected")).toBe(true);
  });
});

describe("what a tab offers", () => {
  const storageOf = (estimate: () => Promise<StorageEstimate>, persist = async () => true): StorageManager =>
    Object.assign(Object.create(navigator.storage), { estimate, persist });

  it("is 2 GB, or half of what the browser allows where that is less", async () => {
    expect(await shardQuota(storageOf(async () => ({ quota: 100e9 })))).toBe(2e9);
    expect(await shardQuota(storageOf(async () => ({ quota: 1e9 })))).toBe(5e8);
    const real = await shardQuota(navigator.storage);
    expect(real).toBeGreaterThan(0);
    expect(real).toBeLessThanOrEqual(2e9);
  });

  it("is nothing where the browser does not say, and the same where it will not promise to persist", async () => {
    const refuse = (): Promise<never> => Promise.reject(new TypeError("not here"));
    expect(await shardQuota(storageOf(refuse))).toBe(0);
    expect(await shardQuota(storageOf(async () => ({ quota: 1e9 }), refuse))).toBe(5e8);
  });
});

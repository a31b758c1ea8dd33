/** What every ShardStore must do. Until it is destroyed, `open` always gives a store with the same content. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Bytes, equal } from "../base/bytes.ts";
import { isStarfishError } from "../base/errors.ts";
import { webSha256 } from "../platform/sha256.ts";
import {
  SHARD_ID_CHARS_MAX,
  SHARD_OVERHEAD_BYTES,
  type ShardStore,
  STORED_SHARD_BYTES_MAX,
  type StoredShard,
  UNSETTLED_BYTES_MAX,
} from "./shard-store.ts";

export interface ShardStoreHarness {
  /** Opens the store, which is empty the first time. After disposal it opens the same content again. */
  open(): Promise<ShardStore>;
  /**
   * Changes the kept bytes of a shard behind the store's back, whether it is open or not; `undefined` removes the
   * shard.
   */
  tamper(id: string, change: (kept: Bytes) => Bytes | undefined): Promise<void>;
  /** Removes every trace. */
  destroy?(): Promise<void>;
}

export function shardStoreContract(name: string, create: () => Promise<ShardStoreHarness>): void {
  describe(`ShardStore: ${name}`, () => {
    let harness: ShardStoreHarness;
    let store: ShardStore;

    beforeEach(async () => {
      harness = await create();
      store = await harness.open();
      store.setQuota(QUOTA_BYTES);
    });

    afterEach(async () => {
      await store[Symbol.asyncDispose]();
      await harness.destroy?.();
    });

    const reopen = async (): Promise<void> => {
      await store[Symbol.asyncDispose]();
      store = await harness.open();
      store.setQuota(QUOTA_BYTES);
    };

    it("has nothing at first", async () => {
      expect(await store.get("nothing")).toBeUndefined();
      expect(store.has("nothing")).toBe(false);
      expect(listed(store)).toEqual([]);
      expect(store.usage()).toEqual({ usedBytes: 0, quotaBytes: QUOTA_BYTES, damaged: 0 });
    });

    it("keeps shards of every length under every id, over reopening too", async () => {
      const longest = "z".repeat(SHARD_ID_CHARS_MAX);
      const ids = ["a", "0", "-", "--", "con", "a-b", "ab", longest];
      const lengths = [0, 1, 255, 4096, 65_536, 262_144, 262_145, STORED_SHARD_BYTES_MAX];
      for (const [i, id] of ids.entries()) await store.put(id, pattern(lengths[i] ?? 0, i));
      const all = ids.map((id, i) => ({ id, bytes: lengths[i] ?? 0 })).sort(byId);
      const usedBytes = all.reduce((sum, { bytes }) => sum + bytes + SHARD_OVERHEAD_BYTES, 0);
      for (let round = 0; round < 2; round++) {
        expect(listed(store)).toEqual(all);
        expect(store.usage()).toMatchObject({ usedBytes, damaged: 0 });
        for (const [i, id] of ids.entries()) {
          expect(store.has(id)).toBe(true);
          expectSame(await store.get(id), pattern(lengths[i] ?? 0, i));
        }
        await reopen();
      }
    });

    it("replaces a shard that is there, by a longer and a shorter one", async () => {
      for (const length of [10, 5000, 3]) {
        await store.put("a", pattern(length, length));
        expect(listed(store)).toEqual([{ id: "a", bytes: length }]);
        expect(store.usage().usedBytes).toBe(length + SHARD_OVERHEAD_BYTES);
        expectSame(await store.get("a"), pattern(length, length));
      }
      await reopen();
      expect(listed(store)).toEqual([{ id: "a", bytes: 3 }]);
      expectSame(await store.get("a"), pattern(3, 3));
    });

    it("deletes, and does not mind deleting what is not there", async () => {
      await store.put("a", pattern(1000, 1));
      await store.delete("a");
      await store.delete("a");
      expect(store.has("a")).toBe(false);
      expect(await store.get("a")).toBeUndefined();
      await reopen();
      expect(listed(store)).toEqual([]);
      expect(store.usage()).toMatchObject({ usedBytes: 0, damaged: 0 });
    });

    it("shares no memory with its caller", async () => {
      const bytes = pattern(3000, 1);
      await store.put("a", bytes);
      bytes.fill(0);
      const got = await store.get("a");
      expectSame(got, pattern(3000, 1));
      got?.fill(0);
      expectSame(await store.get("a"), pattern(3000, 1));
    });

    it("drops what was flipped, truncated, lengthened, swapped or taken away behind its back, and counts it", async () => {
      const changes: Record<string, (kept: Bytes) => Bytes | undefined> = {
        first: (kept) => flipped(kept, 0),
        middle: (kept) => flipped(kept, kept.length >> 1),
        last: (kept) => flipped(kept, kept.length - 1),
        short: (kept) => kept.slice(0, -1),
        half: (kept) => kept.slice(0, kept.length >> 1),
        stub: (kept) => kept.slice(0, 10),
        empty: () => new Uint8Array(0),
        long: (kept) => Uint8Array.from([...kept, 0]),
        zeros: (kept) => new Uint8Array(kept.length),
        gone: () => undefined,
      };
      const ids = Object.keys(changes);
      for (const id of [...ids, "other", "sound"]) await store.put(id, pattern(5000, id.length));
      for (const [id, change] of Object.entries(changes)) await harness.tamper(id, change);
      let other: Bytes = new Uint8Array(0);
      await harness.tamper("sound", (kept) => (other = kept));
      await harness.tamper("other", () => other);
      const told: string[] = [];
      const unsubscribe = store.onDamaged((id) => told.push(id));
      for (const [i, id] of [...ids, "other"].entries()) {
        expect(store.has(id)).toBe(true);
        expect(await store.get(id), id).toBeUndefined();
        expect(store.has(id), id).toBe(false);
        expect(store.usage().damaged).toBe(i + 1);
        expect(await store.get(id), id).toBeUndefined();
      }
      expect(told).toEqual([...ids, "other"]);
      unsubscribe();
      expectSame(await store.get("sound"), pattern(5000, 5));
      expect(store.usage()).toMatchObject({ usedBytes: 5000 + SHARD_OVERHEAD_BYTES, damaged: ids.length + 1 });
      await store.put("half", pattern(5000, 9));
      expectSame(await store.get("half"), pattern(5000, 9));
      await reopen();
      expect(listed(store).map(({ id }) => id)).toEqual(["half", "sound"]);
    });

    it("takes what has another hash than the one that is asked for, or was told, for damaged", async () => {
      const told = pattern(32, 1);
      await store.put("a", pattern(5000, 1));
      await store.put("b", pattern(5000, 2), { sha256: await webSha256(pattern(5000, 2)) });
      await store.put("c", pattern(5000, 3), { sha256: told });
      expectSame(await store.get("a", { sha256: await webSha256(pattern(5000, 1)) }), pattern(5000, 1));
      expectSame(await store.get("b"), pattern(5000, 2));
      expect(await store.get("a", { sha256: told })).toBeUndefined();
      expect(await store.get("c", { sha256: told })).toBeUndefined();
      expect(store.usage()).toMatchObject({ usedBytes: 5000 + SHARD_OVERHEAD_BYTES, damaged: 2 });
      expect(listed(store).map(({ id }) => id)).toEqual(["b"]);
    });

    it("makes what was put last, also where it has gone again meanwhile", async () => {
      await store.sync();
      await Promise.all(["a", "b"].map((id) => store.put(id, pattern(5000, 1))));
      await store.delete("a");
      await Promise.all([store.sync(), store.put("b", pattern(7, 2)), store.sync()]);
      await reopen();
      expectSame(await store.get("b"), pattern(7, 2));
      expect(store.usage().damaged).toBe(0);
    });

    it("finds damage that was done while it was closed", async () => {
      for (const id of ["flip", "cut", "gone", "sound"]) await store.put(id, pattern(5000, 1));
      await store[Symbol.asyncDispose]();
      await harness.tamper("flip", (kept) => flipped(kept, 100));
      await harness.tamper("cut", () => new Uint8Array(0));
      await harness.tamper("gone", () => undefined);
      store = await harness.open();
      for (const id of ["flip", "cut", "gone"]) expect(await store.get(id), id).toBeUndefined();
      expectSame(await store.get("sound"), pattern(5000, 1));
      expect(listed(store)).toEqual([{ id: "sound", bytes: 5000 }]);
    });

    it("keeps within its quota, also of puts at once, and takes more when there is room again", async () => {
      const bytes = 10_000;
      store.setQuota(3 * (bytes + SHARD_OVERHEAD_BYTES));
      const ids = ["a", "b", "c", "d", "e"];
      const puts = await Promise.allSettled(ids.map((id) => store.put(id, pattern(bytes, 1))));
      expect(puts.map(({ status }) => status)).toEqual([...Array(3).fill("fulfilled"), ...Array(2).fill("rejected")]);
      await expect(store.put("f", pattern(1, 1))).rejects.toSatisfy((error) => isStarfishError(error, "full"));
      await store.delete("a");
      await store.put("f", pattern(bytes, 2));
      store.setQuota(bytes);
      expect(store.usage()).toMatchObject({ usedBytes: 3 * (bytes + SHARD_OVERHEAD_BYTES), quotaBytes: bytes });
      await expect(store.put("g", pattern(0, 1))).rejects.toSatisfy((error) => isStarfishError(error, "full"));
      expectSame(await store.get("f"), pattern(bytes, 2));
      expect(listed(store).map(({ id }) => id)).toEqual(["b", "c", "f"]);
    });

    it("ends calls with one id that overlap as if in the order of the calls", async () => {
      const calls = Array.from({ length: 20 }, (_, i) => store.put("a", pattern(1000 + i, i)));
      const got = store.get("a");
      calls.push(store.delete("a"), store.put("b", pattern(5, 5)), store.delete("b"), store.put("a", pattern(7, 7)));
      await Promise.all(calls);
      expectSame(await got, pattern(1019, 19));
      expectSame(await store.get("a"), pattern(7, 7));
      expect(store.has("b")).toBe(false);
      await reopen();
      expect(listed(store)).toEqual([{ id: "a", bytes: 7 }]);
      expect(store.usage().usedBytes).toBe(7 + SHARD_OVERHEAD_BYTES);
    });

    it("takes many shards at once", async () => {
      const ids = Array.from({ length: 300 }, (_, i) => `shard-${i}`);
      await Promise.all(ids.map((id, i) => store.put(id, pattern(i * 20, i))));
      expect(listed(store)).toHaveLength(ids.length);
      const got = await Promise.all(ids.map((id) => store.get(id)));
      for (const [i, bytes] of got.entries()) expectSame(bytes, pattern(i * 20, i));
      await Promise.all(ids.map((id) => store.delete(id)));
      expect(store.usage().usedBytes).toBe(0);
    });

    it("refuses puts while too many bytes wait, and takes them afterwards", async () => {
      store.setQuota(Infinity);
      const bytes = new Uint8Array(STORED_SHARD_BYTES_MAX);
      const fitting = Math.floor(UNSETTLED_BYTES_MAX / (bytes.length + SHARD_OVERHEAD_BYTES));
      const puts = Array.from({ length: fitting }, (_, i) => store.put(`shard-${i % 3}`, bytes));
      await expect(store.put("a", bytes)).rejects.toMatchObject({ code: "busy", retryable: true });
      await Promise.all(puts);
      await store.put("a", bytes);
      expect(listed(store)).toHaveLength(4);
    });

    it("lets what is under way finish before it is closed, and refuses calls afterwards", async () => {
      const put = store.put("a", pattern(1000, 1));
      await store[Symbol.asyncDispose]();
      await put;
      await store[Symbol.asyncDispose]();
      const isClosed = (error: unknown): boolean => isStarfishError(error, "closed");
      await expect(store.get("a")).rejects.toSatisfy(isClosed);
      await expect(store.put("b", pattern(1, 1))).rejects.toSatisfy(isClosed);
      await expect(store.delete("a")).rejects.toSatisfy(isClosed);
      store = await harness.open();
      expectSame(await store.get("a"), pattern(1000, 1));
      expect(store.has("b")).toBe(false);
    });

    it("takes malformed ids and shards that are too long for bugs", async () => {
      for (const id of ["", "A", "a/b", "..", "ä", "a".repeat(SHARD_ID_CHARS_MAX + 1)]) {
        await expect(store.put(id, pattern(1, 1)), id).rejects.toThrow("Assertion failed");
      }
      const tooLong = new Uint8Array(STORED_SHARD_BYTES_MAX + 1);
      await expect(store.put("a", tooLong)).rejects.toThrow("Assertion failed");
      expect(store.usage().usedBytes).toBe(0);
    });
  });
}

const QUOTA_BYTES = 50_000_000;

function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8) + seed * 31) & 0xff);
}

function flipped(bytes: Bytes, at: number): Bytes {
  return bytes.map((byte, i) => (i === at ? byte ^ 0x10 : byte));
}

function byId(a: StoredShard, b: StoredShard): number {
  return a.id < b.id ? -1 : 1;
}

function listed(store: ShardStore): StoredShard[] {
  return [...store.ids()].sort(byId);
}

/** A failing `toEqual` on this many bytes would take minutes to print. */
function expectSame(got: Bytes | undefined, bytes: Bytes): void {
  expect(got?.length).toBe(bytes.length);
  expect(equal(got ?? new Uint8Array(0), bytes)).toBe(true);
}

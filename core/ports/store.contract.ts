/** What every Store must do. Until it is destroyed, `open` always gives a store with the same content. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { equal, utf8 } from "../base/bytes.ts";
import { isStarfishError } from "../base/errors.ts";
import { type Store, STORE_KEY_BYTES_MAX } from "./store.ts";

export interface StoreHarness {
  /** Opens the store, which is empty the first time. After disposal it opens the same content again. */
  open(): Promise<Store>;
  /** Removes every trace. */
  destroy?(): Promise<void>;
}

export function storeContract(name: string, create: () => Promise<StoreHarness>): void {
  describe(`Store: ${name}`, () => {
    let harness: StoreHarness;
    let store: Store;

    beforeEach(async () => {
      harness = await create();
      store = await harness.open();
    });

    afterEach(async () => {
      await store[Symbol.asyncDispose]();
      await harness.destroy?.();
    });

    it("gives undefined for what was never set", async () => {
      expect(await store.get("nothing")).toBeUndefined();
      expect(await store.keys("")).toEqual([]);
    });

    it("keeps values, also empty and large ones, and overwrites them", async () => {
      const large = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7) & 0xff);
      await store.set("a", utf8("one"));
      await store.set("empty", new Uint8Array(0));
      await store.set("large", large);
      await store.set("a", utf8("two"));
      expect(await store.get("a")).toEqual(utf8("two"));
      expect(await store.get("empty")).toEqual(new Uint8Array(0));
      expect(equal((await store.get("large")) ?? new Uint8Array(0), large)).toBe(true);
    });

    it("takes any well-formed text as key", async () => {
      const keys = [
        "a/b/../c",
        "..",
        ".",
        "",
        "CON",
        "ä€😀",
        "a\u0000b",
        "A",
        "a",
        "%2F",
        "x".repeat(STORE_KEY_BYTES_MAX),
      ];
      for (const key of keys) await store.set(key, utf8(`of ${key}`));
      for (const key of keys) expect(await store.get(key)).toEqual(utf8(`of ${key}`));
      expect(await store.keys("")).toEqual([...keys].sort());
    });

    it("refuses keys that are too long or not well-formed", async () => {
      const long = "€".repeat(Math.ceil((STORE_KEY_BYTES_MAX + 1) / 3));
      await expect(store.set(long, utf8("x"))).rejects.toSatisfy((error) => isStarfishError(error, "too-large"));
      await expect(store.get(long)).rejects.toSatisfy((error) => isStarfishError(error, "too-large"));
      await expect(store.set("\ud800", utf8("x"))).rejects.toSatisfy((error) => isStarfishError(error, "malformed"));
    });

    it("deletes, and does not mind deleting what is not there", async () => {
      await store.set("a", utf8("one"));
      await store.delete("a");
      await store.delete("a");
      expect(await store.get("a")).toBeUndefined();
      expect(await store.keys("")).toEqual([]);
    });

    it("lists the keys with a prefix in order", async () => {
      for (const key of ["net/key", "net/", "ne", "net0", "cpu/a", "net/cert/b", "net/cert/a"])
        await store.set(key, utf8(key));
      expect(await store.keys("net/")).toEqual(["net/", "net/cert/a", "net/cert/b", "net/key"]);
      expect(await store.keys("x")).toEqual([]);
    });

    it("shares no memory with its caller", async () => {
      const value = utf8("abc");
      await store.set("a", value);
      value[0] = 0;
      const got = await store.get("a");
      expect(got).toEqual(utf8("abc"));
      got?.fill(0);
      expect(await store.get("a")).toEqual(utf8("abc"));
    });

    it("takes what was given at the time of the call", async () => {
      const value = utf8("abc");
      const written = store.set("a", value);
      value.fill(0);
      await written;
      expect(await store.get("a")).toEqual(utf8("abc"));
    });

    it("ends calls on one key that overlap as if in the order of the calls", async () => {
      const writes = Array.from({ length: 20 }, (_, i) => store.set("a", utf8(String(i))));
      writes.push(store.delete("b"), store.set("b", utf8("kept")));
      await Promise.all(writes);
      expect(await store.get("a")).toEqual(utf8("19"));
      expect(await store.get("b")).toEqual(utf8("kept"));
    });

    it("has everything again when it is opened anew", async () => {
      await store.set("a", utf8("one"));
      await store.set("b", utf8("two"));
      await store.delete("b");
      await store[Symbol.asyncDispose]();
      store = await harness.open();
      expect(await store.keys("")).toEqual(["a"]);
      expect(await store.get("a")).toEqual(utf8("one"));
    });

    it("refuses calls after it has been disposed of, which may be done twice", async () => {
      await store[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      const isClosed = (error: unknown): boolean => isStarfishError(error, "closed");
      await expect(store.get("a")).rejects.toSatisfy(isClosed);
      await expect(store.set("a", utf8("x"))).rejects.toSatisfy(isClosed);
      await expect(store.delete("a")).rejects.toSatisfy(isClosed);
      await expect(store.keys("")).rejects.toSatisfy(isClosed);
      store = await harness.open();
      expect(await store.get("a")).toBeUndefined();
    });
  });
}

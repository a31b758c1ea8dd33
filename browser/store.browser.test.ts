/** The IndexedDB store in a real browser: its contract, and faults that a browser can have. */
import { describe, expect, it } from "vitest";
import { utf8 } from "../core/base/bytes.ts";
import { isStarfishError } from "../core/base/errors.ts";
import { storeContract } from "../core/ports/store.contract.ts";
import { openDatabase } from "./database.ts";
import { openIndexedDbStore } from "./store.ts";

let made = 0;
const freshName = (): string => `store-test-${performance.timeOrigin}-${made++}`;

function remove(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.addEventListener("success", () => resolve());
    request.addEventListener("error", () => reject(request.error ?? new Error("not deleted")));
  });
}

storeContract("IndexedDB", async () => {
  const name = freshName();
  return { open: () => openIndexedDbStore(name), destroy: () => remove(name) };
});

describe("IndexedDB store", () => {
  it("keeps the stores of different names apart", async () => {
    const names = [freshName(), freshName()] as const;
    const one = await openIndexedDbStore(names[0]);
    const two = await openIndexedDbStore(names[1]);
    await one.set("a", utf8("one"));
    expect(await two.get("a")).toBeUndefined();
    await one[Symbol.asyncDispose]();
    await two[Symbol.asyncDispose]();
    await Promise.all(names.map(remove));
  });

  it("lets its database be deleted under it, and then says what to do", async () => {
    const name = freshName();
    await using store = await openIndexedDbStore(name);
    await store.set("a", utf8("one"));
    await remove(name);
    await expect(store.get("a")).rejects.toThrow("reload the page");
    await expect(store.set("a", utf8("x"))).rejects.toSatisfy((error) => isStarfishError(error, "io"));
  });

  it("loses nothing by what its owner writes and deletes at once, however often it is looked at", async () => {
    let told = 0;
    await using store = await openIndexedDbStore(freshName(), { onLost: () => told++, lookMs: 1 });
    for (let i = 0; i < 300; i++) await Promise.all([store.set("a", utf8("one")), store.delete("a")]);
    for (let i = 0; i < 300; i++) {
      await store.set("a", utf8("one"));
      await store.delete("a");
    }
    expect(told).toBe(0);
  });

  it("tells that it was deleted or cleared by others, once, and keeps nothing from then on", async () => {
    const clear = async (name: string): Promise<void> => {
      const database = await openDatabase(name, "values");
      const transaction = database.transaction("values", "readwrite");
      transaction.objectStore("values").clear();
      await new Promise((resolve) => transaction.addEventListener("complete", resolve));
      database.close();
    };
    for (const takeAway of [remove, clear]) {
      const name = freshName();
      let tell = (): void => {};
      let told = 0;
      const lost = new Promise<void>((resolve) => (tell = resolve));
      const onLost = (): void => {
        told++;
        tell();
      };
      await using store = await openIndexedDbStore(name, { onLost, lookMs: 10 });
      // An entry that its owner deletes is no loss.
      await store.set("a", utf8("one"));
      await store.delete("a");
      await store.set("b", utf8("two"));
      expect(told).toBe(0);
      await takeAway(name);
      await lost;
      await expect(store.set("c", utf8("x"))).rejects.toThrow("storage was cleared");
      await expect(store.get("b")).rejects.toThrow("reload the page");
      expect(told).toBe(1);
      if (takeAway === clear) await remove(name);
    }
  });
});

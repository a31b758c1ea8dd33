import { describe, expect, test } from "vitest";
import { createLock } from "./lock.ts";

/** Who has come in so far. */
function visitors(): {
  readonly names: string[];
  readonly enter: (name: string, entered: Promise<() => void>) => Promise<() => void>;
} {
  const names: string[] = [];
  const enter = async (name: string, entered: Promise<() => void>): Promise<() => void> => {
    const leave = await entered;
    names.push(name);
    return leave;
  };
  return { names, enter };
}

/** Enough turns of the microtask queue for whoever may come in to have done so. */
async function settle(): Promise<void> {
  for (let i = 0; i < 100; i++) await Promise.resolve();
}

describe("the lock of the peer store", () => {
  test("readers are together, a writer is alone, all in the order in which they came", async () => {
    const lock = createLock();
    const { names, enter } = visitors();
    const first = enter("reader 1", lock.readLock());
    const second = enter("reader 2", lock.readLock());
    const writer = enter("writer 1", lock.writeLock());
    const third = enter("reader 3", lock.readLock());
    const last = enter("writer 2", lock.writeLock());
    await settle();
    expect(names).toEqual(["reader 1", "reader 2"]);
    (await first)();
    await settle();
    expect(names).toHaveLength(2);
    (await second)();
    await settle();
    expect(names).toEqual(["reader 1", "reader 2", "writer 1"]);
    (await writer)();
    await settle();
    expect(names.slice(3)).toEqual(["reader 3"]);
    (await third)();
    (await last)();
    expect(names).toEqual(["reader 1", "reader 2", "writer 1", "reader 3", "writer 2"]);
  });

  test("who gives up waiting lets others by, but not before those who hold the lock", async () => {
    const lock = createLock();
    const { names, enter } = visitors();
    const leave = await enter("reader", lock.readLock());
    const controller = new AbortController();
    const impatient = lock.writeLock({ signal: controller.signal });
    const patient = enter("writer", lock.writeLock());
    controller.abort(new Error("enough"));
    await expect(impatient).rejects.toThrow("enough");
    await settle();
    expect(names).toEqual(["reader"]);
    leave();
    (await patient)();
    expect(names).toEqual(["reader", "writer"]);
  });
});

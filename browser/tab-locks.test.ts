import { expect, test } from "vitest";
import { sharedCores } from "./core-budget.ts";
import { TabLocks } from "./tab-locks.ts";

test("a lock has one holder; others come in the order in which they asked", async () => {
  const locks = new TabLocks();
  const order: string[] = [];
  const first = Promise.withResolvers<void>();
  const all = ["a", "b", "c"].map((name) =>
    locks.request("lock", {}, async (lock) => {
      order.push(`${name} ${lock?.name}`);
      if (name === "a") await first.promise;
    }),
  );
  const other = await locks.request("other", {}, () => "free");
  expect([other, await locks.request("lock", { ifAvailable: true }, (lock) => lock)]).toEqual(["free", null]);
  expect(order).toEqual(["a lock"]);
  first.resolve();
  await Promise.all(all);
  expect(order).toEqual(["a lock", "b lock", "c lock"]);
  expect(await locks.request("lock", { ifAvailable: true }, (lock) => lock?.name)).toBe("lock");
});

test("who gives up waiting never gets it, and who fails lets go", async () => {
  const locks = new TabLocks();
  const holding = Promise.withResolvers<void>();
  const held = locks.request("lock", {}, () => holding.promise);
  const ending = new AbortController();
  const waiting = locks.request("lock", { signal: ending.signal }, () => "got it");
  ending.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  holding.reject(new Error("failed"));
  await expect(held).rejects.toThrow("failed");
  expect(await locks.request("lock", {}, () => "free")).toBe("free");
  await expect(locks.request("lock", { signal: ending.signal }, () => "never")).rejects.toThrow("enough");
});

test("the cores of a tab are shared with them", async () => {
  const budget = sharedCores(new TabLocks(), 2);
  const never = new AbortController().signal;
  const leases = [await budget.acquire(never), await budget.acquire(never)];
  let isThird = false;
  const third = budget.acquire(never).then((lease) => {
    isThird = true;
    return lease;
  });
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(isThird).toBe(false);
  leases[1]?.release();
  (await third).release();
  leases[0]?.release();
  const again = await Promise.all([budget.acquire(never), budget.acquire(never)]);
  for (const lease of again) lease.release();
});

import { afterEach, expect, test } from "vitest";
import type { CoreLease } from "../core/sandbox/core-budget.ts";
import { sharedCores } from "./core-budget.ts";

const forever = new AbortController().signal;
const leases: CoreLease[] = [];

async function take(budget = sharedCores(navigator.locks, 2), signal: AbortSignal = forever): Promise<CoreLease> {
  const lease = await budget.acquire(signal);
  leases.push(lease);
  return lease;
}

afterEach(async () => {
  for (const lease of leases.splice(0)) lease.release();
  await free();
});

/** Released locks become free a little later. */
async function free(): Promise<void> {
  for (let core = 0; core < 2; core++) await navigator.locks.request(`starfish-core-${core}`, () => {});
}

test("two nodes of a browser have its cores between them", async () => {
  const [one, two] = [sharedCores(navigator.locks, 2), sharedCores(navigator.locks, 2)];
  const first = await take(one);
  await take(two);
  let third: CoreLease | undefined;
  const waiting = take(two).then((lease) => {
    third = lease;
  });
  const { held } = await navigator.locks.query();
  expect(held?.filter(({ name }) => name?.startsWith("starfish-core-")).length).toBe(2);
  expect(third).toBeUndefined();
  first.release();
  await waiting;
  expect(third).toBeDefined();
});

test("who waits can give up, and leaves nothing behind", async () => {
  await take();
  await take();
  const controller = new AbortController();
  const waiting = take(undefined, controller.signal);
  controller.abort();
  await expect(waiting).rejects.toMatchObject({ code: "cancelled" });
  for (const lease of leases.splice(0)) lease.release();
  await free();
  const { held, pending } = await navigator.locks.query();
  const ours = [...(held ?? []), ...(pending ?? [])].filter(({ name }) => name?.startsWith("starfish-core-"));
  expect(ours).toEqual([]);
});

test("a lease is not for ever while others may want it", async () => {
  const lease = await take();
  expect(lease.wanted()).toBe(false);
  const start = performance.now();
  await expect.poll(() => lease.wanted(), { timeout: 5_000 }).toBe(true);
  expect(performance.now() - start).toBeGreaterThan(500);
});

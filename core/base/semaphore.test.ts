import { expect, test } from "vitest";
import { Semaphore } from "./semaphore.ts";

async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

test("lets in what fits, in order, and what is larger than the bound alone", async () => {
  const semaphore = new Semaphore(10);
  const entered: string[] = [];
  const releases = new Map<string, () => void>();
  for (const [name, amount] of [
    ["a", 6],
    ["b", 4],
    ["c", 30],
    ["d", 1],
  ] as const) {
    void semaphore.acquire(amount).then((release) => {
      entered.push(name);
      releases.set(name, release);
    });
  }
  await settled();
  expect(entered).toEqual(["a", "b"]);
  releases.get("a")?.();
  await settled();
  // d would fit, but c came first.
  expect(entered).toEqual(["a", "b"]);
  releases.get("b")?.();
  releases.get("b")?.();
  await settled();
  expect(entered).toEqual(["a", "b", "c"]);
  releases.get("c")?.();
  await settled();
  expect(entered).toEqual(["a", "b", "c", "d"]);
});

test("who does not wait gets what fits, and never before those who wait", async () => {
  const semaphore = new Semaphore(2);
  const first = semaphore.tryAcquire(2);
  expect(first).toBeDefined();
  expect(semaphore.tryAcquire(1)).toBeUndefined();
  const waiting = semaphore.acquire(2);
  first?.();
  const release = await waiting;
  expect(semaphore.tryAcquire(1)).toBeUndefined();
  release();
  expect(semaphore.tryAcquire(1)).toBeDefined();
});

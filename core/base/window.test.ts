import { expect, test } from "vitest";
import { Window } from "./window.ts";

async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

test("lets in what fits, in order, and what is larger than the bound alone", async () => {
  const window = new Window(10);
  const entered: string[] = [];
  const releases = new Map<string, () => void>();
  for (const [name, amount] of [
    ["a", 6],
    ["b", 4],
    ["c", 30],
    ["d", 1],
  ] as const) {
    void window.take(amount).then((release) => {
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

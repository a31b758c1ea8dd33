import { expect, test } from "vitest";
import type { Pool } from "../sandbox/pool.ts";
import { type Sharer, Shares } from "./shares.ts";

class Endless implements Sharer {
  readonly own = false;
  readonly depth: number;
  running = 0;

  constructor(depth: number) {
    this.depth = depth;
  }

  startNext(): boolean {
    this.running++;
    return true;
  }
}

test("a job of long tasks gets its turn beside one that keeps a hundred short ones at a core", () => {
  const shares = new Shares({ lent: 1 } as Pool, 1);
  const [short, long] = [new Endless(101), new Endless(1)];
  shares.add(short);
  shares.pump();
  expect(short.running).toBe(101);
  shares.add(long);
  shares.pump();
  expect(long.running).toBe(0);
  // Short ones end one after the other, and more of them wait.
  short.running--;
  shares.pump();
  expect([short.running, long.running]).toEqual([100, 1]);
  // And they get theirs when the long one has ended.
  long.running--;
  shares.pump();
  expect(short.running + long.running).toBeGreaterThan(100);
});

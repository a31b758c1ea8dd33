/** `computer.map` of programs: typed functions over typed values, on simulated computers. */
import { beforeEach, describe, expect, test } from "vitest";
import type { Computer } from "../computer.ts";
import { isStarfishError } from "../base/errors.ts";
import { ShellBench } from "../../test/sim/shell-bench.ts";

describe("computer.map", () => {
  let bench: ShellBench;
  let computer: Computer;

  beforeEach(async () => {
    bench = new ShellBench({ seed: 11 });
    computer = await bench.up("first");
  });

  async function settled<T>(promise: PromiseLike<T>): Promise<T> {
    return await bench.world.settle(Promise.resolve(promise), { withinMs: 60_000 });
  }

  async function failure(promise: PromiseLike<unknown>): Promise<string> {
    try {
      await settled(promise);
    } catch (error) {
      if (isStarfishError(error)) return `${error.code}: ${error.message}`;
      throw error;
    }
    return "none";
  }

  test("gives typed results in the order of the values", async () => {
    const squares: number[] = await settled(computer.map((x: number) => x * x, [3, 1, 2]));
    expect(squares).toEqual([9, 1, 4]);
    const many = Array.from({ length: 1_000 }, (_, i) => ({ word: "x".repeat(i % 7), i }));
    const results = await settled(computer.map(({ word, i }) => [word.length, i] as const, many, { perTask: 30 }));
    expect(results).toEqual(many.map(({ word, i }) => [word.length, i]));
    expect(await settled(computer.map((x: number) => x, []))).toEqual([]);
    expect(await settled(computer.map(async (x: number) => (x > 1 ? null : x), new Set([1, 2])))).toEqual([1, null]);
  });

  test("takes futures: another map's results as its values, or several maps as a value each", async () => {
    const squares = computer.map((x: number) => x * x, [1, 2, 3]);
    expect(await settled(computer.map((x: number) => x + 1, squares))).toEqual([2, 5, 10]);
    const maps = [1, 2].map((n) => computer.map((x: number) => `${x}`.length, [n, 10 * n, 100 * n]));
    const sums: number[] = await settled(computer.map((all: number[]) => all.reduce((a, b) => a + b), maps));
    expect(sums).toEqual([6, 6]);
  });

  test("makes one of all where it is told how", async () => {
    const sum: number | undefined = await settled(
      computer.map((x: string) => x.length, ["a", "bb", "ccc"], { reduce: (a, b) => a + b }),
    );
    expect(sum).toBe(6);
    const joined = computer.map(
      (x: number) => `${x}`,
      Array.from({ length: 100 }, (_, i) => i),
      { reduce: (a, b) => a + b },
    );
    expect(await settled(joined)).toBe(Array.from({ length: 100 }, (_, i) => i).join(""));
    expect(await settled(computer.map((x: number) => x, [], { reduce: (a, b) => a + b }))).toBeUndefined();
  });

  test("results can be iterated over as they come, and a source is read no further than needed", async () => {
    let read = 0;
    async function* source(): AsyncGenerator<number> {
      for (;;) yield read++;
    }
    const first = async (): Promise<number[]> => {
      const taken: number[] = [];
      for await (const result of computer.map((x: number) => x * 10, source(), { perTask: 5 })) {
        taken.push(result);
        if (taken.length === 12) break;
      }
      return taken;
    };
    expect(await settled(first())).toEqual(Array.from({ length: 12 }, (_, i) => i * 10));
    expect(read).toBeLessThan(200);
    await bench.world.runUntil(() => computer.cpu.jobs().length === 0, { withinMs: 10_000, what: "the job is over" });
  });

  test("what can't travel is refused by its name, before anything runs", async () => {
    const factor = 3;
    expect(await failure(computer.map((x: number) => x * factor, [1]))).toContain("usage: The function uses `factor`");
    expect(await failure(computer.map(Math.sqrt, [4]))).toContain("The text of sqrt can't be read");
    const reduce = (a: number, b: number): number => a + b * factor;
    expect(await failure(computer.map((x: number) => x, [1], { reduce }))).toContain("`factor`");
    expect(await failure(computer.map((x: unknown) => x, [1, undefined]))).toContain(
      "Value 1 can't be written as JSON",
    );
    expect(await failure(computer.map((x: unknown) => x, [1n]))).toContain("BigInt");
  });

  test("what a call throws ends it, and so does a signal", async () => {
    const thrown = await failure(computer.map((x: number) => x.toFixed(x), [1, 2, 101]));
    expect(thrown).toContain("task-failed");
    expect(thrown).toContain("RangeError");
    const stop = new AbortController();
    computer.clock.timer(1_000, () => stop.abort());
    const endless = computer.map(
      (x: number) => x,
      Array.from({ length: 10_000 }, (_, i) => i),
      { perTask: 1, signal: stop.signal },
    );
    expect(await failure(endless)).toContain("cancelled");
  });

  test("other members take their part", async () => {
    await bench.company();
    const values = Array.from({ length: 80 }, (_, i) => i);
    const results = await settled(computer.map((x: number) => x + 1, values, { perTask: 1 }));
    expect(results).toEqual(values.map((x) => x + 1));
  });
});

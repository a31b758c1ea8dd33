import { beforeAll, describe, expect, test } from "vitest";
import { loadTask } from "../run.ts";

/** The compiler takes some seconds, more on a busy machine. */
const COMPILE_TIMEOUT_MS = 60_000;
const MASK = (1n << 64n) - 1n;

let run: (input: string) => Promise<Uint8Array>;

beforeAll(async () => {
  run = await loadTask("pi", { debug: false });
}, COMPILE_TIMEOUT_MS);

async function count(lo: number, hi: number): Promise<number[]> {
  return new TextDecoder()
    .decode(await run(`${lo} ${hi}`))
    .split(" ")
    .map(Number);
}

/** SplitMix64, with whole numbers of any size. */
function mixed(count: bigint): bigint {
  let z = ((count + 1n) * 0x9e3779b97f4a7c15n) & MASK;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return z ^ (z >> 31n);
}

describe("pi", () => {
  test("counts the points in the circle, as plain arithmetic does", async () => {
    let inside = 0;
    const side = (1n << 31n) - 1n;
    for (let i = 1_000n; i < 3_000n; i++) {
      const [x, y] = [mixed(i) >> 33n, mixed(i) & side];
      if (x * x + y * y <= side * side) inside++;
    }
    expect(await count(1_000, 3_000)).toEqual([inside, 2_000]);
  });

  test("comes near pi, and ranges add up", async () => {
    const [inside = 0, all = 0] = await count(0, 2_000_000);
    expect(Math.abs((4 * inside) / all - Math.PI)).toBeLessThan(0.005);
    const [left, right] = [await count(0, 700_001), await count(700_001, 2_000_000)];
    expect((left[0] ?? 0) + (right[0] ?? 0)).toBe(inside);
  });
});

import { beforeAll, describe, expect, test } from "vitest";
import { loadTask } from "../run.ts";

/** The compiler takes some seconds, more on a busy machine. */
const COMPILE_TIMEOUT_MS = 60_000;

let run: (input: string) => Promise<Uint8Array>;

beforeAll(async () => {
  run = await loadTask("nbody", { debug: false });
}, COMPILE_TIMEOUT_MS);

async function energy(count: number, lo: number, hi: number): Promise<number> {
  return Number(new TextDecoder().decode(await run(`${count} ${lo} ${hi}`)));
}

describe("nbody", () => {
  test.each([100, 101])("rows of %i bodies add up, however they are cut", async (count) => {
    const whole = await energy(count, 0, count);
    expect((await energy(count, 0, 37)) + (await energy(count, 37, count))).toBe(whole);
    // The mean of 1 / distance of two random points of a cube is 1.8823.
    const pairs = (count * (count - 1)) / 2;
    expect(whole / 2 ** 20 / pairs).toBeGreaterThan(1.6);
    expect(whole / 2 ** 20 / pairs).toBeLessThan(2.2);
  });

  test("two bodies are one pair, in the first row", async () => {
    expect(await energy(2, 1, 2)).toBe(0);
    expect(await energy(2, 0, 1)).toBeGreaterThan(2 ** 19);
  });
});

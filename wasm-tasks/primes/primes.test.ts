import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { loadTask } from "../run.ts";

/** The compiler takes some seconds, more on a busy machine. */
const COMPILE_TIMEOUT_MS = 60_000;

let run: (input: string) => Promise<Uint8Array>;

beforeAll(async () => {
  run = await loadTask("primes", { debug: false });
}, COMPILE_TIMEOUT_MS);

async function count(lo: number, hi: number): Promise<number> {
  return Number(new TextDecoder().decode(await run(`${lo} ${hi}`)));
}

/** By trial division: slow and plain. */
function isPrime(value: number): boolean {
  if (value < 2) return false;
  for (let factor = 2; factor * factor <= value; factor++) if (value % factor === 0) return false;
  return true;
}

describe("primes", () => {
  // https://oeis.org/A006880, and counts by the trial division above.
  test.each([
    [0, 0, 0],
    [5, 5, 0],
    [7, 3, 0],
    [0, 2, 0],
    [0, 3, 1],
    [2, 3, 1],
    [3, 4, 1],
    [9, 10, 0],
    [90, 98, 1],
    [0, 100, 25],
    [0, 1_000_000, 78_498],
    [0, 20_000_000, 1_270_607],
  ])("[%i, %i) has %i", async (lo, hi, expected) => {
    expect(await count(lo, hi)).toBe(expected);
  });

  test("pieces add up to the whole, wherever they are cut", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(3_000_000), fc.nat(3_000_000), fc.nat(3_000_000), async (a, b, c) => {
        const [lo = 0, cut = 0, hi = 0] = [a, b, c].toSorted((x, y) => x - y);
        expect((await count(lo, cut)) + (await count(cut, hi))).toBe(await count(lo, hi));
      }),
      { numRuns: 50 },
    );
  });

  test("short ranges anywhere are right", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1e10 }), fc.nat(200), async (lo, length) => {
        const expected = Array.from({ length }, (_, i) => lo + i).filter(isPrime).length;
        expect(await count(lo, lo + length)).toBe(expected);
      }),
      { numRuns: 50 },
    );
  });

  test("as far as JavaScript counts", async () => {
    const last = Number.MAX_SAFE_INTEGER;
    expect(await count(last - 991, last)).toBe(25);
  });

  test("what is no range names the line that refused it", async () => {
    const debug = await loadTask("primes");
    await expect(debug("5")).rejects.toThrow(/the input is: LO HI at primes\/task\.ts:\d+/);
  });
});

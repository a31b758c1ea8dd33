import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { reedSolomonModule } from "../../../test/fixtures/reed-solomon.ts";
import { slowShard } from "../../../test/fixtures/slow-code.ts";
import { equal } from "../../base/bytes.ts";
import { SHARD_BYTES_MAX } from "../../ports/coder.ts";
import { ReedSolomon } from "./reed-solomon.ts";

const code = new ReedSolomon(reedSolomonModule);

/** Repeatable bytes: fast-check's own arrays are slow to make when they are long. */
function bytesOf(length: number, seed: number): Uint8Array {
  let state = seed | 1;
  return Uint8Array.from({ length }, () => {
    state = Math.imul(state, 1_664_525) + 1_013_904_223;
    return state >>> 24;
  });
}

function stripeOf(k: number, n: number, length: number, seed = 1): Uint8Array[] {
  const data = Array.from({ length: k }, (_, i) => bytesOf(length, seed + i));
  return [...data, ...code.encode(data, n - k)];
}

function numbered(stripe: readonly Uint8Array[], numbers: readonly number[]): Map<number, Uint8Array> {
  return new Map(numbers.map((number) => [number, stripe[number] ?? new Uint8Array(0)]));
}

/** What is wrong in the shards that `have` give back: their numbers. */
function wrong(k: number, stripe: readonly Uint8Array[], have: readonly number[]): number[] {
  const want = stripe.map((_, number) => number);
  const made = code.reconstruct(k, numbered(stripe, have), want);
  return want.filter((number) => !equal(made.get(number) ?? new Uint8Array(0), stripe[number] ?? new Uint8Array(0)));
}

/** All ways to choose `k` of the numbers below `n`. */
function* choices(n: number, k: number): Generator<number[]> {
  if (k === 0) yield [];
  else for (let last = k - 1; last < n; last++) for (const rest of choices(last, k - 1)) yield [...rest, last];
}

const sizes = fc
  .integer({ min: 1, max: 64 })
  .chain((k) => fc.record({ k: fc.constant(k), n: fc.integer({ min: k, max: 128 }) }));

describe("Reed-Solomon", () => {
  it("codes as the definition says, byte for byte", () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 0, max: 130 }), fc.nat(), ({ k, n }, length, seed) => {
        const stripe = stripeOf(k, n, length, seed);
        const data = stripe.slice(0, k);
        // The slow code is slow: some of the parity, another each time.
        for (let number = k + (seed % 7); number < n; number += 7) {
          expect(stripe[number]).toEqual(slowShard(data, number));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("codes shards that take several pieces as the definition says", () => {
    const stripe = stripeOf(3, 5, 40_001);
    expect(stripe[4]).toEqual(slowShard(stripe.slice(0, 3), 4));
  });

  it.each([
    [1, 4],
    [2, 8],
    [3, 9],
    [4, 8],
    [5, 10],
    [8, 12],
  ])("any %i of %i shards give back all: every choice", (k, n) => {
    const stripe = stripeOf(k, n, 37);
    const failed = [...choices(n, k)].filter((have) => wrong(k, stripe, have).length > 0);
    expect(failed).toEqual([]);
  });

  it("any k of n shards give back all, up to 64 of 128", () => {
    const stripeAndChoice = sizes.chain(({ k, n }) =>
      fc.record({
        k: fc.constant(k),
        n: fc.constant(n),
        order: fc.shuffledSubarray(
          Array.from({ length: n }, (_, i) => i),
          { minLength: k, maxLength: n },
        ),
        length: fc.integer({ min: 1, max: 5_000 }),
      }),
    );
    fc.assert(
      fc.property(stripeAndChoice, ({ k, n, order, length }) => {
        expect(wrong(k, stripeOf(k, n, length), order)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    [32, 128],
    [64, 128],
  ])("%i of %i: the data is made of parity alone", (k, n) => {
    const stripe = stripeOf(k, n, 1_000);
    expect(
      wrong(
        k,
        stripe,
        Array.from({ length: k }, (_, i) => n - 1 - i),
      ),
    ).toEqual([]);
  });

  it("takes the longest shards, and some that are no multiple of anything", () => {
    for (const length of [SHARD_BYTES_MAX, SHARD_BYTES_MAX - 1, 16_385, 33]) {
      expect(wrong(2, stripeOf(2, 8, length), [5, 7])).toEqual([]);
    }
  });

  it("one data shard has copies for parity", () => {
    const [data, ...parity] = stripeOf(1, 4, 100);
    expect(parity).toEqual([data, data, data]);
  });

  it("more parity leaves what there is unchanged", () => {
    expect(stripeOf(4, 12, 100).slice(0, 8)).toEqual(stripeOf(4, 8, 100));
  });

  it("passes given shards on, and makes nothing but what is wanted", () => {
    const stripe = stripeOf(2, 4, 100);
    const made = code.reconstruct(2, numbered(stripe, [1, 3]), [3, 0]);
    expect([...made.keys()]).toEqual([3, 0]);
    expect(made.get(3)).toBe(stripe[3]);
    expect(made.get(0)).toEqual(stripe[0]);
  });

  it("takes empty shards, and no parity", () => {
    expect(stripeOf(2, 3, 0)[2]).toEqual(new Uint8Array(0));
    expect(code.encode([Uint8Array.of(1)], 0)).toEqual([]);
  });
});

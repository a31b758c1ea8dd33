/**
 * What every Coder must do. disk/ tests the code that adapters share; this suite tests that results are right, and not
 * garbage.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { slowShard } from "../../test/fixtures/slow-code.ts";
import { type Bytes, equal, utf8 } from "../base/bytes.ts";
import { isStarfishError } from "../base/errors.ts";
import { merkleProof, merkleRoot, merkleVerify } from "../disk/code/merkle.ts";
import { realCrypto } from "../platform/crypto.ts";
import type { Coder } from "./coder.ts";

export interface CoderHarness {
  readonly coder: Coder;
  /** Makes a thread that has started fail. Absent if there are no threads. */
  readonly crash?: () => void;
}

const sha256 = (message: Bytes): Uint8Array => realCrypto.sha256(message);
const NONE = new Uint8Array(0);

function dataOf(k: number, length: number): Uint8Array[] {
  return Array.from({ length: k }, (_, shard) =>
    Uint8Array.from({ length }, (_, i) => (i * 7 + shard * 31 + 1) & 0xff),
  );
}

function numbered(shards: readonly Uint8Array[], numbers: readonly number[]): Map<number, Uint8Array> {
  return new Map(numbers.map((number) => [number, (shards[number] ?? NONE).slice()]));
}

/** `hasThreads` says whether threads can be crashed. */
export function coderContract(name: string, create: () => CoderHarness, options: { hasThreads: boolean }): void {
  describe(`Coder: ${name}`, () => {
    let harness: CoderHarness;
    let coder: Coder;

    beforeEach(() => {
      harness = create();
      coder = harness.coder;
    });
    afterEach(() => coder[Symbol.asyncDispose]());

    it("has a lane at least", () => {
      expect(coder.lanes).toBeGreaterThanOrEqual(1);
    });

    it("codes a stripe, hashes its shards, and describes it by their root", async () => {
      const data = dataOf(3, 1_000);
      const stripe = await coder.encode(dataOf(3, 1_000), 4);
      expect(stripe.shards).toEqual(Array.from({ length: 7 }, (_, number) => slowShard(data, number)));
      expect(stripe.hashes).toEqual(stripe.shards.map(sha256));
      expect(stripe.root).toEqual(merkleRoot(stripe.hashes, sha256));
    });

    it("each shard proves that it belongs to the stripe, and a changed one does not", async () => {
      const { shards, hashes, root } = await coder.encode(dataOf(2, 5_000), 3);
      for (const [index, shard] of shards.entries()) {
        const claim = { root, count: 5, index, proof: merkleProof(hashes, index, sha256) };
        expect(merkleVerify({ ...claim, entry: sha256(shard) }, sha256)).toBe(true);
        shard[4_321] = (shard[4_321] ?? 0) ^ 1;
        expect(merkleVerify({ ...claim, entry: sha256(shard) }, sha256)).toBe(false);
      }
    });

    it("makes the wanted shards of any k, and gives given ones back", async () => {
      const { shards } = await coder.encode(dataOf(3, 100_000), 3);
      for (const have of [
        [0, 1, 2],
        [5, 1, 3],
        [3, 4, 5],
        [0, 2, 3, 5],
      ]) {
        const made = await coder.reconstruct(3, numbered(shards, have), [4, 0, 1, 2]);
        expect([...made.keys()]).toEqual([4, 0, 1, 2]);
        for (const [number, bytes] of made) expect(equal(bytes, shards[number] ?? NONE)).toBe(true);
      }
      expect(await coder.reconstruct(3, numbered(shards, [0, 1, 2]), [])).toEqual(new Map());
    });

    it("takes stripes of one shard, of empty shards, without parity, and the largest", async () => {
      expect((await coder.encode([utf8("a")], 2)).shards).toEqual([utf8("a"), utf8("a"), utf8("a")]);
      expect((await coder.encode([NONE.slice(), NONE.slice()], 1)).shards).toEqual([NONE, NONE, NONE]);
      expect((await coder.encode(dataOf(2, 10), 0)).shards).toEqual(dataOf(2, 10));
      const { shards } = await coder.encode(dataOf(64, 1_000), 64);
      const parity = Array.from({ length: 64 }, (_, i) => 64 + i);
      const made = await coder.reconstruct(64, numbered(shards, parity), [0, 63]);
      expect(made).toEqual(numbered(shards, [0, 63]));
    });

    it("leaves the rest of a larger buffer to the caller", async () => {
      const whole = Uint8Array.from({ length: 300 }, (_, i) => i);
      const before = whole.slice();
      const data = [whole.subarray(0, 100), whole.subarray(100, 200)];
      const { shards } = await coder.encode(data, 1);
      expect(whole).toEqual(before);
      await coder.reconstruct(
        2,
        new Map([
          [1, whole.subarray(100, 200)],
          [2, shards[2] ?? NONE],
        ]),
        [0],
      );
      expect(whole).toEqual(before);
    });

    it("takes bytes once only: they are empty afterwards, and a second call is a bug", async () => {
      const data = dataOf(1, 100);
      await coder.encode(data, 1);
      expect(data.map(({ length }) => length)).toEqual([0]);
      await expect(coder.encode(data, 1)).rejects.toThrow("Assertion failed");
      expect((await coder.encode(dataOf(2, 10), 1)).shards.length).toBe(3);
    });

    it("gives each shard bytes of its own", async () => {
      const { shards } = await coder.encode(dataOf(2, 100), 2);
      expect(new Set(shards.map(({ buffer }) => buffer)).size).toBe(4);
      expect(shards.every(({ buffer }) => buffer.byteLength === 100)).toBe(true);
    });

    it("hashes pieces of any size, in their order, and only borrows them", async () => {
      const sizes = [0, 1, 100, 16_384, 16_385, 262_144, 70_000, 300_000, 5_000, 5_000, 5_000, 5_000, 10];
      const pieces = sizes.map((length, i) => new Uint8Array(length).fill(i));
      const hashes = await coder.hash(pieces);
      expect(hashes).toEqual(pieces.map(sha256));
      expect(pieces.map(({ length }) => length)).toEqual(sizes);
      expect(await coder.hash([])).toEqual([]);
    });

    it("answers many calls at once, each with its own", async () => {
      const counts = Array.from({ length: 40 }, (_, i) => i % 5);
      const stripes = await Promise.all(counts.map((count) => coder.encode(dataOf(2 + count, 3_000), count)));
      for (const [i, { shards }] of stripes.entries()) {
        const count = counts[i] ?? 0;
        expect(shards.slice(0, 2 + count)).toEqual(dataOf(2 + count, 3_000));
        expect(shards.length).toBe(2 + 2 * count);
      }
    });

    it("turns away calls when too many bytes wait, and goes on afterwards", async () => {
      const calls = Array.from({ length: 2 * coder.lanes + 24 }, () =>
        coder.encode(
          Array.from({ length: 64 }, () => new Uint8Array(65_536)),
          1,
        ),
      );
      const ends = await Promise.allSettled(calls);
      const refused = ends.filter((end) => end.status === "rejected");
      expect(refused.length).toBeGreaterThan(0);
      expect(ends.length - refused.length).toBeGreaterThanOrEqual(2 * coder.lanes);
      expect(refused.every(({ reason }) => isStarfishError(reason, "busy") && reason.retryable)).toBe(true);
      expect((await coder.encode(dataOf(2, 10), 1)).shards.length).toBe(3);
    });

    it("gives up what is cancelled, waiting or begun, and goes on", async () => {
      const isCancelled = (error: unknown): boolean => isStarfishError(error, "cancelled");
      await expect(coder.encode(dataOf(2, 10), 1, { signal: AbortSignal.abort() })).rejects.toSatisfy(isCancelled);
      await expect(coder.hash([NONE], { signal: AbortSignal.abort() })).rejects.toSatisfy(isCancelled);
      const controller = new AbortController();
      const { signal } = controller;
      const calls = Array.from({ length: 5 * coder.lanes }, () => coder.encode(dataOf(2, 1_000), 1, { signal }));
      const ends = Promise.allSettled(calls);
      controller.abort();
      for (const end of await ends) expect(end).toMatchObject({ status: "rejected", reason: { code: "cancelled" } });
      expect((await coder.encode(dataOf(2, 10), 1)).shards.length).toBe(3);
    });

    it("calls outside of the limits are bugs", async () => {
      const none = new Map<number, Uint8Array>();
      await expect(coder.encode([], 1)).rejects.toThrow("Assertion failed");
      await expect(coder.encode(dataOf(65, 1), 1)).rejects.toThrow("Assertion failed");
      await expect(coder.encode(dataOf(64, 1), 65)).rejects.toThrow("Assertion failed");
      await expect(coder.encode([...dataOf(1, 1), ...dataOf(1, 2)], 1)).rejects.toThrow("Assertion failed");
      await expect(coder.encode(dataOf(1, 262_145), 1)).rejects.toThrow("Assertion failed");
      await expect(coder.reconstruct(1, none, [0])).rejects.toThrow("Assertion failed");
      await expect(coder.reconstruct(1, numbered(dataOf(1, 1), [0]), [128])).rejects.toThrow("Assertion failed");
    });

    it("ends what is under way when it is disposed of, and refuses calls afterwards", async () => {
      const isClosed = (error: unknown): boolean => isStarfishError(error, "closed") && !error.retryable;
      const calls = Array.from({ length: 3 * coder.lanes }, () => coder.encode(dataOf(2, 100_000), 6));
      const ends = Promise.allSettled(calls);
      await coder[Symbol.asyncDispose]();
      for (const end of await ends) expect(end.status === "rejected" && isClosed(end.reason)).toBe(true);
      await coder[Symbol.asyncDispose]();
      await expect(coder.encode(dataOf(1, 1), 1)).rejects.toSatisfy(isClosed);
      await expect(coder.reconstruct(1, numbered(dataOf(1, 1), [0]), [1])).rejects.toSatisfy(isClosed);
      await expect(coder.hash([NONE])).rejects.toSatisfy(isClosed);
    });

    if (!options.hasThreads) return;
    it("a thread that fails costs its own calls alone, and another takes its place", async () => {
      await coder.encode(dataOf(2, 10), 1);
      for (let round = 0; round < 3; round++) {
        harness.crash?.();
        const lost = coder.encode(dataOf(2, 10), 1);
        await expect(lost).rejects.toSatisfy((error) => isStarfishError(error, "closed") && error.retryable);
        expect((await coder.encode(dataOf(2, 10), 1)).shards.length).toBe(3);
      }
    });
  });
}

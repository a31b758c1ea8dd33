/**
 * What every Random must do, and what the port's helper functions do with it. The statistical checks are loose, so that
 * no sound source fails them.
 */
import { describe, expect, it } from "vitest";
import { integer, pick, type Random, sample } from "./random.ts";

export function randomContract(name: string, create: () => Random): void {
  describe(`Random: ${name}`, () => {
    it("gives as many bytes as asked, each value about as often", () => {
      const random = create();
      for (const length of [0, 1, 3, 4, 5, 32, 65_536, 70_001]) expect(random.bytes(length).length).toBe(length);
      const counts = Array.from({ length: 256 }, () => 0);
      for (const byte of random.bytes(256 * 1000)) counts[byte] = (counts[byte] ?? 0) + 1;
      expect(Math.min(...counts)).toBeGreaterThan(800);
      expect(Math.max(...counts)).toBeLessThan(1200);
    });

    it("does not repeat itself", () => {
      const random = create();
      const seen = new Set(Array.from({ length: 1000 }, () => random.bytes(16).join()));
      expect(seen.size).toBe(1000);
    });

    it("gives real numbers in [0, 1), evenly, with fine steps", () => {
      const random = create();
      const reals = Array.from({ length: 20_000 }, () => random.real());
      expect(reals.every((real) => real >= 0 && real < 1)).toBe(true);
      const buckets = Array.from({ length: 10 }, () => 0);
      for (const real of reals) buckets[Math.floor(real * 10)] = (buckets[Math.floor(real * 10)] ?? 0) + 1;
      for (const count of buckets) expect(Math.abs(count - 2000)).toBeLessThan(300);
      // In numbers of 53 random bits, the lowest bit is set in half of them.
      const odd = reals.filter((real) => (real * 2 ** 53) % 2 === 1).length;
      expect(Math.abs(odd - 10_000)).toBeLessThan(800);
    });

    it("integer: every number below the bound, and no other", () => {
      const random = create();
      const seen = new Set(Array.from({ length: 1000 }, () => integer(random, 7)));
      expect(seen).toEqual(new Set([0, 1, 2, 3, 4, 5, 6]));
    });

    it("pick: some element, or undefined of none", () => {
      const random = create();
      expect(pick(random, [])).toBeUndefined();
      const seen = new Set(Array.from({ length: 200 }, () => pick(random, ["a", "b", "c"])));
      expect(seen).toEqual(new Set(["a", "b", "c"]));
    });

    it("sample: distinct elements, each in every place about as often", () => {
      const random = create();
      const items = [0, 1, 2, 3];
      expect(sample(random, items, 0)).toEqual([]);
      expect(new Set(sample(random, items))).toEqual(new Set(items));
      expect(sample(random, items, 9)).toHaveLength(4);
      const first = Array.from({ length: 4 }, () => 0);
      for (let i = 0; i < 4000; i++) {
        const [chosen] = sample(random, items, 2);
        if (chosen !== undefined) first[chosen] = (first[chosen] ?? 0) + 1;
      }
      for (const count of first) expect(Math.abs(count - 1000)).toBeLessThan(200);
      expect(items).toEqual([0, 1, 2, 3]);
    });
  });
}

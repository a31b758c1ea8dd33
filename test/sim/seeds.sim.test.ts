import { afterEach, expect, test, vi } from "vitest";
import { isLong, longSeeds, seeds } from "./seeds.ts";

afterEach(() => void vi.unstubAllEnvs());

test("a few seeds or many, from 1", () => {
  vi.stubEnv("SEED", undefined);
  expect(seeds(2, 3)).toEqual(isLong ? [1, 2, 3] : [1, 2]);
  expect(longSeeds(2)).toEqual(isLong ? [1, 2] : []);
});

test("SEED names the only one", () => {
  vi.stubEnv("SEED", "41");
  expect(seeds(2, 300)).toEqual([41]);
  vi.stubEnv("SEED", "x");
  expect(() => seeds(2, 300)).toThrow("SEED");
});

test("no seeds, which would be no test, are refused", () => {
  for (const count of [0, -1, 0.5, NaN]) {
    expect(() => seeds(count, 5)).toThrow(RangeError);
    expect(() => seeds(5, count)).toThrow(RangeError);
    expect(() => longSeeds(count)).toThrow(RangeError);
  }
});

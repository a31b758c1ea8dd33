import { describe, expect, test } from "vitest";
import { checkCounter, checkSet } from "./checkers.ts";
import { type Cut, majority, ring, single } from "./cuts.ts";

const read = (node: number, atMs: number, elements: number[], isFinal = false) => ({
  node,
  atMs,
  elements: new Set(elements),
  isFinal,
});

describe("the set checker", () => {
  const added = new Map([
    [1, 0],
    [2, 10],
  ]);

  test("passes what is read late, and says how late", () => {
    const reads = [read(0, 5, [1]), read(1, 20, [1]), read(0, 30, [1, 2], true), read(1, 30, [2, 1], true)];
    expect(checkSet({ added, reads })).toEqual({ faults: [], stableMs: [0, 10] });
  });

  test("finds what is missing in the end, lost, or from nowhere, and that nobody looked", () => {
    const faults = (...reads: ReturnType<typeof read>[]): number => checkSet({ added, reads }).faults.length;
    expect(faults(read(0, 30, [1], true))).toBe(1);
    expect(faults(read(0, 5, [1]), read(0, 20, [2]), read(0, 30, [1, 2], true))).toBe(1);
    expect(faults(read(0, 30, [1, 2, 3], true))).toBe(1);
    expect(faults(read(0, 30, [1, 2]))).toBe(1);
  });
});

describe("the counter checker", () => {
  const adds = [
    { atMs: 0, delta: 3 },
    { atMs: 10, delta: -2 },
  ];
  const faults = (atMs: number, value: number, isFinal: boolean): number =>
    checkCounter({
      adds,
      reads: [
        { node: 0, atMs, value, isFinal },
        { node: 1, atMs: 99, value: 1, isFinal: true },
      ],
    }).length;

  test("passes sums of what was added by then, and finds others", () => {
    expect([faults(5, 0, false), faults(5, 3, false), faults(20, -2, false)]).toEqual([0, 0, 0]);
    expect([faults(5, -2, false), faults(20, 4, false), faults(20, 3, true)]).toEqual([1, 1, 1]);
  });
});

describe("cuts", () => {
  const order = [3, 1, 4, 0, 2];
  const heard = (cut: Cut, node: number): number[] => [0, 1, 2, 3, 4].filter((from) => !cut(from, node));

  test("leave a majority, all but one, or a majority of its own to each", () => {
    expect(order.map((node) => heard(majority(order), node).length)).toEqual([2, 2, 3, 3, 3]);
    expect(order.map((node) => heard(single(order), node).length)).toEqual([1, 4, 4, 4, 4]);
    const heards = order.map((node) => heard(ring(order), node));
    expect(heards.map(({ length }) => length)).toEqual([3, 3, 3, 3, 3]);
    expect(new Set(heards.map(String)).size).toBe(5);
  });
});

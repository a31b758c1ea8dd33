import { expect, test } from "vitest";
import { changesBetween, type Change } from "./edit-script.ts";
import { EDITS_MAX } from "./limits.ts";

const rest = (): Promise<void> => Promise.resolve();

/** The same numbers for the same seed (mulberry32). */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function applied(old: readonly number[], now: readonly number[], script: readonly Change[]): number[] {
  const result: number[] = [];
  let at = 0;
  for (const { oldAt, oldCount, newAt, newCount } of script) {
    while (at < oldAt) result.push(old[at++] ?? -1);
    expect(result.length).toBe(newAt);
    result.push(...now.slice(newAt, newAt + newCount));
    at = oldAt + oldCount;
  }
  return [...result, ...old.slice(at)];
}

test("what a script says makes the new list of the old one, of few and of many different lines", async () => {
  for (let seed = 1; seed <= 300; seed++) {
    const below = numbersFrom(seed);
    const kinds = 1 + below(seed % 2 === 0 ? 4 : 60);
    const old = Array.from({ length: below(60) }, () => below(kinds));
    const now = old.flatMap((line) => (below(4) === 0 ? (below(2) === 0 ? [] : [below(kinds), line]) : [line]));
    expect(applied(old, now, await changesBetween(old, now, rest)), `seed ${seed}`).toEqual(now);
  }
});

test("a script of one changed line in a long list is that line", async () => {
  const old = Array.from({ length: 100_000 }, (_, i) => i);
  const now = old.with(70_000, -1);
  expect(await changesBetween(old, now, rest)).toEqual([{ oldAt: 70_000, oldCount: 1, newAt: 70_000, newCount: 1 }]);
});

test("more changes than are searched for at once are parted at lines that occur once", async () => {
  // Every tenth line stays, all others are replaced.
  const old = Array.from({ length: 20_000 }, (_, i) => i);
  const now = old.map((line) => (line % 10 === 0 ? line : -line));
  const script = await changesBetween(old, now, rest);
  expect(script.length).toBe(2_000);
  expect(2_000 * 9).toBeGreaterThan(EDITS_MAX);
  expect(applied(old, now, script)).toEqual(now);
});

test("where nothing can part it, it is replaced as a whole", async () => {
  const below = numbersFrom(7);
  const [old, now] = [0, 1].map((side) => Array.from({ length: 6_000 }, () => 2 * below(200) + side));
  const script = await changesBetween(old ?? [], now ?? [], rest);
  expect(script).toEqual([{ oldAt: 0, oldCount: 6_000, newAt: 0, newCount: 6_000 }]);
});

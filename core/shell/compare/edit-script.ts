/**
 * Finds the changes that turn one list of lines into another. Lines are numbers here: equal lines have equal numbers.
 * The search is Myers' (library `diff`). A change that could be at several places is put where GNU diff puts it.
 */
import { diffArrays } from "diff";
import { EDITS_MAX } from "./limits.ts";

/** `newCount` lines from `newAt` on (counted from 0) replace `oldCount` lines from `oldAt` on. */
export interface Change {
  readonly oldAt: number;
  readonly oldCount: number;
  readonly newAt: number;
  readonly newCount: number;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** Marks changed lines. It has one more place before the first line and one after the last, which are never marked. */
type Marks = Uint8Array;

/** `rest` is called between parts of the work, so that other work gets its turn. */
export async function changesBetween(
  old: readonly number[],
  now: readonly number[],
  rest: () => Promise<void>,
): Promise<Change[]> {
  const oldMarks: Marks = new Uint8Array(old.length + 2);
  const newMarks: Marks = new Uint8Array(now.length + 2);
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start++;
  let [oldEnd, newEnd] = [old.length, now.length];
  while (oldEnd > start && newEnd > start && old[oldEnd - 1] === now[newEnd - 1]) {
    oldEnd--;
    newEnd--;
  }
  const [oldRange, newRange] = [
    { from: start, to: oldEnd },
    { from: start, to: newEnd },
  ];
  if (!markChanges(old, now, oldRange, newRange, oldMarks, newMarks)) {
    let [oldFrom, newFrom] = [start, start];
    for (const [oldAt, newAt] of [...anchors(old, now, oldRange, newRange), [oldEnd, newEnd] as const]) {
      await rest();
      const [left, right] = [
        { from: oldFrom, to: oldAt },
        { from: newFrom, to: newAt },
      ];
      // A part between two anchors that differs too much is replaced as a whole: that is correct, but not the shortest.
      if (!markChanges(old, now, left, right, oldMarks, newMarks)) {
        oldMarks.fill(1, left.from + 1, left.to + 1);
        newMarks.fill(1, right.from + 1, right.to + 1);
      }
      [oldFrom, newFrom] = [oldAt + 1, newAt + 1];
    }
  }
  await rest();
  shiftBoundaries(old, oldMarks, newMarks);
  shiftBoundaries(now, newMarks, oldMarks);
  return scriptOf(oldMarks, newMarks, old.length, now.length);
}

/** Returns whether it found the changes within the bound. */
function markChanges(
  old: readonly number[],
  now: readonly number[],
  left: Range,
  right: Range,
  oldMarks: Marks,
  newMarks: Marks,
): boolean {
  const parts = diffArrays(old.slice(left.from, left.to), now.slice(right.from, right.to), {
    maxEditLength: EDITS_MAX,
  });
  if (parts === undefined) return false;
  let [oldAt, newAt] = [left.from + 1, right.from + 1];
  for (const { added, removed, count } of parts) {
    if (removed) oldMarks.fill(1, oldAt, oldAt + count);
    if (added) newMarks.fill(1, newAt, newAt + count);
    if (!added) oldAt += count;
    if (!removed) newAt += count;
  }
  return true;
}

/** Pairs of lines that occur exactly once in both texts, in an order that both have (patience diff). */
function anchors(
  old: readonly number[],
  now: readonly number[],
  left: Range,
  right: Range,
): (readonly [number, number])[] {
  const places = new Map<number, { old: number; now: number }>();
  const note = (lines: readonly number[], { from, to }: Range, side: "old" | "now"): void => {
    for (let i = from; i < to; i++) {
      const line = lines[i] ?? 0;
      const place = places.get(line) ?? { old: -1, now: -1 };
      place[side] = place[side] === -1 ? i : -2;
      places.set(line, place);
    }
  };
  note(old, left, "old");
  note(now, right, "now");
  const pairs = [...places.values()].filter((place) => place.old >= 0 && place.now >= 0);
  pairs.sort((a, b) => a.old - b.old);
  return longestRising(pairs).map((pair) => [pair.old, pair.now] as const);
}

function longestRising<T extends { readonly now: number }>(pairs: readonly T[]): T[] {
  const tails: number[] = [];
  const before: number[] = [];
  for (const [i, { now }] of pairs.entries()) {
    let [low, high] = [0, tails.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((pairs[tails[middle] ?? 0]?.now ?? 0) < now) low = middle + 1;
      else high = middle;
    }
    before.push(low === 0 ? -1 : (tails[low - 1] ?? -1));
    tails[low] = i;
  }
  const rising: T[] = [];
  for (let i = tails.at(-1) ?? -1; i >= 0; i = before[i] ?? -1) {
    const pair = pairs[i];
    if (pair !== undefined) rising.push(pair);
  }
  return rising.reverse();
}

/**
 * Moves each run of changed lines as far down as possible, or next to a change of the other side, and joins runs that
 * meet. GNU diff does the same (shift_boundaries in its analyze.c), so that the results are those that people know.
 */
function shiftBoundaries(lines: readonly number[], marks: Marks, others: Marks): void {
  const end = lines.length;
  const isChanged = (at: number): boolean => marks[at + 1] === 1;
  const isOther = (at: number): boolean => others[at + 1] === 1;
  const mark = (at: number, value: 0 | 1): void => {
    marks[at + 1] = value;
  };
  let [i, j] = [0, 0];
  for (;;) {
    while (i < end && !isChanged(i)) {
      while (isOther(j++));
      i++;
    }
    if (i === end) return;
    let start = i;
    while (isChanged(++i));
    while (isOther(j)) j++;
    let length: number;
    let beside: number;
    do {
      length = i - start;
      while (start > 0 && lines[start - 1] === lines[i - 1]) {
        mark(--start, 1);
        mark(--i, 0);
        while (isChanged(start - 1)) start--;
        while (isOther(--j));
      }
      beside = isOther(j - 1) ? i : end;
      while (i !== end && lines[start] === lines[i]) {
        mark(start++, 0);
        mark(i++, 1);
        while (isChanged(i)) i++;
        while (isOther(++j)) beside = i;
      }
    } while (length !== i - start);
    while (beside < i) {
      mark(--start, 1);
      mark(--i, 0);
      while (isOther(--j));
    }
  }
}

function scriptOf(oldMarks: Marks, newMarks: Marks, oldLength: number, newLength: number): Change[] {
  const script: Change[] = [];
  let [i, j] = [0, 0];
  while (i < oldLength || j < newLength) {
    const [oldAt, newAt] = [i, j];
    while (oldMarks[i + 1] === 1) i++;
    while (newMarks[j + 1] === 1) j++;
    if (i > oldAt || j > newAt) script.push({ oldAt, oldCount: i - oldAt, newAt, newCount: j - newAt });
    i++;
    j++;
  }
  return script;
}

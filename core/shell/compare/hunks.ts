/** Differences as text: GNU diff's normal and unified formats. Pure. */
import type { Change } from "./edit-script.ts";

export interface Side {
  readonly lines: readonly string[];
  /** Whether the last line ends with a line break. */
  readonly isEnded: boolean;
}

export interface Marked extends Change {
  /** A change that is not reported by itself (-B), but is part of the hunks of others. */
  readonly isIgnored: boolean;
}

export function* normalHunks(old: Side, now: Side, script: readonly Marked[]): Generator<string, void, undefined> {
  for (const { oldAt, oldCount, newAt, newCount, isIgnored } of script) {
    if (isIgnored) continue;
    const letter = oldCount === 0 ? "a" : newCount === 0 ? "d" : "c";
    yield `${normalRange(oldAt, oldCount)}${letter}${normalRange(newAt, newCount)}\n`;
    for (let i = oldAt; i < oldAt + oldCount; i++) yield lineOf("< ", old, i);
    if (letter === "c") yield "---\n";
    for (let i = newAt; i < newAt + newCount; i++) yield lineOf("> ", now, i);
  }
}

export function* unifiedHunks(
  old: Side,
  now: Side,
  script: readonly Marked[],
  around: number,
): Generator<string, void, undefined> {
  for (const hunk of grouped(script, around)) {
    const [first, last] = [hunk[0], hunk.at(-1)];
    if (first === undefined || last === undefined || hunk.every(({ isIgnored }) => isIgnored)) continue;
    const before = Math.min(around, first.oldAt);
    const after = Math.min(around, old.lines.length - (last.oldAt + last.oldCount));
    const [oldFrom, newFrom] = [first.oldAt - before, first.newAt - before];
    const oldTo = last.oldAt + last.oldCount + after;
    const newTo = last.newAt + last.newCount + after;
    yield `@@ -${unifiedRange(oldFrom, oldTo)} +${unifiedRange(newFrom, newTo)} @@\n`;
    let at = oldFrom;
    for (const { oldAt, oldCount, newAt, newCount } of hunk) {
      while (at < oldAt) yield lineOf(" ", old, at++);
      while (at < oldAt + oldCount) yield lineOf("-", old, at++);
      for (let i = newAt; i < newAt + newCount; i++) yield lineOf("+", now, i);
    }
    while (at < oldTo) yield lineOf(" ", old, at++);
  }
}

/** Groups changes whose contexts meet. An ignored change joins a group only if it is nearer. */
function grouped(script: readonly Marked[], around: number): Marked[][] {
  const hunks: Marked[][] = [];
  for (const change of script) {
    const hunk = hunks.at(-1);
    const last = hunk?.at(-1);
    const far = change.isIgnored ? around : 2 * around + 1;
    if (hunk !== undefined && last !== undefined && change.oldAt - (last.oldAt + last.oldCount) < far)
      hunk.push(change);
    else hunks.push([change]);
  }
  return hunks;
}

function normalRange(at: number, count: number): string {
  if (count === 0) return String(at);
  return count === 1 ? String(at + 1) : `${at + 1},${at + count}`;
}

function unifiedRange(from: number, to: number): string {
  if (from === to) return `${from},0`;
  return to - from === 1 ? String(to) : `${from + 1},${to - from}`;
}

function lineOf(mark: string, { lines, isEnded }: Side, at: number): string {
  const isCut = !isEnded && at === lines.length - 1;
  return `${mark}${lines[at] ?? ""}\n${isCut ? "\\ No newline at end of file\n" : ""}`;
}

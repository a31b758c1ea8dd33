/**
 * A reduction as tasks. Of `count` results each two neighbours become one, in order, until one is left; an odd one
 * rises a level unchanged. Tasks are numbered from 0, and reductions follow them level by level. So a job with a
 * reduction has 2 * count - 1 numbers, and the result of the last one is the job's. Pure.
 */
import { type Intervals, interval, pieces, union } from "./intervals.ts";

interface Level {
  /** The number of its first task. */
  readonly offset: number;
  /** Places in it: its tasks, and the odd one from the level below. */
  readonly size: number;
  readonly tasks: number;
}

function* levels(count: number): Generator<Level> {
  let offset = 0;
  let tasks = count;
  for (let size = count; ; size = Math.ceil(size / 2)) {
    yield { offset, size, tasks };
    if (size === 1) return;
    offset += tasks;
    tasks = Math.floor(size / 2);
  }
}

/** The numbers of the two tasks whose results a reduction takes, the earlier one first. */
export function operandsOf(task: number, count: number): readonly [number, number] {
  const below: Level[] = [];
  for (const level of levels(count)) {
    if (task >= level.offset && task < level.offset + level.tasks && below.length > 0) {
      const place = 2 * (task - level.offset);
      return [taskAt(below, place), taskAt(below, place + 1)];
    }
    below.push(level);
  }
  throw new Error(`Task ${task} is no reduction of ${count} results`);
}

/** The task at a place of the last of these levels. */
function taskAt(all: readonly Level[], place: number): number {
  let at = place;
  for (let i = all.length - 1; i >= 0; i--) {
    const level = all[i];
    if (level === undefined || at < level.tasks) return (level?.offset ?? 0) + at;
    // The odd one is at the end of the level below.
    at = (all[i - 1]?.size ?? 1) - 1;
  }
  return at;
}

/** The numbers that can begin: tasks, and reductions whose operands are both done. */
export function readyOf(count: number, done: Intervals): Intervals {
  let ready = interval(0, count);
  /** Places of the level below whose results are there. */
  let below: Intervals = [];
  let belowSize = 0;
  for (const level of levels(count)) {
    let here: Intervals = [];
    if (level.offset > 0) {
      const pairs: number[] = [];
      for (const [from, to] of pieces(below)) {
        const [first, end] = [Math.ceil(from / 2), Math.floor(to / 2)];
        if (first < end) pairs.push(level.offset + first, level.offset + end);
      }
      ready = union(ready, pairs);
      if (level.size > level.tasks && contains(below, belowSize - 1)) here = interval(level.tasks, level.size);
    }
    here = union(here, shifted(done, level.offset, level.offset + level.tasks));
    below = here;
    belowSize = level.size;
  }
  return ready;
}

function contains(set: Intervals, place: number): boolean {
  for (const [from, to] of pieces(set)) if (place >= from && place < to) return true;
  return false;
}

/** The part of the set in [from, to), counted from `from`. */
function shifted(set: Intervals, from: number, to: number): Intervals {
  const result: number[] = [];
  for (const [a, b] of pieces(set)) {
    const [first, end] = [Math.max(a, from) - from, Math.min(b, to) - from];
    if (first < end) result.push(first, end);
  }
  return result;
}

/**
 * Sets of task numbers as intervals: [from, to) one after the other in one list of numbers, in order, with gaps between
 * them. So the cost of what is known about a job of a million tasks depends on how often neighbours differ, not on the
 * number of tasks. Pure.
 */
import { StarfishError } from "../base/errors.ts";

export type Intervals = readonly number[];

export const NONE: Intervals = [];

export function interval(from: number, to: number): Intervals {
  return from < to ? [from, to] : NONE;
}

/** The set of these numbers, which may be in any order and be repeated. */
export function setOf(numbers: readonly number[]): Intervals {
  const set: number[] = [];
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const last = set.length - 1;
    if (number === set[last]) set[last] = number + 1;
    else if (last < 0 || number > (set[last] ?? 0)) set.push(number, number + 1);
  }
  return set;
}

/** How many numbers are in it. */
export function sizeOf(set: Intervals): number {
  let sum = 0;
  for (let i = 0; i < set.length; i += 2) sum += (set[i + 1] ?? 0) - (set[i] ?? 0);
  return sum;
}

/** The index in the list of the first interval that ends after `task`; the list's length if none does. */
function placeOf(set: Intervals, task: number): number {
  let low = 0;
  let high = set.length / 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((set[2 * middle + 1] ?? 0) > task) high = middle;
    else low = middle + 1;
  }
  return 2 * low;
}

export function has(set: Intervals, task: number): boolean {
  return (set[placeOf(set, task)] ?? Infinity) <= task;
}

/** Walks over both sets at once; `wanted` decides from membership in a and in b. */
function merge(a: Intervals, b: Intervals, wanted: (inA: boolean, inB: boolean) => boolean): Intervals {
  const result: number[] = [];
  let i = 0;
  let j = 0;
  let isOpen = false;
  while (i < a.length || j < b.length) {
    const at = Math.min(a[i] ?? Infinity, b[j] ?? Infinity);
    while (a[i] === at) i++;
    while (b[j] === at) j++;
    // At an odd index an interval is open.
    const isWanted = wanted(i % 2 === 1, j % 2 === 1);
    if (isWanted !== isOpen) result.push(at);
    isOpen = isWanted;
  }
  return result;
}

export function union(a: Intervals, b: Intervals): Intervals {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  return merge(a, b, (inA, inB) => inA || inB);
}

/**
 * The numbers that are in at least `least` of the sets. The cost depends on the number of edges and on sorting them,
 * unlike that of one union after the other.
 */
export function unionAll(all: readonly Intervals[], least = 1): Intervals {
  const sets = all.filter((set) => set.length > 0);
  if (sets.length < least) return NONE;
  if (sets.length <= 2 && least === 1) return union(sets[0] ?? NONE, sets[1] ?? NONE);
  const edges = sets.reduce((sum, set) => sum + set.length, 0) / 2;
  const begins = new Float64Array(edges);
  const ends = new Float64Array(edges);
  let at = 0;
  for (const set of sets) {
    for (let i = 0; i < set.length; i += 2) {
      begins[at] = set[i] ?? 0;
      ends[at++] = set[i + 1] ?? 0;
    }
  }
  begins.sort();
  ends.sort();
  const result: number[] = [];
  let depth = 0;
  for (let i = 0, j = 0; j < edges;) {
    const now = Math.min(begins[i] ?? Infinity, ends[j] ?? Infinity);
    const before = depth;
    while (begins[i] === now) {
      depth++;
      i++;
    }
    while (ends[j] === now) {
      depth--;
      j++;
    }
    if (before < least !== depth < least) result.push(now);
  }
  return result;
}

export function intersect(a: Intervals, b: Intervals): Intervals {
  if (a.length === 0 || b.length === 0) return NONE;
  return merge(a, b, (inA, inB) => inA && inB);
}

/** Whether some number is in both. The cost depends on the size of `a`. */
export function meets(a: Intervals, b: Intervals): boolean {
  for (let i = 0; i < a.length; i += 2) {
    if (within(b, a[i] ?? 0, a[i + 1] ?? 0).length > 0) return true;
  }
  return false;
}

export function subtract(a: Intervals, b: Intervals): Intervals {
  if (a.length === 0 || b.length === 0) return a;
  return merge(a, b, (inA, inB) => inA && !inB);
}

/** The part of the set in [from, to). The cost depends on that part, not on the whole. */
export function within(set: Intervals, from: number, to: number): Intervals {
  const result: number[] = [];
  for (let i = placeOf(set, from); i < set.length; i += 2) {
    const begin = Math.max(set[i] ?? 0, from);
    if (begin >= to) break;
    result.push(begin, Math.min(set[i + 1] ?? 0, to));
  }
  return result;
}

/** The set, and this number. */
export function add(set: Intervals, task: number): Intervals {
  const at = placeOf(set, task);
  if ((set[at] ?? Infinity) <= task) return set;
  const joinsBefore = at > 0 && set[at - 1] === task;
  const joinsAfter = set[at] === task + 1;
  const result = [...set];
  if (joinsBefore && joinsAfter) result.splice(at - 1, 2);
  else if (joinsBefore) result[at - 1] = task + 1;
  else if (joinsAfter) result[at] = task;
  else result.splice(at, 0, task, task + 1);
  return result;
}

/** Its first `count` numbers, or its last. */
export function take(set: Intervals, count: number, end: "front" | "back" = "front"): Intervals {
  const result: number[] = [];
  let left = count;
  if (end === "front") {
    for (let i = 0; i < set.length && left > 0; i += 2) {
      const from = set[i] ?? 0;
      const to = Math.min(set[i + 1] ?? 0, from + left);
      result.push(from, to);
      left -= to - from;
    }
    return result;
  }
  for (let i = set.length - 2; i >= 0 && left > 0; i -= 2) {
    const to = set[i + 1] ?? 0;
    const from = Math.max(set[i] ?? 0, to - left);
    result.unshift(from, to);
    left -= to - from;
  }
  return result;
}

/** Each number of the set. */
export function* numbersOf(set: Intervals): Generator<number> {
  for (const [from, to] of pieces(set)) for (let task = from; task < to; task++) yield task;
}

/** Each interval of the set. */
export function* pieces(set: Intervals): Generator<readonly [from: number, to: number]> {
  for (let i = 0; i < set.length; i += 2) yield [set[i] ?? 0, set[i + 1] ?? 0];
}

/**
 * As bytes: for each interval the gap before it and its length, each in LEB128 (groups of 7 bits, the lowest first, the
 * 8th bit set on all but the last). Intervals that do not fit into `bytesMax` are left out, the shortest first.
 */
export function pack(set: Intervals, bytesMax: number): Uint8Array {
  const whole = packAll(set);
  if (whole.length <= bytesMax) return whole;
  const longest = [...pieces(set)].sort(([a, b], [c, d]) => d - c - (b - a));
  for (let keep = Math.floor((longest.length * bytesMax) / whole.length); keep > 0; keep = Math.floor(keep * 0.9)) {
    const kept = longest.slice(0, keep).sort(([a], [b]) => a - b);
    const bytes = packAll(kept.flat());
    if (bytes.length <= bytesMax) return bytes;
  }
  return new Uint8Array();
}

function packAll(set: Intervals): Uint8Array {
  const bytes: number[] = [];
  let at = 0;
  for (const edge of set) {
    let value = edge - at;
    at = edge;
    while (value >= 0x80) {
      bytes.push((value % 0x80) | 0x80);
      value = Math.floor(value / 0x80);
    }
    bytes.push(value);
  }
  return Uint8Array.from(bytes);
}

/** Throws "malformed" for bytes that `pack` does not produce, and for numbers that are not below `end`. */
export function unpack(bytes: Uint8Array, end: number): Intervals {
  const set: number[] = [];
  let at = 0;
  let value = 0;
  let scale = 1;
  for (const byte of bytes) {
    value += (byte & 0x7f) * scale;
    scale *= 0x80;
    if (value > end) throw malformed();
    if (byte >= 0x80) {
      if (scale > 2 ** 35) throw malformed();
      continue;
    }
    // A gap or a length of 0: only the gap of the first interval may be 0.
    if ((value === 0 && set.length > 0) || (scale > 0x80 && byte === 0)) throw malformed();
    at += value;
    set.push(at);
    value = 0;
    scale = 1;
  }
  if (scale !== 1 || set.length % 2 !== 0 || at > end) throw malformed();
  return set;
}

function malformed(): StarfishError {
  return new StarfishError("malformed", "No intervals of this job's tasks");
}

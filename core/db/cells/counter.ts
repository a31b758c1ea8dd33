/**
 * What writers have added to a counter, so that all of it counts: for each writer the sum of what it has added so far, and a
 * number that grows with each addition. Of two sums of one writer the one with the greater number is the later one, and
 * contains the other. So any of these may be told twice, in any order and by anybody. Pure.
 *
 * An entry of the map has the sums of one writer (it is written with each addition) or of many (folded, see writes.ts):
 *
 *     the tag 2, as an integer
 *     stamp and writer of the row's version, 8 bytes each, as doubles: a row that is inserted again begins anew
 *     for each writer: 6 bytes of the writer, 7 of the number, and the sum as a value
 */
import type { Bytes } from "../../base/bytes.ts";
import { isStarfishError } from "../../base/errors.ts";
import type { Version } from "../../memory/types.ts";
import { CellReader, CellWriter } from "./pack.ts";
import { plus } from "./parts.ts";

export interface Sum {
  readonly number: number;
  readonly sum: number | bigint;
}
export type Sums = ReadonlyMap<number, Sum>;

interface PackedSums {
  /** The version of the row to which they belong. */
  readonly of: Version;
  readonly sums: Sums;
}

const TAG = 2;
const HEAD_BYTES = 13;
const TWO_32: number = 2 ** 32;

export function packSums(of: Version, sums: Iterable<readonly [writer: number, sum: Sum]>): Uint8Array<ArrayBuffer> {
  const packed = new CellWriter();
  packed.value(TAG);
  packed.real(of.stamp);
  packed.real(of.writer);
  const head = new DataView(new ArrayBuffer(HEAD_BYTES));
  for (const [writer, { number, sum }] of sums) {
    head.setUint32(0, writer % TWO_32);
    head.setUint16(4, Math.floor(writer / TWO_32));
    head.setUint32(6, number % TWO_32);
    const high = Math.floor(number / TWO_32);
    head.setUint8(10, high & 0xff);
    head.setUint16(11, high >>> 8);
    packed.bytes(new Uint8Array(head.buffer));
    packed.value(sum);
  }
  return packed.slice();
}

/** The version of the row to which they belong. Undefined: these bytes are no sums. */
export function ofSums(bytes: Uint8Array): Version | undefined {
  try {
    return readOf(new CellReader(bytes));
  } catch (error) {
    if (isStarfishError(error)) return undefined;
    throw error;
  }
}

function readOf(reader: CellReader): Version | undefined {
  const tag = reader.value();
  if (tag !== TAG || reader.isReal) return undefined;
  const [stamp, writer] = [reader.value(), reader.value()];
  return typeof stamp === "number" && typeof writer === "number" ? { stamp, writer } : undefined;
}

/** Undefined: these bytes are no sums. */
export function readSums(bytes: Uint8Array): PackedSums | undefined {
  try {
    const reader = new CellReader(bytes);
    const of = readOf(reader);
    if (of === undefined) return undefined;
    const sums = new Map<number, Sum>();
    while (!reader.done) {
      const [who, number] = readHead(reader.bytes(HEAD_BYTES));
      const sum = reader.value();
      if (typeof sum !== "number" && typeof sum !== "bigint") return undefined;
      addSum(sums, who, { number, sum });
    }
    return { of, sums };
  } catch (error) {
    if (isStarfishError(error)) return undefined;
    throw error;
  }
}

/** The last sum of one writer among many, without reading the others into memory. */
export function readSumOf(bytes: Uint8Array, writer: number): Sum | undefined {
  try {
    const reader = new CellReader(bytes);
    for (let i = 0; i < 3; i++) reader.value();
    let last: Sum | undefined;
    while (!reader.done) {
      const head = reader.bytes(HEAD_BYTES);
      const sum = reader.value();
      if (readWriter(head) !== writer || (typeof sum !== "number" && typeof sum !== "bigint")) continue;
      const [, number] = readHead(head);
      if (last === undefined || isLater({ number, sum }, last)) last = { number, sum };
    }
    return last;
  } catch (error) {
    if (isStarfishError(error)) return undefined;
    throw error;
  }
}

function readWriter(head: Bytes): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = head;
  return (((a << 24) | (b << 16) | (c << 8) | d) >>> 0) + ((e << 8) | f) * TWO_32;
}

function readHead(bytes: Bytes): [writer: number, number: number] {
  const head = new DataView(bytes.buffer, bytes.byteOffset, HEAD_BYTES);
  const high = head.getUint8(10) | (head.getUint16(11) << 8);
  return [readWriter(bytes), head.getUint32(6) + high * TWO_32];
}

/** Keeps the later of a writer's sums. */
export function addSum(sums: Map<number, Sum>, writer: number, sum: Sum): void {
  const before = sums.get(writer);
  if (before === undefined || isLater(sum, before)) sums.set(writer, sum);
}

/** A writer that has lost its memory may give a number twice; all nodes choose the same one of the two. */
export function isLater(a: Sum, b: Sum): boolean {
  return a.number > b.number || (a.number === b.number && a.sum > b.sum);
}

export function mergeSums(all: Iterable<Sums>): Map<number, Sum> {
  const merged = new Map<number, Sum>();
  for (const sums of all) for (const [writer, sum] of sums) addSum(merged, writer, sum);
  return merged;
}

/** In the order of the writers, since sums of reals depend on their order. */
export function totalOf(sums: Sums): number | bigint {
  let total: number | bigint = 0;
  for (const [, { sum }] of [...sums].toSorted(([a], [b]) => a - b)) total = plus(total, sum);
  return total;
}

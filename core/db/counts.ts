/**
 * Counters in the map. Each writer's additions are in an entry of its own, which is exact whatever happens, but costs some
 * hundred bytes. So whoever adds to a counter folds old entries of other writers into one of its own, where a writer costs
 * at most 22 bytes, and deletes them, in the same batch. Since each writer's sum is told with a number (cells/counter.ts),
 * a sum that is in two entries counts once.
 *
 * If the network is cut, a node on one side may delete an entry to which its writer adds on the other side.
 * count-keeper.ts brings such an addition back.
 */
import type { MapEntry, MapWrite, ReplicatedMap, Version } from "../memory/types.ts";
import { timeOf } from "../memory/version.ts";
import { isLater, mergeSums, ofSums, packSums, readSumOf, readSums, type Sum, type Sums } from "./cells/counter.ts";
import { plus } from "./cells/parts.ts";
import { COUNT_FOLD_AFTER_MS, COUNT_FOLD_BYTES_MAX, COUNT_FOLD_ENTRIES, COUNT_FOLDED_WRITERS } from "./limits.ts";
import { digitsOf, partKey } from "./schema/names.ts";
import type { SqlValue } from "./types.ts";

interface Counted {
  readonly key: string;
  readonly version: Version;
  readonly bytes: Uint8Array;
}

const WRITER_CHARS = 8;
/** Marks an entry of folded sums, behind the name of the node that has folded them. */
const FOLDED = "v";
/** If there are too many writers for one entry, they are spread over so many. */
const BUCKETS = 64;

/** The entries of a counter that belong to this version of its row. */
function countedOf(map: ReplicatedMap, row: string, column: number, version: Version): Counted[] {
  const counted: Counted[] = [];
  for (const entry of map.entries(partKey(row, column, ""))) {
    const bytes = entry.value instanceof Uint8Array ? entry.value : NONE;
    const of = ofSums(bytes);
    if (of?.stamp !== version.stamp || of.writer !== version.writer) continue;
    counted.push({ key: entry.key, version: entry.version, bytes });
  }
  return counted;
}

/** All that was added to a counter since this version of its row. */
export function sumsOf(map: ReplicatedMap, row: string, column: number, of: Version): Map<number, Sum> {
  return merged(countedOf(map, row, column, of));
}

function merged(counted: readonly Counted[]): Map<number, Sum> {
  return mergeSums(counted.flatMap(({ bytes }) => readSums(bytes)?.sums ?? []));
}

const NONE: Uint8Array = new Uint8Array();

/** The key of what one writer has added. */
export function sumKey(row: string, column: number, writer: number): string {
  return partKey(row, column, digitsOf(writer, WRITER_CHARS));
}

/** Makes the writes of one transaction that add to counters. */
export class CountWrites {
  readonly #map: ReplicatedMap;
  readonly #writer: number;
  #number: number | undefined;
  #foldBytes = COUNT_FOLD_BYTES_MAX;

  constructor(map: ReplicatedMap, writer: number) {
    this.#map = map;
    this.#writer = writer;
  }

  add({ key: row, version: of }: MapEntry, column: number, added: SqlValue): MapWrite[] {
    const writer = this.#writer;
    const counted = countedOf(this.#map, row, column, of);
    let before: Sum | undefined;
    for (const { bytes } of counted) {
      const sum = readSumOf(bytes, writer);
      if (sum !== undefined && (before === undefined || isLater(sum, before))) before = sum;
    }
    this.#number ??= this.#map.stamp();
    // A writer whose clock was set back goes on from its own last number.
    const number = Math.max(this.#number, (before?.number ?? 0) + 1);
    const sum: Sum = { number, sum: plus(before?.sum ?? 0, added) };
    const own = sumKey(row, column, writer);
    const folded = this.#fold(row, column, of, counted, own);
    return [...folded, { key: own, value: packSums(of, [[writer, sum]]) }];
  }

  #fold(row: string, column: number, of: Version, counted: readonly Counted[], own: string): MapWrite[] {
    const mine = sumKey(row, column, this.#writer) + FOLDED;
    const oldest = this.#map.now() - COUNT_FOLD_AFTER_MS;
    const isMine = ({ key }: Counted): boolean => key === own || key.startsWith(mine);
    const old = counted.filter((one) => !isMine(one) && timeOf(one.version.stamp) <= oldest);
    if (old.length < COUNT_FOLD_ENTRIES) return [];
    const before = counted.filter(({ key }) => key.startsWith(mine));
    const sums = merged([...old, ...before]);
    // This writer's own sum is in its own entry.
    sums.delete(this.#writer);
    const writes: MapWrite[] = [];
    const keys = new Set<string>();
    for (const [bucket, some] of bucketsOf(sums)) {
      const key = mine + bucket;
      keys.add(key);
      const value = packSums(of, some);
      if (!isEqual(before.find((one) => one.key === key)?.bytes, value)) writes.push({ key, value });
    }
    for (const { key } of [...old, ...before]) if (!keys.has(key)) writes.push({ key, deleted: true });
    const bytes = writes.reduce(
      (all, write) => all + write.key.length + ("value" in write ? (write.value as Uint8Array).length : 0),
      0,
    );
    if (sums.size > BUCKETS * COUNT_FOLDED_WRITERS || bytes > this.#foldBytes) return [];
    this.#foldBytes -= bytes;
    return writes;
  }
}

function bucketsOf(sums: Sums): Map<string, Map<number, Sum>> {
  const buckets = new Map<string, Map<number, Sum>>();
  for (const [writer, sum] of [...sums].toSorted(([a], [b]) => a - b)) {
    const name = sums.size <= COUNT_FOLDED_WRITERS ? "" : digitsOf(writer % BUCKETS, 1);
    const bucket = buckets.get(name) ?? new Map<number, Sum>();
    buckets.set(name, bucket.set(writer, sum));
  }
  return buckets;
}

function isEqual(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a?.length === b.length && a.every((byte, i) => byte === b[i]);
}

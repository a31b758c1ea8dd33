/**
 * Rows as the map has them, packed for the thread that puts them into SQLite. A row exists if its entry does. A cell
 * counts unless it is older than its row's entry. Pure, except that it reads the map.
 *
 * The packed form is one record a row: TABLE/KEY (text), then 0 if the row does not exist. If it does: 1, its packed
 * cells (bytes), the number of cells with entries of their own, and for each of those the column (4 bytes), its kind, and
 * the value (bytes). Kinds: 0 a cell, 1 a part of a cell, 2 a large value with its content (bytes), 3 one without.
 */
import type { Bytes } from "../base/bytes.ts";
import { CellWriter, CellReader } from "./cells/pack.ts";
import { mergeSums, readSums, type Sum, totalOf } from "./cells/counter.ts";
import { isLarge, type LargeRef, readLarge } from "./cells/large.ts";
import { packPart, readPart } from "./cells/parts.ts";
import { partKey, partsOfKey, TABLE_ID_CHARS } from "./schema/names.ts";
import type { MapEntry, ReplicatedMap, Version } from "../memory/types.ts";

/** Rows are read from this: the map, or its past. */
export type Followed = Pick<ReplicatedMap, "entry" | "watchKeys"> & {
  entries(prefix: string): IterableIterator<MapEntry>;
};

export interface PackedRow {
  /** TABLE/KEY. */
  readonly name: string;
  readonly table: string;
  /** The primary key as in the map's key. */
  readonly key: string;
  /** Undefined: the row does not exist. */
  readonly row: CellReader | undefined;
  readonly cells: readonly PackedCell[];
}

export interface PackedCell {
  readonly column: number;
  /** Whether it is a part of the cell (parts.ts) and not the whole cell. */
  readonly isPart: boolean;
  readonly bytes: Bytes;
  /** Of a large value (cells/large.ts): its content, if that is here. Undefined: it is none. */
  readonly content: Bytes | "missing" | undefined;
}

export type FindLarge = (row: string, ref: LargeRef) => Bytes | undefined;

export class RowPacker {
  readonly #writer = new CellWriter();
  readonly #find: FindLarge;
  #count = 0;

  /** `find`: the content of a large value, if it is here. */
  constructor(find: FindLarge) {
    this.#find = find;
  }

  get length(): number {
    return this.#writer.length;
  }

  get count(): number {
    return this.#count;
  }

  /** `row`: TABLE/KEY. */
  add(row: string, entry: MapEntry | undefined, cells: readonly MapEntry[]): void {
    const writer = this.#writer;
    const value = entry?.value;
    writer.text(row);
    this.#count++;
    if (entry === undefined || !(value instanceof Uint8Array)) {
      writer.value(0);
      return;
    }
    writer.value(1);
    writer.varint(value.length);
    writer.bytes(value);
    const counted = countedCells(entry, cells);
    writer.varint(counted.length);
    for (const cell of counted) {
      const { column = 0, part } = partsOfKey(cell.key) ?? {};
      writer.uint32(column);
      const isWhole = part === undefined;
      const ref = isWhole ? readLarge(cell.bytes) : undefined;
      const content = ref === undefined ? undefined : this.#find(row, ref);
      writer.value(isWhole ? (isLarge(cell.bytes) ? (content === undefined ? 3 : 2) : 0) : 1);
      writer.varint(cell.bytes.length);
      writer.bytes(cell.bytes);
      if (content === undefined) continue;
      writer.varint(content.length);
      writer.bytes(content);
    }
  }

  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#writer.slice();
    this.#writer.cut(0);
    this.#count = 0;
    return taken;
  }
}

const NONE = new Uint8Array([0]);

/**
 * The cells that are not older than the row, and the parts that belong to it. Of a counter it is one part, whatever the
 * number of entries that have a part of the sum.
 */
export function countedCells(
  { key: row, version }: MapEntry,
  cells: readonly MapEntry[],
): readonly { readonly key: string; readonly bytes: Uint8Array }[] {
  if (cells.length === 0) return [];
  const counted: { key: string; bytes: Uint8Array }[] = [];
  const sums = new Map<number, Map<number, Sum>>();
  for (const { key, value, version: written } of cells) {
    if (!isNotBefore(written, version)) continue;
    const bytes = value instanceof Uint8Array ? value : NONE;
    const { column = 0, part } = partsOfKey(key) ?? {};
    if (part === undefined) {
      counted.push({ key, bytes });
      continue;
    }
    const packed = readSums(bytes);
    const of = (packed ?? readPart(bytes))?.of;
    if (of?.stamp !== version.stamp || of.writer !== version.writer) continue;
    if (packed === undefined) counted.push({ key, bytes });
    else sums.set(column, mergeSums([sums.get(column) ?? new Map(), packed.sums]));
  }
  for (const [column, all] of sums) {
    const bytes = packPart({ of: version, isThere: true, value: totalOf(all) });
    counted.push({ key: partKey(row, column, "0"), bytes });
  }
  return counted;
}

export function* unpackRows(bytes: Uint8Array): Generator<PackedRow, void, undefined> {
  const reader = new CellReader(bytes);
  while (!reader.done) {
    const name = reader.text();
    const table = name.slice(0, TABLE_ID_CHARS);
    const key = name.slice(TABLE_ID_CHARS + 1);
    if (reader.value() === 0) {
      yield { name, table, key, row: undefined, cells: [] };
      continue;
    }
    const row = new CellReader(reader.bytes(reader.varint()));
    const cells: PackedCell[] = [];
    for (let left = reader.varint(); left > 0; left--) {
      const column = reader.uint32();
      const kind = reader.value();
      const packed = reader.bytes(reader.varint());
      const content = kind === 2 ? reader.bytes(reader.varint()) : kind === 3 ? "missing" : undefined;
      cells.push({ column, isPart: kind === 1, bytes: packed, content });
    }
    yield { name, table, key, row, cells };
  }
}

export function isNotBefore(a: Version, b: Version): boolean {
  return a.stamp > b.stamp || (a.stamp === b.stamp && a.writer >= b.writer);
}

/** The newest version of a row's entry and of its cells that count. */
export function newestOf(entry: MapEntry, cells: readonly MapEntry[]): Version {
  let newest = entry.version;
  for (const { version } of cells) if (isNotBefore(version, newest)) newest = version;
  return newest;
}

/** A row's own entry and its cells. */
export function readRow(map: Followed, row: string): { entry: MapEntry | undefined; cells: MapEntry[] } {
  const entry = map.entry(row);
  return { entry, cells: entry === undefined ? [] : [...map.entries(`${row} `)] };
}

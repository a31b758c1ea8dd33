/**
 * Rows as the map has them, packed for the thread that puts them into SQLite. A row is there if its entry is; of its cells
 * those count that are not older than it. Pure, but for reading the map.
 *
 * A run of: TABLE/KEY (text), 0 where there is no row, or 1 and its packed cells (bytes), the number of later cells, and of
 * each the column (4 bytes) and the value (bytes).
 */
import { CellWriter, CellReader } from "./cells/pack.ts";
import { partsOfKey, TABLE_ID_CHARS } from "./schema/names.ts";
import type { MapEntry, ReplicatedMap, Version } from "../memory/types.ts";

export interface PackedRow {
  readonly table: string;
  /** The primary key as in the map's key. */
  readonly key: string;
  /** Undefined: it is not there. */
  readonly row: CellReader | undefined;
  readonly cells: readonly (readonly [number, CellReader])[];
}

export class RowPacker {
  readonly #writer = new CellWriter();
  #count = 0;

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
    const counted = cells.filter((cell) => isNotBefore(cell.version, entry.version));
    writer.varint(counted.length);
    for (const cell of counted) {
      const bytes = cell.value instanceof Uint8Array ? cell.value : NONE;
      writer.uint32(partsOfKey(cell.key)?.column ?? 0);
      writer.varint(bytes.length);
      writer.bytes(bytes);
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

export function* unpackRows(bytes: Uint8Array): Generator<PackedRow, void, undefined> {
  const reader = new CellReader(bytes);
  while (!reader.done) {
    const name = reader.text();
    const table = name.slice(0, TABLE_ID_CHARS);
    const key = name.slice(TABLE_ID_CHARS + 1);
    if (reader.value() === 0) {
      yield { table, key, row: undefined, cells: [] };
      continue;
    }
    const row = new CellReader(reader.bytes(reader.varint()));
    const cells: [number, CellReader][] = [];
    for (let left = reader.varint(); left > 0; left--) {
      const column = reader.uint32();
      cells.push([column, new CellReader(reader.bytes(reader.varint()))]);
    }
    yield { table, key, row, cells };
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
export function readRow(map: ReplicatedMap, row: string): { entry: MapEntry | undefined; cells: MapEntry[] } {
  const entry = map.entry(row);
  return { entry, cells: entry === undefined ? [] : [...map.entries(`${row} `)] };
}

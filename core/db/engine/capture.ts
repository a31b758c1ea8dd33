/**
 * Turns the changes of a transaction into writes of the map. A new row is one entry with all its cells. A change of an
 * existing row is one entry for each cell. A deletion is a deleted row. Several changesets of one transaction (one for
 * each stretch between changes of the schema) are combined into one.
 */
import { assert } from "../../base/assert.ts";
import { StarfishError } from "../../base/errors.ts";
import { CellWriter } from "../cells/pack.ts";
import { elementsOf, minus } from "../cells/parts.ts";
import { CELL_BYTES_MAX, LARGE_TRANSACTION_BYTES_MAX, ROW_BYTES_MAX } from "../limits.ts";
import { cellKey } from "../schema/names.ts";
import type { SqlValue } from "../types.ts";
import { type Cell, type Change, ChangesetReader } from "./changeset.ts";
import type { PackedWrites, PartChange } from "./messages.ts";
import { WritePacker } from "./packed-writes.ts";
import type { IndexColumn, IndexTable } from "./index-table.ts";

interface RowChange {
  readonly key: string;
  readonly table: IndexTable;
  /** Undefined: only cells of it change. */
  row: "new" | "deleted" | undefined;
  /** Where the packed row is, if it is new. An array for each row would take longer than all the rest. */
  readonly from: number;
  readonly to: number;
  /** Whether it was deleted in this transaction. Then the map may have cells of it. */
  readonly isReplaced: boolean;
  /** Most new rows have neither of these, and there may be many rows. */
  cells: Map<number, Uint8Array> | undefined;
  /** For cells that merge by parts: their first values. */
  parts: Map<number, Merged> | undefined;
}

interface Merged {
  readonly merges: "counter" | "set";
  readonly before: SqlValue;
  after: SqlValue;
}

const UNCHANGED = { row: undefined, from: 0, to: 0, isReplaced: false, cells: undefined, parts: undefined } as const;
const NO_CELL: Cell = { value: null, isReal: false };
/** A column's id before its value. */
const COLUMN_BYTES = 4;

export class Capture {
  readonly #rows: RowChange[] = [];
  /** Places in `#rows` by key, for those before `#indexed`. It is made when a row may be there already. */
  readonly #byKey = new Map<string, number>();
  #indexed = 0;
  readonly #writer = new CellWriter();
  /** The new rows, one after the other. */
  readonly #packed = new CellWriter();
  /** Where the cells of the row are that is being read. */
  readonly #places: number[] = [];
  #hasReplaced = false;
  #largeBytes = 0;

  /** Throws "too-large". */
  take(changeset: Uint8Array, tableOf: (name: string) => IndexTable | undefined): void {
    const reader = new ChangesetReader(changeset);
    let name: string | undefined;
    let table: IndexTable | undefined;
    while (reader.next()) {
      // All changes of a table come one after the other.
      if (reader.table !== name) table = tableOf(reader.table);
      name = reader.table;
      if (reader.kind === "insert") {
        reader.cells(this.#places);
        if (table !== undefined) this.#insert(table, reader);
        continue;
      }
      const change = reader.change();
      if (table === undefined) continue;
      if (change.kind === "delete") this.#delete(table, change);
      else this.#update(table, change);
    }
  }

  /** Bytes of the values that are too large for the map. */
  get largeBytes(): number {
    return this.#largeBytes;
  }

  /** The rows and cells that have changed; a row without a column has changed as a whole. */
  *changed(): Generator<readonly [row: string, column: number | undefined], void, undefined> {
    for (const { key, row, cells } of this.#rows) {
      if (row !== undefined) yield [key, undefined];
      else for (const column of cells?.keys() ?? []) yield [key, column];
    }
  }

  get rowCount(): number {
    return this.#rows.length;
  }

  /** The writes, without those of tables that are gone. */
  writes(isThere: (table: string) => boolean): {
    writes: PackedWrites;
    parts: PartChange[];
    replaced: string[];
    rows: string[];
    tables: Set<IndexTable>;
  } {
    const writes = new WritePacker();
    const parts: PartChange[] = [];
    const replaced: string[] = [];
    const rows: string[] = [];
    const tables = new Set<IndexTable>();
    for (const { key, table, row, from, to, isReplaced, cells, parts: merged } of this.#rows) {
      if (!isThere(table.model.id)) continue;
      tables.add(table);
      rows.push(key);
      if (isReplaced) replaced.push(key);
      if (row === "deleted") writes.add(key, undefined);
      else if (row === "new") writes.addPart(key, this.#packed, from, to);
      if (merged !== undefined) {
        for (const [column, change] of merged) parts.push({ row: key, column, ...difference(change) });
      }
      if (cells !== undefined) for (const [column, value] of cells) writes.add(cellKey(key, column), value);
    }
    return { writes: writes.packed(), parts, replaced, rows, tables };
  }

  #insert(table: IndexTable, reader: ChangesetReader): void {
    const places = this.#places;
    const key = table.keyOfNew((at) => reader.cell(places[at] ?? 0));
    let cells: Map<number, Uint8Array> | undefined;
    const writer = this.#packed;
    const start = writer.length;
    for (const column of table.columns) {
      const place = places[column.at];
      assert(place !== undefined, "a new row has all its cells");
      if (column.keyAt > 0 && table.isInKey(column, reader.cell(place) ?? NO_CELL)) continue;
      if (!column.hasDefault && reader.isNull(place)) continue;
      const from = writer.length;
      writer.uint32(column.model.id);
      reader.copy(place, writer);
      const isLarge = this.#isLarge(table, column, writer.length - from - COLUMN_BYTES);
      if (!isLarge && writer.length - start <= ROW_BYTES_MAX) continue;
      // It does not fit into one entry, so it gets an entry of its own, with the same version.
      cells ??= new Map();
      cells.set(column.model.id, writer.slice(from + COLUMN_BYTES));
      writer.cut(from);
    }
    writer.wrap(start);
    // A row that is there already was deleted before. Thousands of others need not be found again.
    const isReplaced = this.#hasReplaced && this.#get(key)?.isReplaced === true;
    const to = writer.length;
    const change: RowChange = { key, table, row: "new", from: start, to, isReplaced, cells, parts: undefined };
    if (this.#hasReplaced) this.#set(change);
    else this.#rows.push(change);
  }

  #get(key: string): RowChange | undefined {
    for (; this.#indexed < this.#rows.length; this.#indexed++) {
      this.#byKey.set(this.#rows[this.#indexed]?.key ?? "", this.#indexed);
    }
    return this.#rows[this.#byKey.get(key) ?? -1];
  }

  /** A row keeps its place. */
  #set(change: RowChange): void {
    const isThere = this.#get(change.key) !== undefined;
    this.#rows[isThere ? (this.#byKey.get(change.key) ?? 0) : this.#rows.length] = change;
  }

  #delete(table: IndexTable, { before }: Change): void {
    const key = table.keyOf(before);
    // A changeset may delete a row and insert another whose key is equal here (by its collation).
    if (table.hasFoldedKey && this.#get(key)?.row === "new") return;
    table.forget(before);
    this.#hasReplaced = true;
    this.#set({ ...UNCHANGED, key, table, row: "deleted", isReplaced: true });
  }

  #update(table: IndexTable, { before, after }: Change): void {
    const key = table.keyOf(before);
    let change = this.#get(key);
    if (change === undefined) {
      change = { ...UNCHANGED, key, table };
      this.#set(change);
    }
    for (const column of table.columns) {
      const cell = after[column.at];
      if (cell === undefined) continue;
      const { id, merges } = column.model;
      // A row that this transaction makes begins with the value that it has.
      if (merges !== "last-writer" && change.row === undefined) {
        change.parts ??= new Map();
        const part = change.parts.get(id);
        if (part === undefined)
          change.parts.set(id, { merges, before: before[column.at]?.value ?? null, after: cell.value });
        else part.after = cell.value;
        continue;
      }
      this.#writer.cut(0);
      if (cell.isReal) this.#writer.real(numberOf(cell.value));
      else this.#writer.value(cell.value);
      this.#isLarge(table, column, this.#writer.length);
      change.cells ??= new Map();
      change.cells.set(column.model.id, this.#writer.slice());
    }
  }

  /** Returns whether a value of that many bytes is too large for the map. */
  #isLarge(table: IndexTable, column: IndexColumn, bytes: number): boolean {
    if (bytes <= CELL_BYTES_MAX) return false;
    // A key is part of the map's keys, and a set is compared by its elements.
    if (column.keyAt > 0 || column.model.merges !== "last-writer") {
      throw new StarfishError(
        "too-large",
        `A value of ${table.model.name}.${column.model.name} has at most ${CELL_BYTES_MAX} bytes, this one ${bytes}`,
      );
    }
    this.#largeBytes += bytes;
    if (this.#largeBytes > LARGE_TRANSACTION_BYTES_MAX) {
      throw new StarfishError(
        "too-large",
        `The values of a transaction that are over ${CELL_BYTES_MAX} bytes have at most ${LARGE_TRANSACTION_BYTES_MAX} ` +
          "bytes together. Nothing was written: do it in several",
      );
    }
    return true;
  }
}

function difference({
  merges,
  before,
  after,
}: {
  readonly merges: "counter" | "set";
  readonly before: SqlValue;
  readonly after: SqlValue;
}): Pick<PartChange, "added" | "elements"> {
  if (merges === "counter") return { added: minus(after, before), elements: [] };
  const [old, now] = [elementsOf(before), elementsOf(after)];
  const gone = [...old].filter(([name]) => !now.has(name)).map(([, json]) => [json, false] as const);
  const come = [...now].filter(([name]) => !old.has(name)).map(([, json]) => [json, true] as const);
  return { added: 0, elements: [...gone, ...come] };
}

function numberOf(value: SqlValue): number {
  assert(typeof value === "number", "a real is a number");
  return value;
}

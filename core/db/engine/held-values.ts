/**
 * Which large values the index has, by row and column: so a row that is read anew does not need its contents anew, which may
 * be out of reach now. And how many bytes these are, since SQLite holds all of them in memory.
 */
import { type Bytes, utf8 } from "../../base/bytes.ts";
import { LARGE_INDEX_BYTES_MAX } from "../limits.ts";
import { packContent, readLarge } from "../cells/large.ts";
import type { PackedCell } from "../rows.ts";
import type { IndexTable } from "./index-table.ts";

interface Held {
  readonly cid: string;
  readonly sizeBytes: number;
}

type ByColumn = Map<number, Held>;

export interface Resolved {
  readonly cells: readonly PackedCell[];
  /** The large ones among them. */
  readonly held: ReadonlyMap<number, Held>;
  /** Why the row can't be in its table now. */
  readonly lacks: string | undefined;
}

export class HeldValues {
  /** By row (TABLE/KEY). */
  readonly #rows = new Map<string, ByColumn>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** The cells with their values; those whose values are missing are left out. */
  resolve(table: Pick<IndexTable, "valueOf">, row: string, key: string, cells: readonly PackedCell[]): Resolved {
    if (cells.every(({ content }) => content === undefined)) return { cells, held: NONE, lacks: undefined };
    const held = new Map<number, Held>();
    const resolved: PackedCell[] = [];
    let lacks: string | undefined;
    for (const cell of cells) {
      if (cell.content === undefined) {
        resolved.push(cell);
        continue;
      }
      const { column, bytes } = cell;
      const ref = readLarge(bytes);
      if (ref === undefined) {
        lacks ??= "It refers to a large value in a form that can't be read";
        continue;
      }
      const value = cell.content === "missing" ? this.#own(table, row, key, column, ref.cid) : cell.content;
      const { cid, sizeBytes, isText } = ref;
      if (value === undefined) lacks ??= `A value of ${sizeBytes} bytes has not come yet (content ${cid})`;
      else {
        held.set(column, { cid, sizeBytes });
        resolved.push({ column, isPart: false, bytes: packContent(isText, value), content: undefined });
      }
    }
    const more = [...held.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) - this.#bytesOf(row);
    if (this.#bytes + more > LARGE_INDEX_BYTES_MAX && more > 0) {
      lacks ??= `This node has room for ${LARGE_INDEX_BYTES_MAX} bytes of large values, and all of it is used`;
    }
    return { cells: resolved, held, lacks };
  }

  set(row: string, held: ReadonlyMap<number, Held>): void {
    this.forget(row);
    if (held.size === 0) return;
    this.#rows.set(row, new Map(held));
    this.#bytes += this.#bytesOf(row);
  }

  add(row: string, column: number, held: Held): void {
    this.set(row, new Map([...(this.#rows.get(row) ?? []), [column, held]]));
  }

  forget(row: string, column?: number): void {
    if (this.#rows.size === 0) return;
    const byColumn = this.#rows.get(row);
    if (byColumn === undefined) return;
    this.#bytes -= this.#bytesOf(row);
    if (column === undefined) byColumn.clear();
    else byColumn.delete(column);
    if (byColumn.size === 0) this.#rows.delete(row);
    this.#bytes += this.#bytesOf(row);
  }

  forgetTable(id: string): void {
    for (const row of this.#rows.keys()) if (row.startsWith(`${id}/`)) this.forget(row);
  }

  #bytesOf(row: string): number {
    let bytes = 0;
    for (const { sizeBytes } of this.#rows.get(row)?.values() ?? []) bytes += sizeBytes;
    return bytes;
  }

  /** The value that the table has, if it is that content. */
  #own(table: Pick<IndexTable, "valueOf">, row: string, key: string, column: number, cid: string): Bytes | undefined {
    if (this.#rows.get(row)?.get(column)?.cid !== cid) return undefined;
    const value = table.valueOf(key, column);
    if (typeof value !== "string") return value instanceof Uint8Array ? value : undefined;
    return utf8(value);
  }
}

const NONE: ReadonlyMap<number, Held> = new Map();

/**
 * The memory that the index may take. If the tables take more, or SQLite has none left, it is known for which table; that one
 * is left out when the index is made again (database.ts).
 */
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import type { Connection } from "./connection.ts";
import type { OpenOptions } from "./messages.ts";

export class Room {
  readonly #connection: Connection;
  /** SQLite's memory, and by how much the rows of each table have made it grow. */
  #heap: number;
  #heapMax = Infinity;
  readonly #grown = new Map<string, number>();
  #tooLarge: ReadonlySet<string> = new Set();
  /** The table for which a call failed. */
  blamed: string | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#heap = connection.memory.byteLength;
  }

  open({ bytesMax, tooLarge }: OpenOptions): void {
    this.#heapMax = this.#heap + bytesMax;
    this.#tooLarge = new Set(tooLarge);
  }

  /** Whether the table's rows are left out. */
  isTooLarge(table: string): boolean {
    return this.#tooLarge.has(table);
  }

  /** Notes which table it is when `work` runs out of memory. */
  blaming<Result>(work: () => Result, table: () => string | undefined): Result {
    try {
      return work();
    } catch (error) {
      if (isStarfishError(error, "out-of-memory")) this.blamed ??= table();
      throw error;
    }
  }

  /** A row of the table has been put into it. Throws "out-of-memory". */
  took(table: string): void {
    const heap = this.#connection.memory.byteLength;
    if (heap === this.#heap) return;
    this.#grown.set(table, (this.#grown.get(table) ?? 0) + heap - this.#heap);
    this.#heap = heap;
    if (heap <= this.#heapMax) return;
    const [largest] = [...this.#grown].toSorted(([, a], [, b]) => b - a);
    this.blamed = largest?.[0];
    throw new StarfishError("out-of-memory", "The tables take more memory than this node has for them");
  }

  /** Throws "full" for a statement that reads a table whose rows are left out. */
  checkReads(reads: ReadonlySet<string>, modelOf: (name: string) => { id: string; name: string } | undefined): void {
    if (this.#tooLarge.size === 0) return;
    for (const read of reads) {
      const model = modelOf(read);
      if (model === undefined || !this.#tooLarge.has(model.id)) continue;
      throw new StarfishError(
        "full",
        `The rows of ${model.name} take more memory than this node has for them; others may have it. Its indexes and ` +
          "generated columns may be the reason: drop them, or the table",
      );
    }
  }
}

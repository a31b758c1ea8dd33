/**
 * The memory that the index may take, and the time that the rows of one table may. If it is more, or SQLite has no memory left,
 * it is known for which table; that one is left out when the index is made again (database.ts).
 */
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import { ROW_MS_MAX, TABLE_MS_MAX } from "../limits.ts";
import type { Connection } from "./connection.ts";
import type { OpenOptions } from "./messages.ts";

export class Room {
  readonly #connection: Pick<Connection, "memory">;
  /** SQLite's memory, and by how much the rows of each table have made it grow. */
  #heap: number;
  #heapMax = Infinity;
  readonly #grown = new Map<string, number>();
  readonly #took = new Map<string, { rows: number; ms: number }>();
  #tooLarge: ReadonlySet<string> = new Set();
  /** The table for which a call failed. */
  blamed: string | undefined;

  constructor(connection: Pick<Connection, "memory">) {
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

  /** A row of the table has been put into it, in that time. Throws "out-of-memory" and "timeout". */
  took(table: string, ms: number): void {
    this.#tookTime(table, ms);
    const heap = this.#connection.memory.byteLength;
    if (heap === this.#heap) return;
    this.#grown.set(table, (this.#grown.get(table) ?? 0) + heap - this.#heap);
    this.#heap = heap;
    if (heap <= this.#heapMax) return;
    const [largest] = [...this.#grown].toSorted(([, a], [, b]) => b - a);
    this.blamed = largest?.[0];
    throw new StarfishError("out-of-memory", "The tables take more memory than this node has for them");
  }

  #tookTime(table: string, ms: number): void {
    let took = this.#took.get(table);
    if (took === undefined) this.#took.set(table, (took = { rows: 0, ms: 0 }));
    took.rows++;
    took.ms += ms;
    if (took.ms <= TABLE_MS_MAX || took.ms <= took.rows * ROW_MS_MAX) return;
    this.blamed = table;
    throw new StarfishError("timeout", "The rows of a table take more time than this node has for them");
  }

  /** Throws "full" for a statement that reads a table whose rows are left out. */
  checkReads(reads: ReadonlySet<string>, modelOf: (name: string) => { id: string; name: string } | undefined): void {
    if (this.#tooLarge.size === 0) return;
    for (const read of reads) {
      const model = modelOf(read);
      if (model === undefined || !this.#tooLarge.has(model.id)) continue;
      throw new StarfishError(
        "full",
        `The rows of ${model.name} take more memory or time than this node has for them; others may have it. Its ` +
          "indexes, checks and generated columns may be the reason: drop them, or the table",
      );
    }
  }
}

/** The messages between the node and the thread that holds SQLite's index. They are sent as structured clones. */
import type { SchemaEntry, SchemaWrite } from "../schema/model.ts";
import type { ColumnInfo, Conflict, SchemaObject, SqlParameters, SqlValue } from "../types.ts";
import type { Failure } from "../sql-error.ts";

/**
 * Writes of the map in one piece, since thousands of small arrays are slow to clone. The value of `keys[i]`, as a byte
 * string of CBOR, is the next `sizes[i]` bytes of `bytes`; -1: the key is deleted. Each key appears once.
 */
export interface PackedWrites {
  readonly keys: readonly string[];
  readonly sizes: Int32Array;
  readonly bytes: Uint8Array;
}

/** A large value that a transaction has written, as content of the disk. */
export interface LargeCell {
  /** In the map, and as row (TABLE/KEY) and column. */
  readonly key: string;
  readonly row: string;
  readonly column: number;
  readonly cid: string;
  readonly sizeBytes: number;
  /** The cell that refers to it. */
  readonly packed: Uint8Array;
}

export interface PartChange {
  readonly row: string;
  readonly column: number;
  /** The number that was added to a counter. */
  readonly added: SqlValue;
  /** Elements of a set, as JSON, each with whether it was added or removed. */
  readonly elements: readonly (readonly [json: string, isThere: boolean])[];
}

/** What a transaction has changed. */
export interface Captured {
  readonly writes: PackedWrites;
  /** Changes of cells that merge by parts. */
  readonly parts: readonly PartChange[];
  /**
   * Keys of deleted rows, including those that were inserted anew since. Their cells are deleted, unless they are among
   * the writes.
   */
  readonly replaced: readonly string[];
  /** Keys of all rows among the writes whose tables have rows that are set aside; these may now come back. */
  readonly unsettled: readonly string[];
  readonly schema: readonly SchemaWrite[];
  /** Tables whose rows are to be deleted, because of DROP TABLE. */
  readonly dropped: readonly string[];
  /** Folded names of the tables that have changed. */
  readonly tables: readonly string[];
}

export interface StatementAnswer {
  readonly columns: readonly ColumnInfo[];
  readonly rows: readonly (readonly SqlValue[])[];
  readonly changes: number;
  /** A cursor for further rows; undefined: there are none. */
  readonly cursor: number | undefined;
  /** Whether the cursor still reads from the tables. Then nobody may write. */
  readonly isOpen: boolean;
  /** Folded names of the tables that were read. */
  readonly reads: readonly string[];
  /** Whether the statement writes. Then it was not run, because it needs a transaction. */
  readonly isWrite: boolean;
  /** Tables of the computer that the statement reads. Then it was not run, because they have to be filled first. */
  readonly needs: readonly string[];
}

export interface PageAnswer {
  readonly rows: readonly (readonly SqlValue[])[];
  readonly isDone: boolean;
  readonly isOpen: boolean;
}

export interface SchemaAnswer {
  /** Ids of tables that were emptied and have to be filled. */
  readonly refill: readonly string[];
  /** Ids and folded names of the existing tables. */
  readonly tables: readonly (readonly [id: string, name: string])[];
  /** Objects that could not be made, with the reasons, for people. */
  readonly problems: readonly string[];
}

export interface StatementCall {
  readonly sql: string;
  readonly parameters: SqlParameters;
  readonly timeoutMs: number;
  /** Whether the tables of the computer that it reads have been filled. */
  readonly isFilled?: boolean;
}

export type Outcome<Value> = { readonly value: Value; readonly error?: undefined } | { readonly error: Failure };

export interface OpenOptions {
  /** What the index may take. */
  readonly bytesMax: number;
  /** Ids of tables whose rows it does not take, because they take too much. */
  readonly tooLarge: readonly string[];
}

/**
 * The calls that the thread serves. A call that writes, applies or changes the schema comes while no other is under
 * way.
 */
export interface IndexCalls {
  open(options?: OpenOptions): void;
  /** The table for which the last call failed, if it is the fault of one: it took too much memory. */
  blamed(): string | undefined;
  /** Makes the tables of the computer, each from its name and its columns' definitions. */
  computer(tables: readonly (readonly [name: string, columns: string])[]): void;
  /** Adds rows to one of these tables. The first call (`isFirst`) replaces the former rows. */
  fill(table: string, rows: readonly (readonly SqlValue[])[], isFirst: boolean): void;
  schema(entries: readonly SchemaEntry[]): SchemaAnswer;
  beginApply(): void;
  /** Applies rows that rows.ts has packed. */
  apply(rows: Uint8Array): void;
  /** Keys of rows whose places depend on each other's versions. Send these rows to `settle`, until there are none. */
  unsettled(): readonly string[];
  /** These rows, each with the stamp and writer of its newest version. */
  settle(rows: Uint8Array, versions: Float64Array): void;
  endApply(): void;
  read(call: StatementCall): StatementAnswer;
  page(cursor: number): PageAnswer;
  close(cursor: number): void;
  begin(): void;
  execute(call: StatementCall): StatementAnswer;
  executeMany(call: StatementCall, rows: readonly SqlParameters[]): void;
  capture(): Captured;
  commit(large: readonly LargeCell[]): void;
  rollback(): void;
  /** Runs statements that are transactions of their own as one transaction. */
  group(calls: readonly StatementCall[]): {
    readonly outcomes: readonly Outcome<StatementAnswer>[];
    readonly captured: Captured;
  };
  objects(): readonly SchemaObject[];
  conflicts(): readonly Conflict[];
  memory(): number;
  serialize(): Uint8Array;
  /** Replaces the shared tables by those of a file, for reading. */
  deserialize(file: Uint8Array): void;
  /** SQLite's own description of the schema. */
  fileObjects(): readonly SchemaObject[];
}

export type CallName = keyof IndexCalls;

export interface CallMessage {
  readonly id: number;
  readonly call: CallName;
  readonly input: readonly unknown[];
}

export interface AnswerMessage {
  readonly id: number;
  readonly outcome: Outcome<unknown>;
}

/** What the node asks of the thread that holds SQLite's index, and what it answers. Structured clones of these travel. */
import type { SchemaEntry, SchemaWrite } from "../schema/model.ts";
import type { ColumnInfo, Conflict, SchemaObject, SqlParameters, SqlValue } from "../types.ts";
import type { Failure } from "../sql-error.ts";

/**
 * Writes of the map, packed together, since thousands of small arrays are slow to clone: the next `sizes[i]` bytes of `bytes`
 * are the value of `keys[i]`; -1: it is deleted. Each key once.
 */
export interface PackedWrites {
  readonly keys: readonly string[];
  readonly sizes: Int32Array;
  readonly bytes: Uint8Array;
}

export interface PartChange {
  readonly row: string;
  readonly column: number;
  /** What was added to a counter. */
  readonly added: SqlValue;
  /** Elements of a set, as JSON, and whether they came or went. */
  readonly elements: readonly (readonly [json: string, isThere: boolean])[];
}

/** What a transaction has changed. */
export interface Captured {
  readonly writes: PackedWrites;
  /** What changed of cells that merge by parts. */
  readonly parts: readonly PartChange[];
  /** Keys of rows that were deleted, also those made anew since: cells of theirs that are not among the writes go. */
  readonly replaced: readonly string[];
  /** Keys of all rows among the writes, where rows are set aside in their tables, which may now come back. */
  readonly unsettled: readonly string[];
  readonly schema: readonly SchemaWrite[];
  /** Tables whose rows go: DROP TABLE. */
  readonly dropped: readonly string[];
  /** Folded names of tables that have changed. */
  readonly tables: readonly string[];
}

export interface StatementAnswer {
  readonly columns: readonly ColumnInfo[];
  readonly rows: readonly (readonly SqlValue[])[];
  readonly changes: number;
  /** Whether there are more rows: `cursor` has them. */
  readonly cursor: number | undefined;
  /** Whether the cursor reads from the tables while it is read from, so that nobody may write. */
  readonly isOpen: boolean;
  /** Folded names of the tables that were read. */
  readonly reads: readonly string[];
  /** It writes, and was not run: it needs a transaction. */
  readonly isWrite: boolean;
  /** Tables of the computer that it reads: it was not run, and they are to be filled first. */
  readonly needs: readonly string[];
}

export interface PageAnswer {
  readonly rows: readonly (readonly SqlValue[])[];
  readonly isDone: boolean;
  readonly isOpen: boolean;
}

export interface SchemaAnswer {
  /** Ids of tables that were made empty and are to be filled. */
  readonly refill: readonly string[];
  /** Ids and folded names of those that are there. */
  readonly tables: readonly (readonly [id: string, name: string])[];
  /** What could not be made, for people. */
  readonly problems: readonly string[];
}

export interface StatementCall {
  readonly sql: string;
  readonly parameters: SqlParameters;
  readonly timeoutMs: number;
  /** The tables of the computer that it reads have been filled. */
  readonly isFilled?: boolean;
}

export type Outcome<Value> = { readonly value: Value; readonly error?: undefined } | { readonly error: Failure };

/** The calls that the thread serves. One that writes, applies or changes the schema comes while no other is under way. */
export interface IndexCalls {
  open(): void;
  /** Makes the tables of the computer, by name and definitions of columns. */
  computer(tables: readonly (readonly [name: string, columns: string])[]): void;
  /** More rows of one of them; the first take the place of those of before. */
  fill(table: string, rows: readonly (readonly SqlValue[])[], isFirst: boolean): void;
  schema(entries: readonly SchemaEntry[]): SchemaAnswer;
  beginApply(): void;
  /** Rows as packed by rows.ts. */
  apply(rows: Uint8Array): void;
  /** Keys of rows whose places depend on each other's versions: they are to be sent to `settle`, until there are none. */
  unsettled(): readonly string[];
  /** Rows of these, and of each the stamp and the writer of its newest version. */
  settle(rows: Uint8Array, versions: Float64Array): void;
  endApply(): void;
  read(call: StatementCall): StatementAnswer;
  page(cursor: number): PageAnswer;
  close(cursor: number): void;
  begin(): void;
  execute(call: StatementCall): StatementAnswer;
  executeMany(call: StatementCall, rows: readonly SqlParameters[]): void;
  capture(): Captured;
  commit(): void;
  rollback(): void;
  /** Statements each of which is a transaction, done as one. */
  group(calls: readonly StatementCall[]): {
    readonly outcomes: readonly Outcome<StatementAnswer>[];
    readonly captured: Captured;
  };
  objects(): readonly SchemaObject[];
  conflicts(): readonly Conflict[];
  memory(): number;
  serialize(): Uint8Array;
  /** Takes a file's tables in place of the shared ones, to be read. */
  deserialize(file: Uint8Array): void;
  /** What SQLite itself says of its schema. */
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

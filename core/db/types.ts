/**
 * The shared database as its users see it: `computer.sql`. Tables are read and written with SQL (SQLite's) on any node,
 * online or cut off, and all nodes converge. The truth is the replicated map `db` (model: docs/database.md); SQLite is
 * an index of it that each node makes for itself when somebody first asks, in a thread of its own.
 *
 *     const rows = await sql<{ name: string }>`SELECT name FROM users WHERE age > ${age}`;
 *     for await (const { name } of sql`SELECT name FROM users`) console.log(name);
 *     await sql.transaction(async (tx) => {
 *       await tx`INSERT INTO notes (text) VALUES (${text})`;
 *       await tx`UPDATE counts SET n = n + 1`;
 *     });
 *     const stop = sql`SELECT count(*) AS n FROM notes`.live().subscribe(({ rows }) => show(rows));
 *
 * A statement by itself is a transaction of its own. It is visible here when its promise resolves, and elsewhere a
 * moment later, whole. Parameters are never text: they are bound. Errors are StarfishErrors, with these codes:
 *
 *     "usage"        the SQL is wrong (syntax, an unknown table or column, parameters that don't fit); the message is
 *                    SQLite's
 *     "constraint"   UNIQUE, NOT NULL, CHECK, FOREIGN KEY or the primary key forbids it; nothing was written
 *     "unsupported"  SQL that a shared database does not take: ATTACH, PRAGMA that writes, virtual tables, TEMP,
 *                    VACUUM, writes to system tables, BEGIN and COMMIT as text (use `transaction` or `begin`)
 *     "too-large"    a value, row, transaction, result or statement is beyond its bound; the message says size, bound
 *                    and what to do
 *     "full"         the database has used up its budget on this node; nothing was written
 *     "clock"        this node's clock can't be brought in line with the others'; it can read
 *     "timeout"      the statement took longer than it may, or a transaction was left open for too long
 *     "cancelled"    the signal said so
 *     "busy"         too much waits already; retryable
 *     "closed"       the computer or this transaction has ended, or the index died over it (then retryable)
 *     "unreachable", "io"   SQLite could not be loaded; retryable
 */
import type { Unsubscribe } from "../base/events.ts";

/**
 * A value as SQLite has it. Integers are numbers if these are exact (below 2^53), else bigints. NaN is NULL. JSON and
 * JSONSET columns are text.
 */
export type SqlValue = null | number | bigint | string | Uint8Array;
/** Values that may be bound: booleans are 0 and 1, undefined is NULL. */
export type SqlParameter = SqlValue | boolean | undefined;
/** By position (`?`), or by name without its sign (`:name`, `$name`, `@name`). */
export type SqlParameters = readonly SqlParameter[] | Readonly<Record<string, SqlParameter>>;
/** A row by its columns' names. If two columns have the same name, the last one counts; `Cursor` has both. */
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** The name of a table or column, in a template: `sql\`SELECT * FROM ${sql.identifier(table)}\``. */
export interface SqlName {
  readonly name: string;
}

export interface QueryOptions {
  /** Ends the statement, also while it runs. */
  readonly signal?: AbortSignal | undefined;
  /** How long it may run, in ms of work; the bound and default is QUERY_MS_MAX. */
  readonly timeoutMs?: number | undefined;
}

/** The answer as rows, and what the statement did. */
export interface SqlResult<Row> {
  readonly rows: readonly Row[];
  /** The columns in their order; none if the statement gives no rows. */
  readonly columns: readonly string[];
  /** Rows inserted, updated or deleted by this statement. */
  readonly changes: number;
}

/**
 * A statement that has not run yet. It runs each time that it is awaited (an array of rows), iterated (rows as a
 * stream) or run by one of its methods. A statement that reads writes nothing, so a reader never blocks others for
 * long.
 */
export interface Query<Row = SqlRow> extends PromiseLike<readonly Row[]>, AsyncIterable<Row> {
  /** The text with `?` in place of the bound values, and these values. */
  readonly text: string;
  readonly parameters: SqlParameters;
  /** All rows at once. "too-large" beyond RESULT_BYTES_MAX: then iterate, or page with LIMIT. */
  run(options?: QueryOptions): Promise<SqlResult<Row>>;
  /** The first row, or undefined. */
  first(options?: QueryOptions): Promise<Row | undefined>;
  /** Rows as arrays, in pages and with backpressure. */
  open(options?: QueryOptions): Promise<Cursor>;
  /** The answer, and each new one. Only for statements that read. */
  live(): LiveQuery<Row>;
  /** SQLite's plan for it, for people: lines of EXPLAIN QUERY PLAN. */
  plan(): Promise<readonly string[]>;
}

export interface ColumnInfo {
  readonly name: string;
  /** The declared type of a table's column ("INTEGER", "UUID"); undefined for an expression. */
  readonly type: string | undefined;
}

/**
 * An answer that is read in pages. A small one shows a single moment, and nobody waits for its reader. A large one
 * (beyond RESULT_BYTES_HELD) keeps writers of this node waiting while it is read. It rejects with "timeout" if its
 * reader pauses for longer than READER_REST_MS while somebody waits. Leaving a `for await` early closes it.
 */
export interface Cursor extends AsyncIterable<readonly (readonly SqlValue[])[]>, AsyncDisposable {
  readonly columns: readonly ColumnInfo[];
  /** Names of the tables that the statement reads, in lower case; also views, and the tables that these read. */
  readonly reads: readonly string[];
  readonly changes: number;
  /** Up to PAGE_ROWS rows, or undefined after the last. */
  next(): Promise<readonly (readonly SqlValue[])[] | undefined>;
}

/** One answer after the other. The fields are functions, so that they can be passed to a UI framework as they are. */
export interface LiveQuery<Row> extends AsyncIterable<Snapshot<Row>> {
  /**
   * Calls the listener with the answer once it is there, and again each time it has changed (compared by value), at
   * most every LIVE_EVERY_MS. The query runs again when a table that it reads has changed, and when the schema has.
   * React: `useSyncExternalStore(live.subscribe, live.current)`. The query runs only while somebody listens.
   */
  readonly subscribe: (listener: (snapshot: Snapshot<Row>) => void) => Unsubscribe;
  /** The newest answer: the same object until it changes. Before the first one it is empty, and `isReady` is false. */
  readonly current: () => Snapshot<Row>;
}

export interface Snapshot<Row> {
  readonly rows: readonly Row[];
  readonly columns: readonly string[];
  readonly isReady: boolean;
  /**
   * Why there is no newer answer: the table was dropped, or the answer is too large. The query is tried again after
   * each change.
   */
  readonly error: Error | undefined;
}

/** Makes statements: the database, or a transaction of it. */
export interface Queries {
  /**
   * A statement as a template. A value in `${}` is bound and never put into the text, except for `sql.identifier(…)`.
   */
  <Row = SqlRow>(text: TemplateStringsArray, ...parameters: readonly (SqlParameter | SqlName)[]): Query<Row>;
  /** One statement as text; a `;` at its end is fine. */
  query<Row = SqlRow>(text: string, parameters?: SqlParameters): Query<Row>;
}

/**
 * A transaction of several statements, which sees its own writes. All other statements of this node wait meanwhile,
 * also those that read. So use the transaction inside it, and not the database, or you wait for yourself. It ends by
 * itself with "timeout" when it is idle for TRANSACTION_IDLE_MS.
 */
export interface Transaction extends Queries, AsyncDisposable {
  /**
   * Makes the writes visible, here at once and elsewhere as a whole. Throws "too-large" (more than
   * TRANSACTION_BYTES_MAX of changed rows), "full", "clock": then none of them happened.
   */
  commit(): Promise<void>;
  /** Happens also when the transaction is disposed of before it was committed. */
  rollback(): Promise<void>;
}

export interface SqlDatabase extends Queries {
  /** A table or column whose name comes from the program: see SqlName. */
  identifier(name: string): SqlName;
  /** Runs `work` and commits, or rolls back if it throws. Returns what `work` returns. */
  transaction<Result>(work: (tx: Transaction) => Promise<Result>, options?: QueryOptions): Promise<Result>;
  /** For callers that can't pass a function, such as an interactive session. Waits for its turn. */
  begin(options?: QueryOptions): Promise<Transaction>;
  /** The tables, views, indexes and triggers that exist here now, by name. */
  schema(): Promise<readonly SchemaObject[]>;
  /** Rows that merging has broken or set aside. */
  conflicts(): Promise<readonly Conflict[]>;
  /**
   * Settles a conflict whose row is set aside, by deleting that row for good. (The other way is to change or delete the
   * row that stands in its way; then this one comes back by itself.)
   */
  discard(conflict: Conflict): Promise<void>;
  /**
   * Inserts rows in transactions as large as possible. Reads `rows` only as fast as they are inserted. Resolves to the
   * number of rows. Rejects as a statement does; the message says how many rows were inserted before.
   */
  insert(
    table: string,
    columns: readonly string[],
    rows: Iterable<readonly SqlParameter[]> | AsyncIterable<readonly SqlParameter[]>,
    options?: QueryOptions,
  ): Promise<number>;
  /** An SQLite file of all tables at one moment, in pieces. */
  export(options?: QueryOptions): AsyncIterable<Uint8Array>;
  /**
   * All tables as they were at an earlier moment (ms since 1970), for reading. It covers one day, as far as this node
   * has seen the changes since it started, and has room to remember them. Rejects with "not-found" for earlier moments,
   * and with "busy" if too many moments are open. Close it after reading.
   */
  at(atMs: number): Promise<SqlFile>;
  /**
   * The versions of a row, by its primary key, the newest first: those that the map still has, and for a day those that
   * this node has seen replaced. A moment without a known change makes no version.
   */
  history(table: string, key: readonly SqlValue[]): Promise<readonly RowVersion[]>;
  /** Reads a SQLite file that is not part of the shared database, in memory and read-only. */
  openFile(file: Uint8Array): Promise<SqlFile>;
  /** Resolves when more than half of the awake members hold what was written here (ReplicatedMap.sync). */
  sync(options?: { readonly signal?: AbortSignal | undefined; readonly timeoutMs?: number | undefined }): Promise<void>;
  /** Called after each change, by this node or others, with the names of the changed tables in lower case. */
  onChange(listener: (tables: ReadonlySet<string>) => void): Unsubscribe;
  stat(): DatabaseStat;
}

/** The tables of a file, or of an earlier moment, which can be read with SQL. */
export interface SqlFile extends Queries, AsyncDisposable {
  schema(): Promise<readonly SchemaObject[]>;
}

export interface SchemaObject {
  readonly kind: "table" | "view" | "index" | "trigger";
  readonly name: string;
  /** The table to which an index or trigger belongs. */
  readonly table: string | undefined;
  /** The statement that makes it, as a person would write it. */
  readonly sql: string;
  /** For tables and views. */
  readonly columns: readonly ColumnDetail[];
  /** Whether it is a part of the computer (`members`, `files`, …), which can be read but not written. */
  readonly isOfComputer: boolean;
}

export interface ColumnDetail extends ColumnInfo {
  readonly isNotNull: boolean;
  /** Its position in the primary key, from 1; 0: it is not part of it. */
  readonly primaryKeyAt: number;
  /** The default as SQL. */
  readonly default: string | undefined;
  /** How concurrent changes of the column merge. */
  readonly merges: "last-writer" | "counter" | "set";
}

/**
 * - "unique": the row has a value that must be unique and that a row written later has too. It is set aside (not in its
 *   table) until the other row goes or changes.
 * - "not-null": the row lacks a value that its table demands (two nodes changed the schema at once). Set aside.
 * - "check": the row breaks a CHECK since its columns were changed by several nodes at once. It is in its table.
 * - "foreign-key": the row refers to a row that is not there. It is in its table.
 * - "content": the row has a value over 32 KiB whose content is not here (yet), or for which this node has no room. Set
 *   aside; it comes by itself when the content does.
 * - "malformed": a member wrote what is no row of this table. Set aside.
 */
export type ConflictKind = "unique" | "not-null" | "check" | "foreign-key" | "content" | "malformed";

export interface Conflict {
  readonly kind: ConflictKind;
  readonly table: string;
  /** Identifies the row within its table; as text, for `discard`. */
  readonly key: string;
  /** The row's columns, as far as they can be read. */
  readonly row: SqlRow;
  /** For people: which rule is broken, and which row stands in the way. */
  readonly reason: string;
}

export interface RowVersion {
  /** Since when the row had this state; ms since 1970. */
  readonly sinceMs: number;
  /** Without columns that the row had no value for. Undefined: it was deleted. */
  readonly row: SqlRow | undefined;
}

export interface DatabaseStat {
  /** "none": nobody has asked yet; "loading": SQLite is being fetched, or filled from the map. */
  readonly index: "none" | "loading" | "ready" | "failed";
  /** The rows and single cells in the map, and the bytes that count towards its budget. */
  readonly entries: number;
  readonly bytes: number;
  readonly bytesMax: number;
  readonly tables: number;
  /** Changes of the map that the index does not show yet. */
  readonly behind: number;
  /** The memory of SQLite's index, in bytes. */
  readonly indexBytes: number;
  /** How often the index was made anew after a loss. */
  readonly rebuilt: number;
  /** The number of entries with impossible values. */
  readonly setAside: number;
  /** Large values whose contents are not here yet. */
  readonly missing: number;
  /** The number of tables whose rows take more memory than this node has for the index. */
  readonly tooLarge: number;
}

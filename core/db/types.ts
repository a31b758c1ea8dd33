/**
 * The shared database as its users see it: `computer.sql`. Tables are read and written with SQL (SQLite's) on any node,
 * online or cut off, and all nodes converge. The truth is the replicated map `db` (model: docs/database.md); SQLite is an
 * index of it that each node makes for itself when somebody first asks, in a thread of its own.
 *
 *     const rows = await sql<{ name: string }>`SELECT name FROM users WHERE age > ${age}`;
 *     for await (const { name } of sql`SELECT name FROM users`) console.log(name);
 *     await sql.transaction(async (tx) => {
 *       await tx`INSERT INTO notes (text) VALUES (${text})`;
 *       await tx`UPDATE counts SET n = n + 1`;
 *     });
 *     const stop = sql`SELECT count(*) AS n FROM notes`.live().subscribe(({ rows }) => show(rows));
 *
 * A statement by itself is a transaction of its own. It is visible here when its promise resolves, and elsewhere a moment
 * later, whole. Parameters are never text: they are bound. Errors are StarfishErrors, with these codes:
 *
 *     "usage"        the SQL is wrong (syntax, an unknown table or column, parameters that don't fit); the message is SQLite's
 *     "constraint"   UNIQUE, NOT NULL, CHECK, FOREIGN KEY or the primary key forbids it; nothing was written
 *     "unsupported"  SQL that a shared database does not take: ATTACH, PRAGMA that writes, virtual tables, TEMP, VACUUM,
 *                    writes to system tables, BEGIN and COMMIT as text (use `transaction` or `begin`)
 *     "too-large"    a value, row, transaction, result or statement is beyond its bound; says size, bound and what to do
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
 * A value as SQLite has it. Integers are numbers where they are exact (below 2^53), else bigints. NaN is NULL. JSON and JSONSET
 * columns are text.
 */
export type SqlValue = null | number | bigint | string | Uint8Array;
/** What may be bound: booleans are 0 and 1, undefined is NULL. */
export type SqlParameter = SqlValue | boolean | undefined;
/** By position (`?`), or by name without its sign (`:name`, `$name`, `@name`). */
export type SqlParameters = readonly SqlParameter[] | Readonly<Record<string, SqlParameter>>;
/** A row by its columns' names. Of two columns with one name the last counts; `Cursor` has both. */
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** The name of a table or column, in a template: `sql\`SELECT * FROM ${sql.identifier(table)}\``. */
export interface SqlName {
  readonly name: string;
}

export interface QueryOptions {
  /** Ends it, also while it runs. */
  readonly signal?: AbortSignal | undefined;
  /** How long it may run, in ms of work; the bound and default is QUERY_MS_MAX. */
  readonly timeoutMs?: number | undefined;
}

/** The answer as rows, and what the statement did. */
export interface SqlResult<Row> {
  readonly rows: readonly Row[];
  /** Columns in their order; none where the statement gives no rows. */
  readonly columns: readonly string[];
  /** Rows inserted, updated or deleted by this statement. */
  readonly changes: number;
}

/**
 * A statement that has not run yet. It runs each time that it is awaited (the array of rows), iterated (rows as a stream)
 * or asked by one of its methods. Reading writes nothing, so a reader is never in anybody's way for long.
 */
export interface Query<Row = SqlRow> extends PromiseLike<readonly Row[]>, AsyncIterable<Row> {
  /** The text with `?` in place of what is bound, and that. */
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
  /** SQLite's plan of it, for people: lines of EXPLAIN QUERY PLAN. */
  plan(): Promise<readonly string[]>;
}

export interface ColumnInfo {
  readonly name: string;
  /** As it was declared, for a column of a table ("INTEGER", "UUID"); undefined for an expression. */
  readonly type: string | undefined;
}

/**
 * An answer that is read in pages. What is small is of one moment, and nobody waits for its reader. A large one (beyond
 * RESULT_BYTES_HELD) keeps writers of this node waiting while it is read, and rejects with "timeout" when its reader rests
 * for longer than READER_REST_MS while somebody waits. Leaving a `for await` early closes it.
 */
export interface Cursor extends AsyncIterable<readonly (readonly SqlValue[])[]>, AsyncDisposable {
  readonly columns: readonly ColumnInfo[];
  /** Names of the tables that the statement reads, in small letters: views too, and what these read. */
  readonly reads: readonly string[];
  readonly changes: number;
  /** Up to PAGE_ROWS rows, or undefined after the last. */
  next(): Promise<readonly (readonly SqlValue[])[] | undefined>;
}

/** Answers one after the other. Fields are functions, so that they can be handed to a UI framework as they are. */
export interface LiveQuery<Row> extends AsyncIterable<Snapshot<Row>> {
  /**
   * Called with the answer once it is there, and again each time it has changed (compared by value), at most every
   * LIVE_EVERY_MS. It is asked again when a table that it reads has changed, and when the schema has. React: `useSyncExternalStore(live.subscribe, live.current)`. The query runs while somebody listens.
   */
  readonly subscribe: (listener: (snapshot: Snapshot<Row>) => void) => Unsubscribe;
  /** The newest answer: the same object until it changes. Before the first one it is empty and `isReady` is false. */
  readonly current: () => Snapshot<Row>;
}

export interface Snapshot<Row> {
  readonly rows: readonly Row[];
  readonly columns: readonly string[];
  readonly isReady: boolean;
  /** Why there is no newer answer: the table was dropped, the answer is too large. It goes on trying as things change. */
  readonly error: Error | undefined;
}

/** What a statement can be made with: the database, or a transaction of it. */
export interface Queries {
  /** A statement as a template: what stands in `${}` is bound, never put into the text, but for `sql.identifier(…)`. */
  <Row = SqlRow>(text: TemplateStringsArray, ...parameters: readonly (SqlParameter | SqlName)[]): Query<Row>;
  /** One statement as text; a `;` at its end is fine. */
  query<Row = SqlRow>(text: string, parameters?: SqlParameters): Query<Row>;
}

/**
 * A transaction of several statements, which sees its own writes. All other statements of this node wait meanwhile, those
 * that read too: inside, use the transaction and not the database, or you wait for yourself. It ends by itself with
 * "timeout" when it is left idle for TRANSACTION_IDLE_MS.
 */
export interface Transaction extends Queries, AsyncDisposable {
  /**
   * Makes it visible, here at once and elsewhere as a whole. Throws "too-large" (more than TRANSACTION_BYTES_MAX of changed
   * rows), "full", "clock": then nothing of it happened.
   */
  commit(): Promise<void>;
  /** Also when it is disposed of before it was committed. */
  rollback(): Promise<void>;
}

export interface SqlDatabase extends Queries {
  /** A table or column whose name a program has: see SqlName. */
  identifier(name: string): SqlName;
  /** Runs `work` and commits, or rolls back if it throws. What `work` returns is returned. */
  transaction<Result>(work: (tx: Transaction) => Promise<Result>, options?: QueryOptions): Promise<Result>;
  /** For where a function can't be handed in, such as an interactive session. Waits for its turn. */
  begin(options?: QueryOptions): Promise<Transaction>;
  /** Tables, views, indexes and triggers as they are here now, by name. */
  schema(): Promise<readonly SchemaObject[]>;
  /** What merging has broken, and what is set aside for it. */
  conflicts(): Promise<readonly Conflict[]>;
  /**
   * Settles a conflict whose row is set aside: removes that row for good. (The other way to settle one is to change or
   * delete the row that stands in its way; then this one comes back by itself.)
   */
  discard(conflict: Conflict): Promise<void>;
  /**
   * Inserts rows in transactions as large as they may be, reading `rows` only as fast as they are taken. Resolves to how many
   * there were; rejects as a statement does, and says in the message how many rows before stay.
   */
  insert(
    table: string,
    columns: readonly string[],
    rows: Iterable<readonly SqlParameter[]> | AsyncIterable<readonly SqlParameter[]>,
    options?: QueryOptions,
  ): Promise<number>;
  /** A real SQLite file of all tables, as of one moment, in pieces. */
  export(options?: QueryOptions): AsyncIterable<Uint8Array>;
  /**
   * All tables as they were at an earlier moment (ms since 1970), to be read: for a day, as far as this node has seen it since
   * it started, and has room to remember it. Rejects with "not-found" for what lies before that, and "busy" where too many
   * such moments are open: close it when it was read.
   */
  at(atMs: number): Promise<SqlFile>;
  /**
   * What a row was, by its primary key, the newest first: as far as the map still has it, and for a day what this node has
   * seen replaced. A time at which nothing is known to have changed is no version.
   */
  history(table: string, key: readonly SqlValue[]): Promise<readonly RowVersion[]>;
  /** Reads a SQLite file that is no part of the shared database: in memory, and read-only. */
  openFile(file: Uint8Array): Promise<SqlFile>;
  /** Resolves when more than half of the awake members hold what was written here (ReplicatedMap.sync). */
  sync(options?: { readonly signal?: AbortSignal | undefined; readonly timeoutMs?: number | undefined }): Promise<void>;
  /** Called after each change of the tables named (lower case), of this node or others. */
  onChange(listener: (tables: ReadonlySet<string>) => void): Unsubscribe;
  stat(): DatabaseStat;
}

/** Tables of a file, or of an earlier moment: to read with SQL. */
export interface SqlFile extends Queries, AsyncDisposable {
  schema(): Promise<readonly SchemaObject[]>;
}

export interface SchemaObject {
  readonly kind: "table" | "view" | "index" | "trigger";
  readonly name: string;
  /** The table that an index or trigger belongs to. */
  readonly table: string | undefined;
  /** The statement that makes it, as a person would write it. */
  readonly sql: string;
  /** Of tables and views. */
  readonly columns: readonly ColumnDetail[];
  /** Whether it is a part of the computer (`members`, `files`, …), to be read and not written. */
  readonly isOfComputer: boolean;
}

export interface ColumnDetail extends ColumnInfo {
  readonly isNotNull: boolean;
  /** Its place in the primary key, from 1; 0: not in it. */
  readonly primaryKeyAt: number;
  /** The default as SQL. */
  readonly default: string | undefined;
  /** How concurrent changes of it merge. */
  readonly merges: "last-writer" | "counter" | "set";
}

/**
 * - "unique": the row has a value that must be unique and that a row written later has too. It is set aside (not in its
 *   table) until the other row goes or changes.
 * - "not-null": the row lacks a value that its table demands (two nodes changed the schema at once). Set aside.
 * - "check": the row breaks a CHECK since its columns were changed by several nodes at once. It is in its table.
 * - "foreign-key": the row refers to a row that is not there. It is in its table.
 * - "malformed": a member wrote what is no row of this table. Set aside.
 */
export type ConflictKind = "unique" | "not-null" | "check" | "foreign-key" | "malformed";

export interface Conflict {
  readonly kind: ConflictKind;
  readonly table: string;
  /** Names the row among those of its table; as text, for `discard`. */
  readonly key: string;
  /** The row's columns as far as they can be read. */
  readonly row: SqlRow;
  /** For people: which rule, and which row stands in the way. */
  readonly reason: string;
}

export interface RowVersion {
  /** From when on it was so; ms since 1970. */
  readonly sinceMs: number;
  /** Without columns that it said nothing of. Undefined: it was deleted. */
  readonly row: SqlRow | undefined;
}

export interface DatabaseStat {
  /** "none": nobody has asked yet; "loading": SQLite is fetched, or filled from the map. */
  readonly index: "none" | "loading" | "ready" | "failed";
  /** Rows and single cells in the map, and the bytes that count against its budget. */
  readonly entries: number;
  readonly bytes: number;
  readonly bytesMax: number;
  readonly tables: number;
  /** Changes of the map that the index does not show yet. */
  readonly behind: number;
  /** Memory of SQLite's index, in bytes. */
  readonly indexBytes: number;
  /** How often the index was made anew after it was lost. */
  readonly rebuilt: number;
  /** Entries that say what can't be. */
  readonly setAside: number;
}

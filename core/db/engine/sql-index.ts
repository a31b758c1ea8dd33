/**
 * SQLite's index of the shared database, as it runs in the thread. It does not know the map: it takes rows and schema
 * entries, and reports what transactions changed. The caller (index-client.ts) makes sure that calls that write, apply
 * or change the schema come while nothing else is under way.
 */
import { assert } from "../../base/assert.ts";
import { isStarfishError, StarfishError, toStarfishError } from "../../base/errors.ts";
import {
  CELL_BYTES_MAX,
  LARGE_INDEX_BYTES_MAX,
  PAGE_BYTES,
  PAGE_ROWS,
  PROGRESS_STEPS,
  RESULT_BYTES_HELD,
} from "../limits.ts";
import { failureOf } from "../sql-error.ts";
import { unpackRows } from "../rows.ts";
import { readSchema, type SchemaEntry, type SchemaModel, type SchemaWrite } from "../schema/model.ts";
import { folded } from "../schema/names.ts";
import { quoted } from "../schema/tokens.ts";
import type { ColumnInfo, Conflict, SchemaObject, SqlParameters, SqlValue } from "../types.ts";
import { Applier } from "./applier.ts";
import { Capture } from "./capture.ts";
import { Connection, type Recording } from "./connection.ts";
import { describe, describeFile } from "./describe.ts";
import type { IndexTable, KeySource } from "./index-table.ts";
import type {
  Captured,
  IndexCalls,
  LargeCell,
  OpenOptions,
  Outcome,
  PageAnswer,
  SchemaAnswer,
  StatementAnswer,
  StatementCall,
} from "./messages.ts";
import { Room } from "./room.ts";
import { SchemaChange } from "./schema-change.ts";
import { SchemaMaker } from "./schema-maker.ts";
import { DB_ENABLE_FKEY, DB_ENABLE_TRIGGER, INNOCUOUS, type Sqlite, UTF8 } from "./sqlite.ts";
import { type Prepared, Statements } from "./statements.ts";
import { Uuids } from "./uuid.ts";

export interface IndexPlatform extends KeySource {
  readonly sqlite: Sqlite;
  /** Milliseconds from an arbitrary start, to measure how long statements take. */
  readonly monotonic: () => number;
  /** Whether the running statement has to end. */
  readonly isInterrupted: () => boolean;
}

const NOT_RUN: StatementAnswer = {
  columns: [],
  rows: [],
  changes: 0,
  cursor: undefined,
  isOpen: false,
  reads: [],
  isWrite: true,
  needs: [],
};

interface OpenCursor {
  readonly sql: string;
  readonly timeoutMs: number;
  prepared: Prepared | undefined;
  /** Rows that were read ahead; those from `at` on are still held. */
  held: SqlValue[][];
  at: number;
}

interface Writing {
  readonly capture: Capture;
  recording: Recording | undefined;
  readonly restore: () => void;
  readonly model: SchemaModel;
  readonly schema: Map<string, SchemaWrite>;
  readonly dropped: Set<string>;
  readonly changedTables: Set<string>;
}

export class SqlIndex implements IndexCalls {
  readonly #platform: IndexPlatform;
  readonly #connection: Connection;
  readonly #statements: Statements;
  readonly #maker: SchemaMaker;
  readonly #applier: Applier;
  readonly #cursors = new Map<number, OpenCursor>();
  #cursorId = 0;
  #ofComputer: readonly string[] = [];
  #entries = new Map<string, SchemaEntry>();
  #model: SchemaModel = readSchema([]);
  #problems: ReadonlyMap<string, string> = new Map();
  #writing: Writing | undefined;
  #deadline = Number.POSITIVE_INFINITY;
  #isTimedOut = false;
  readonly #room: Room;

  constructor(platform: IndexPlatform) {
    this.#platform = platform;
    const connection = new Connection(platform.sqlite);
    this.#connection = connection;
    this.#room = new Room(connection);
    this.#statements = new Statements(connection);
    this.#maker = new SchemaMaker(connection, this.#statements, platform);
    this.#applier = new Applier(connection, this.#maker);
    connection.run("PRAGMA legacy_alter_table = ON");
    connection.configure(DB_ENABLE_FKEY, true);
    const { capi } = platform.sqlite;
    const uuids = new Uuids(platform.now, platform.random);
    const make = (): string => uuids.next();
    capi.sqlite3_create_function(connection.db, "uuid7", 0, UTF8 | INNOCUOUS, 0, make, 0, 0);
    capi.sqlite3_progress_handler(connection.db, PROGRESS_STEPS, () => (this.#mustEnd() ? 1 : 0), 0);
  }

  open(options?: OpenOptions): void {
    if (options !== undefined) this.#room.open(options);
  }

  blamed(): string | undefined {
    return this.#room.blamed;
  }

  // The computer's own tables

  computer(tables: readonly (readonly [name: string, columns: string])[]): void {
    for (const [name, columns] of tables) this.#connection.run(`CREATE TEMP TABLE ${quoted(name)} (${columns})`);
    this.#ofComputer = tables.map(([name]) => name);
  }

  fill(table: string, rows: readonly (readonly SqlValue[])[], isFirst: boolean): void {
    if (isFirst) this.#connection.run(`DELETE FROM temp.${quoted(table)}`);
    const [first] = rows;
    if (first === undefined) return;
    const places = first.map(() => "?").join(", ");
    const statement = this.#connection.prepare(`INSERT INTO temp.${quoted(table)} VALUES (${places})`);
    try {
      for (const row of rows) {
        statement.bindAll(row);
        while (statement.step());
        statement.reset();
      }
    } finally {
      statement.finalize();
    }
  }

  // Following the map

  schema(entries: readonly SchemaEntry[]): SchemaAnswer {
    this.#entries = new Map(entries.map((entry) => [entry.key, entry]));
    this.#model = readSchema(entries);
    this.#maker.making = undefined;
    const made = this.#room.blaming(
      () => this.#quietly(() => this.#maker.make(this.#model, { mayEmpty: true })),
      () => this.#maker.making,
    );
    this.#problems = made.problems;
    for (const id of made.refill) this.#applier.forget(id);
    this.#applier.schemaChanged();
    return {
      refill: made.refill,
      tables: [...this.#maker.tables].map(({ model }) => [model.id, folded(model.name)] as const),
      problems: [...made.problems].map(([name, problem]) => `${name}: ${problem}`),
    };
  }

  beginApply(): void {
    this.#connection.configure(DB_ENABLE_FKEY, false);
    this.#connection.configure(DB_ENABLE_TRIGGER, false);
    this.#connection.run("BEGIN");
  }

  apply(rows: Uint8Array): void {
    let table: string | undefined;
    this.#room.blaming(
      () => {
        for (const row of unpackRows(rows)) {
          if (this.#room.isTooLarge(row.table)) continue;
          table = row.table;
          const beganMs = this.#platform.monotonic();
          this.#applier.take(row);
          this.#room.took(table, this.#platform.monotonic() - beganMs);
        }
      },
      () => table,
    );
  }

  unsettled(): readonly string[] {
    return this.#applier.unsettled();
  }

  settle(rows: Uint8Array, versions: Float64Array): void {
    this.#applier.settle(unpackRows(rows), (at) => ({
      stamp: versions[2 * at] ?? 0,
      writer: versions[2 * at + 1] ?? 0,
    }));
  }

  endApply(): void {
    this.#connection.run("COMMIT");
    this.#connection.configure(DB_ENABLE_FKEY, true);
    this.#connection.configure(DB_ENABLE_TRIGGER, true);
  }

  /** Runs `work` in a transaction without foreign keys and triggers. */
  #quietly<Result>(work: () => Result): Result {
    this.beginApply();
    const result = work();
    this.endApply();
    return result;
  }

  // Reading

  read(call: StatementCall): StatementAnswer {
    const prepared = this.#take(call);
    if (this.#isToBeFilled(call, prepared)) return this.#needing(call, prepared);
    if (prepared.statement.isReadOnly) return this.#answer(call, prepared, true);
    this.#statements.release(call.sql, prepared);
    return NOT_RUN;
  }

  #take({ sql, parameters }: StatementCall): Prepared {
    const prepared = this.#statements.take(sql, parameters);
    try {
      this.#room.checkReads(prepared.judge.reads, (name) => this.#maker.named(name)?.model);
      return prepared;
    } catch (error) {
      this.#statements.release(sql, prepared);
      throw error;
    }
  }

  page(id: number): PageAnswer {
    const cursor = this.#cursors.get(id);
    if (cursor === undefined) return { rows: [], isDone: true, isOpen: false };
    try {
      if (cursor.at >= cursor.held.length && cursor.prepared !== undefined) this.#readAhead(cursor, PAGE_BYTES);
      const rows = this.#pageOf(cursor);
      const isDone = cursor.at >= cursor.held.length && cursor.prepared === undefined;
      if (isDone) this.#cursors.delete(id);
      return { rows, isDone, isOpen: cursor.prepared !== undefined };
    } catch (error) {
      this.close(id);
      throw error;
    }
  }

  close(id: number): void {
    const cursor = this.#cursors.get(id);
    if (cursor === undefined) return;
    this.#cursors.delete(id);
    this.#endStatement(cursor);
  }

  // Writing

  begin(): void {
    assert(this.#writing === undefined, "one transaction at a time");
    this.#connection.run("BEGIN");
    this.#writing = {
      capture: new Capture(),
      recording: undefined,
      restore: this.#maker.state(),
      model: this.#model,
      schema: new Map(),
      dropped: new Set(),
      changedTables: new Set(),
    };
  }

  execute(call: StatementCall): StatementAnswer {
    const writing = this.#open();
    const prepared = this.#take(call);
    if (this.#isToBeFilled(call, prepared)) return this.#needing(call, prepared);
    if (prepared.statement.isReadOnly) return this.#answer(call, prepared, false);
    if (prepared.judge.isSchemaChange) {
      this.#statements.release(call.sql, prepared);
      this.#changeSchema(writing, call);
      return NOT_RUN;
    }
    writing.recording ??= this.#connection.record();
    return { ...this.#answer(call, prepared, false), isWrite: true };
  }

  executeMany(call: StatementCall, rows: readonly SqlParameters[]): void {
    for (const parameters of rows) this.execute({ ...call, parameters });
  }

  capture(): Captured {
    const writing = this.#open();
    if (!this.#connection.isInTransaction) {
      throw new StarfishError(
        "closed",
        "The transaction was rolled back by a statement of its own (ON CONFLICT ROLLBACK)",
      );
    }
    this.#takeChanges(writing);
    if (
      writing.capture.largeBytes > 0 &&
      writing.capture.largeBytes + this.#applier.held.bytes > LARGE_INDEX_BYTES_MAX
    ) {
      throw new StarfishError(
        "full",
        `Values of over ${CELL_BYTES_MAX} bytes have ${LARGE_INDEX_BYTES_MAX} bytes on a node, and they are used. ` +
          "Nothing was written: keep them as files, and their paths in the table",
      );
    }
    const { writes, parts, replaced, rows, tables } = writing.capture.writes(
      (id) => this.#maker.withId(id) !== undefined,
    );
    const names = [...tables].map(({ model }) => folded(model.name));
    const hasSetAside = [...tables].some(({ model }) => this.#applier.hasSetAside(model.id));
    return {
      writes,
      parts,
      replaced,
      unsettled: hasSetAside ? rows : [],
      schema: [...writing.schema.values()],
      dropped: [...writing.dropped],
      tables: [...new Set([...names, ...writing.changedTables])],
    };
  }

  commit(large: readonly LargeCell[]): void {
    const { schema, capture } = this.#open();
    if (this.#connection.isInTransaction) this.#connection.run("COMMIT");
    this.#writing = undefined;
    const { held } = this.#applier;
    if (held.bytes > 0) for (const [row, column] of capture.changed()) held.forget(row, column);
    for (const { row, column, cid, sizeBytes } of large) held.add(row, column, { cid, sizeBytes });
    // The stamp orders objects only if there are too many; the true one comes with the map's schema.
    for (const { key, value } of schema.values())
      this.#entries.set(key, { key, value, stamp: this.#platform.now() * 2048 });
  }

  rollback(): void {
    const writing = this.#writing;
    if (writing === undefined) return;
    this.#writing = undefined;
    writing.recording?.end();
    if (this.#connection.isInTransaction) this.#connection.run("ROLLBACK");
    if (writing.schema.size === 0) return;
    this.#statements.forget();
    writing.restore();
    this.#model = writing.model;
  }

  group(calls: readonly StatementCall[]): { outcomes: Outcome<StatementAnswer>[]; captured: Captured } {
    this.begin();
    const outcomes: Outcome<StatementAnswer>[] = [];
    for (const call of calls) {
      if (calls.length > 1) this.#connection.run("SAVEPOINT one");
      try {
        outcomes.push({ value: this.execute(call) });
      } catch (error) {
        if (!(error instanceof StarfishError)) throw error;
        outcomes.push({ error: failureOf(error) });
        // SQLite may have ended the transaction because of it (ON CONFLICT ROLLBACK). Then each statement has to be run
        // by itself.
        if (!this.#connection.isInTransaction && calls.length > 1) throw new StarfishError("closed", error.message);
        if (calls.length > 1) this.#connection.run("ROLLBACK TO one");
      }
      if (calls.length > 1) this.#connection.run("RELEASE one");
    }
    return { outcomes, captured: this.capture() };
  }

  // Asking

  objects(): readonly SchemaObject[] {
    return describe(this.#connection, this.#maker, this.#ofComputer);
  }

  conflicts(): readonly Conflict[] {
    return this.#applier.conflicts();
  }

  memory(): number {
    return this.#connection.memory.byteLength;
  }

  serialize(): Uint8Array {
    return this.#connection.serialize();
  }

  deserialize(file: Uint8Array): void {
    this.#connection.deserialize(file);
    // This fails if it is not a database.
    this.#connection.all("SELECT count(*) FROM sqlite_schema");
  }

  fileObjects(): readonly SchemaObject[] {
    return describeFile(this.#connection);
  }

  #open(): Writing {
    if (this.#writing === undefined) throw new StarfishError("closed", "The transaction has ended");
    return this.#writing;
  }

  #takeChanges(writing: Writing): void {
    const { recording } = writing;
    if (recording === undefined) return;
    writing.recording = undefined;
    try {
      const tableOf = (name: string): IndexTable | undefined => this.#maker.named(name);
      const changeset = recording.changeset();
      recording.end();
      writing.capture.take(changeset, tableOf);
    } catch (error) {
      throw toStarfishError(error, "io");
    }
  }

  #changeSchema(writing: Writing, call: StatementCall): void {
    this.#takeChanges(writing);
    const change = new SchemaChange(this.#connection, this.#statements, this.#model, this.#maker);
    const { writes, dropped, tables, fill } = change.learn(call.sql);
    for (const write of writes) writing.schema.set(write.key, write);
    for (const id of dropped) writing.dropped.add(id);
    for (const name of tables) writing.changedTables.add(name);
    const stamp = this.#platform.now() * 2048;
    const overlay = [...writing.schema.values()].map(({ key, value }) => ({ key, value, stamp }));
    const entries = new Map([...this.#entries, ...overlay.map((entry) => [entry.key, entry] as const)]);
    this.#model = readSchema(entries.values());
    // Rows that came before this column have its values when the map's schema is taken in, after the transaction.
    const made = this.#maker.make(this.#model, { mayEmpty: false });
    for (const [name, problem] of made.problems) {
      if (!this.#problems.has(name)) throw new StarfishError("unsupported", problem);
    }
    if (fill !== undefined) this.execute({ ...call, sql: fill });
  }

  /** Runs a statement until its answer is complete, or as much of it as is held. */
  #answer(call: StatementCall, prepared: Prepared, mayPage: boolean): StatementAnswer {
    const { sql, timeoutMs } = call;
    const { statement, judge } = prepared;
    const columns: ColumnInfo[] = statement.columns();
    const cursor: OpenCursor = { sql, timeoutMs, prepared, held: [], at: 0 };
    const before = this.#connection.totalChanges;
    try {
      this.#readAhead(cursor, RESULT_BYTES_HELD);
      if (!mayPage && cursor.prepared !== undefined) {
        throw new StarfishError(
          "too-large",
          `The answer of a statement within a transaction has at most ${RESULT_BYTES_HELD} bytes: use LIMIT`,
        );
      }
    } catch (error) {
      this.#endStatement(cursor);
      throw error;
    }
    const hasChanged = this.#connection.totalChanges !== before;
    const rows = mayPage ? this.#pageOf(cursor) : cursor.held;
    const isDone = !mayPage || (cursor.prepared === undefined && cursor.at >= cursor.held.length);
    const id = isDone ? undefined : ++this.#cursorId;
    if (id !== undefined) this.#cursors.set(id, cursor);
    return {
      columns,
      rows,
      changes: hasChanged ? this.#connection.changes : 0,
      cursor: id,
      isOpen: cursor.prepared !== undefined,
      reads: [...judge.reads, ...judge.readsOfComputer],
      isWrite: false,
      needs: [],
    };
  }

  #isToBeFilled({ isFilled }: StatementCall, { judge }: Prepared): boolean {
    return judge.readsOfComputer.size > 0 && isFilled !== true;
  }

  #needing({ sql }: StatementCall, prepared: Prepared): StatementAnswer {
    this.#statements.release(sql, prepared);
    return { ...NOT_RUN, isWrite: false, needs: [...prepared.judge.readsOfComputer] };
  }

  #readAhead(cursor: OpenCursor, bytesMax: number): void {
    const { prepared, held } = cursor;
    if (prepared === undefined) return;
    if (cursor.at > 0) held.splice(0, cursor.at);
    cursor.at = 0;
    this.#deadline = this.#platform.monotonic() + cursor.timeoutMs;
    this.#isTimedOut = false;
    try {
      for (let bytes = 0; bytes < bytesMax;) {
        if (!prepared.statement.step()) {
          this.#endStatement(cursor);
          return;
        }
        const row = prepared.statement.row();
        bytes += sizeOf(row);
        held.push(row);
      }
    } catch (error) {
      throw this.#isTimedOut && isStarfishError(error, "timeout") ? this.#ended(cursor.timeoutMs) : error;
    } finally {
      this.#deadline = Number.POSITIVE_INFINITY;
    }
  }

  #ended(timeoutMs: number): StarfishError {
    if (this.#platform.isInterrupted()) return new StarfishError("cancelled", "The statement was ended");
    return new StarfishError("timeout", `The statement ran for longer than ${timeoutMs / 1_000} s, and was ended`);
  }

  #pageOf(cursor: OpenCursor): SqlValue[][] {
    let to = cursor.at;
    for (let bytes = 0; to < cursor.held.length && to - cursor.at < PAGE_ROWS && bytes < PAGE_BYTES; to++) {
      bytes += sizeOf(cursor.held[to] ?? []);
    }
    const rows = cursor.held.slice(cursor.at, to);
    cursor.at = to;
    return rows;
  }

  #endStatement(cursor: OpenCursor): void {
    const { prepared } = cursor;
    cursor.prepared = undefined;
    if (prepared !== undefined) this.#statements.release(cursor.sql, prepared);
  }

  #mustEnd(): boolean {
    this.#isTimedOut ||= this.#platform.monotonic() > this.#deadline || this.#platform.isInterrupted();
    return this.#isTimedOut;
  }
}

const VALUE_BYTES = 16;

function sizeOf(row: readonly SqlValue[]): number {
  let bytes = VALUE_BYTES * row.length;
  for (const value of row) {
    if (typeof value === "string" || value instanceof Uint8Array) bytes += value.length;
  }
  return bytes;
}

/** A database of SQLite in memory, and statements on it. Errors of SQLite are StarfishErrors (types.ts says which). */
import { type Bytes, utf8 } from "../../base/bytes.ts";
import { StarfishError, type ErrorCode } from "../../base/errors.ts";
import { assert } from "../../base/assert.ts";
import { exact } from "../cells/pack.ts";
import { SQL_BYTES_MAX, SQL_VALUE_BYTES_MAX } from "../limits.ts";
import type { SqlValue } from "../types.ts";
import * as sqlite from "./sqlite.ts";
import type { Sqlite } from "./sqlite.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();
const SCRATCH_BYTES = 65_536;

/** SQLite's result codes that have an error code of their own. */
const CODES: ReadonlyMap<number, ErrorCode> = new Map([
  [sqlite.INTERRUPT, "timeout"],
  [sqlite.CONSTRAINT, "constraint"],
  [7, "out-of-memory"],
  [13, "full"],
  [18, "too-large"],
  [23, "unsupported"],
]);

export class SqliteError extends StarfishError {
  /** SQLite's extended result code. */
  readonly result: number;
  /** The position in the statement, in UTF-16 units, if SQLite tells it. */
  readonly at: number | undefined;

  constructor(result: number, message: string, at?: number) {
    super(CODES.get(result & 0xff) ?? "usage", message);
    this.result = result;
    this.at = at;
  }
}

export class Connection {
  readonly api: Sqlite;
  readonly db: number;
  readonly #exports: Sqlite["wasm"]["exports"];
  readonly #out: number;
  readonly #scratch: number;
  #scratchView: Uint8Array = new Uint8Array();

  constructor(api: Sqlite) {
    this.api = api;
    this.#exports = api.wasm.exports;
    this.#out = this.#exports.sqlite3_malloc(16);
    this.#scratch = this.#exports.sqlite3_malloc(SCRATCH_BYTES);
    const name = this.#cText(":memory:");
    const flags = sqlite.OPEN_READWRITE | sqlite.OPEN_CREATE;
    const result = this.#exports.sqlite3_open_v2(name, this.#out, flags, 0);
    this.#exports.sqlite3_free(name);
    this.db = this.#pointer(this.#out);
    this.#check(result);
    this.#exports.sqlite3_extended_result_codes(this.db, 1);
    this.limit(sqlite.LIMIT_LENGTH, SQL_VALUE_BYTES_MAX);
    this.limit(sqlite.LIMIT_SQL_LENGTH, SQL_BYTES_MAX);
    this.limit(sqlite.LIMIT_ATTACHED, 0);
    this.limit(sqlite.LIMIT_LIKE_PATTERN, 1_000);
    this.limit(sqlite.LIMIT_TRIGGER_DEPTH, 100);
    this.configure(sqlite.DB_DEFENSIVE, true);
    this.configure(sqlite.DB_TRUSTED_SCHEMA, false);
  }

  /** SQLite's memory; a new object each time that it has grown. */
  get memory(): ArrayBufferLike {
    return this.api.wasm.heap8u().buffer;
  }

  limit(id: number, value: number): void {
    this.#exports.sqlite3_limit(this.db, id, value);
  }

  configure(id: number, on: boolean): void {
    this.#check(this.#exports.sqlite3__wasm_db_config_ip(this.db, id, on ? 1 : 0, 0));
  }

  /** Whether the word is one of SQL's keywords, which is a name only in quotes. */
  isKeyword(word: string): boolean {
    return this.withText(word, (at, bytes) => this.#exports.sqlite3_keyword_check(at, bytes)) !== 0;
  }

  get isInTransaction(): boolean {
    return this.#exports.sqlite3_get_autocommit(this.db) === 0;
  }

  get changes(): number {
    return this.#exports.sqlite3_changes(this.db);
  }

  get totalChanges(): number {
    return Number(this.#exports.sqlite3_total_changes64(this.db));
  }

  /** Prepares one statement. Throws "usage" if there is none, or more than one. */
  prepare(sql: string, isKept = false): Statement {
    const bytes = utf8(sql);
    if (bytes.length > SQL_BYTES_MAX) {
      throw new StarfishError(
        "too-large",
        `A statement has at most ${SQL_BYTES_MAX} bytes, this one ${bytes.length}: bind large values as parameters`,
      );
    }
    if (bytes.includes(0)) throw new StarfishError("usage", "A statement can't contain NUL characters");
    const at = this.#copy(bytes);
    try {
      const flags = isKept ? sqlite.PREPARE_PERSISTENT : 0;
      const length = bytes.length + 1;
      const result = this.#exports.sqlite3_prepare_v3(this.db, at, length, flags, this.#out, this.#out + 4);
      if (result !== sqlite.OK) throw this.#errorIn(bytes, result);
      const pointer = this.#pointer(this.#out);
      if (pointer === 0) throw new StarfishError("usage", "There is no statement here");
      const rest = sql.slice(decoder.decode(bytes.subarray(0, this.#pointer(this.#out + 4) - at)).length);
      if (!isBlank(rest)) {
        this.#exports.sqlite3_finalize(pointer);
        throw new StarfishError("usage", `One statement at a time, and this goes on: ${rest.trim().slice(0, 40)}`);
      }
      return new Statement(this, pointer);
    } finally {
      this.#exports.sqlite3_free(at);
    }
  }

  /** Runs one of the database's own statements to its end. */
  run(sql: string, parameters: readonly SqlValue[] = []): void {
    const statement = this.prepare(sql);
    try {
      statement.bindAll(parameters);
      while (statement.step());
    } finally {
      statement.finalize();
    }
  }

  /** All rows of one of the database's own statements. */
  all(sql: string, parameters: readonly SqlValue[] = []): SqlValue[][] {
    const statement = this.prepare(sql);
    try {
      statement.bindAll(parameters);
      const rows: SqlValue[][] = [];
      while (statement.step()) rows.push(statement.row());
      return rows;
    } finally {
      statement.finalize();
    }
  }

  /** Throws the error of this result code. */
  #check(result: number): void {
    if (result !== sqlite.OK) throw this.error(result);
  }

  #errorIn(sql: Uint8Array, result: number): SqliteError {
    const offset = this.#exports.sqlite3_error_offset(this.db);
    const at = offset < 0 ? undefined : decoder.decode(sql.subarray(0, offset)).length;
    return new SqliteError(result, this.error(result).message, at);
  }

  error(result: number): SqliteError {
    return new SqliteError(result, this.cString(this.#exports.sqlite3_errmsg(this.db)));
  }

  /** Starts to record changes, until `changes()` or `end()`. Tables are attached when they are first written. */
  record(): Recording {
    const main = this.#cText("main");
    this.#check(this.#exports.sqlite3session_create(this.db, main, this.#out));
    this.#exports.sqlite3_free(main);
    const session = this.#pointer(this.#out);
    this.#view().setInt32(this.#out, 1, true);
    this.#check(this.#exports.sqlite3session_object_config(session, sqlite.SESSION_ROWID, this.#out));
    this.#check(this.#exports.sqlite3session_attach(session, 0));
    return {
      changeset: () => {
        this.#check(this.#exports.sqlite3session_changeset(session, this.#out, this.#out + 4));
        const [length, at] = [this.#pointer(this.#out), this.#pointer(this.#out + 4)];
        const changeset = new Uint8Array(this.memory, at, length).slice();
        this.#exports.sqlite3_free(at);
        return changeset;
      },
      end: () => this.#exports.sqlite3session_delete(session),
    };
  }

  /** The database as a file. */
  serialize(): Uint8Array<ArrayBuffer> {
    const main = this.#cText("main");
    const at = this.#exports.sqlite3_serialize(this.db, main, this.#out, 0);
    this.#exports.sqlite3_free(main);
    const length = this.#pointer(this.#out);
    if (at === 0) throw new StarfishError("out-of-memory", "There is no memory for a copy of the database");
    const file = new Uint8Array(this.memory, at, length).slice();
    this.#exports.sqlite3_free(at);
    return file;
  }

  /** Replaces the tables by those of a file. */
  deserialize(file: Bytes): void {
    const main = this.#cText("main");
    const at = this.#copy(file);
    const size = BigInt(file.length);
    const FREE_ON_CLOSE = 1;
    const READ_ONLY = 4;
    this.#check(this.#exports.sqlite3_deserialize(this.db, main, at, size, size, FREE_ON_CLOSE | READ_ONLY));
    this.#exports.sqlite3_free(main);
  }

  close(): void {
    this.#exports.sqlite3_close_v2(this.db);
    this.#exports.sqlite3_free(this.#out);
    this.#exports.sqlite3_free(this.#scratch);
  }

  cString(at: number): string {
    if (at === 0) return "";
    const heap = new Uint8Array(this.memory);
    return decoder.decode(heap.subarray(at, heap.indexOf(0, at)));
  }

  /** Calls `use` with a copy of the text in SQLite's memory, and its length. */
  withText(text: string, use: (at: number, bytes: number) => number): number {
    if (text.length * 3 <= SCRATCH_BYTES) {
      // It is detached when SQLite's memory has grown.
      if (this.#scratchView.length === 0) this.#scratchView = new Uint8Array(this.memory, this.#scratch, SCRATCH_BYTES);
      return use(this.#scratch, encoder.encodeInto(text, this.#scratchView).written);
    }
    return this.withBytes(utf8(text), use);
  }

  withBytes(bytes: Bytes, use: (at: number, bytes: number) => number): number {
    const at = this.#copy(bytes);
    try {
      return use(at, bytes.length);
    } finally {
      this.#exports.sqlite3_free(at);
    }
  }

  #cText(text: string): number {
    return this.#copy(utf8(text));
  }

  /** A copy with a zero byte at its end. */
  #copy(bytes: Bytes): number {
    const at = this.#exports.sqlite3_malloc(bytes.length + 1);
    if (at === 0) throw new StarfishError("out-of-memory", "SQLite has no memory left");
    const heap = new Uint8Array(this.memory, at, bytes.length + 1);
    heap.set(bytes);
    heap[bytes.length] = 0;
    return at;
  }

  #pointer(at: number): number {
    return this.#view().getUint32(at, true);
  }

  #view(): DataView {
    return new DataView(this.memory);
  }
}

export interface Recording {
  changeset(): Uint8Array<ArrayBuffer>;
  end(): void;
}

function isBlank(sql: string): boolean {
  return sql.replace(/--[^\n]*(\n|$)|\/\*[\s\S]*?(\*\/|$)|[\s;]/g, "") === "";
}

export class Statement {
  readonly #connection: Connection;
  readonly #exports: Sqlite["wasm"]["exports"];
  readonly #pointer: number;
  #isFinalized = false;

  constructor(connection: Connection, pointer: number) {
    this.#connection = connection;
    this.#exports = connection.api.wasm.exports;
    this.#pointer = pointer;
  }

  get isReadOnly(): boolean {
    return this.#exports.sqlite3_stmt_readonly(this.#pointer) !== 0;
  }

  get columnCount(): number {
    return this.#exports.sqlite3_column_count(this.#pointer);
  }

  /** The names of the parameters by their positions, without their sign; undefined for those without a name. */
  parameterNames(): (string | undefined)[] {
    const count = this.#exports.sqlite3_bind_parameter_count(this.#pointer);
    return Array.from({ length: count }, (_, i) => {
      const name = this.#connection.cString(this.#exports.sqlite3_bind_parameter_name(this.#pointer, i + 1));
      return name === "" || name.startsWith("?") ? undefined : name.slice(1);
    });
  }

  columns(): { readonly name: string; readonly type: string | undefined }[] {
    return Array.from({ length: this.columnCount }, (_, i) => {
      const type = this.#exports.sqlite3_column_decltype(this.#pointer, i);
      return {
        name: this.#connection.cString(this.#exports.sqlite3_column_name(this.#pointer, i)),
        type: type === 0 ? undefined : this.#connection.cString(type),
      };
    });
  }

  bindAll(parameters: readonly SqlValue[]): void {
    for (let i = 0; i < parameters.length; i++) this.bind(i, parameters[i] ?? null);
  }

  /** `at` counts from 0. `isReal`: a whole number that has to stay a real. */
  bind(at: number, value: SqlValue, isReal = false): void {
    const [exports, pointer, place] = [this.#exports, this.#pointer, at + 1];
    let result: number;
    if (typeof value === "string") {
      result = this.#connection.withText(value, (text, bytes) =>
        exports.sqlite3_bind_text(pointer, place, text, bytes, sqlite.TRANSIENT),
      );
    } else if (typeof value === "number") {
      if (!isReal && value === (value | 0) && !Object.is(value, -0)) {
        result = exports.sqlite3_bind_int(pointer, place, value);
      } else if (!isReal && Number.isSafeInteger(value) && !Object.is(value, -0)) {
        result = exports.sqlite3_bind_int64(pointer, place, BigInt(value));
      } else result = exports.sqlite3_bind_double(pointer, place, value);
    } else if (value === null) result = exports.sqlite3_bind_null(pointer, place);
    else if (typeof value === "bigint") result = exports.sqlite3_bind_int64(pointer, place, BigInt.asIntN(64, value));
    else {
      result = this.#connection.withBytes(value, (bytes, length) =>
        exports.sqlite3_bind_blob(pointer, place, bytes, length, sqlite.TRANSIENT),
      );
    }
    if (result !== sqlite.OK) throw this.#connection.error(result);
  }

  /** Whether there is a row. After an error it is reset. */
  step(): boolean {
    const result = this.#exports.sqlite3_step(this.#pointer);
    if (result === sqlite.ROW) return true;
    if (result === sqlite.DONE) return false;
    const error = this.#connection.error(result);
    this.reset();
    throw error;
  }

  row(): SqlValue[] {
    const count = this.#exports.sqlite3_column_count(this.#pointer);
    const values: SqlValue[] = [];
    for (let i = 0; i < count; i++) values.push(this.value(i));
    return values;
  }

  value(at: number): SqlValue {
    const [exports, pointer] = [this.#exports, this.#pointer];
    switch (exports.sqlite3_column_type(pointer, at)) {
      case sqlite.INTEGER: {
        const value = exports.sqlite3_column_double(pointer, at);
        return Number.isSafeInteger(value) ? value : exact(exports.sqlite3_column_int64(pointer, at));
      }
      case sqlite.FLOAT:
        return exports.sqlite3_column_double(pointer, at);
      case sqlite.TEXT: {
        const text = exports.sqlite3_column_text(pointer, at);
        const length = exports.sqlite3_column_bytes(pointer, at);
        return textAt(this.#connection.memory, text, length);
      }
      case sqlite.BLOB: {
        const bytes = exports.sqlite3_column_blob(pointer, at);
        const length = exports.sqlite3_column_bytes(pointer, at);
        return length === 0 ? new Uint8Array() : new Uint8Array(this.#connection.memory, bytes, length).slice();
      }
      default:
        return null;
    }
  }

  reset(): void {
    this.#exports.sqlite3_reset(this.#pointer);
  }

  clear(): void {
    this.#exports.sqlite3_reset(this.#pointer);
    this.#exports.sqlite3_clear_bindings(this.#pointer);
  }

  finalize(): void {
    assert(!this.#isFinalized, "a statement is finalized once");
    this.#isFinalized = true;
    this.#exports.sqlite3_finalize(this.#pointer);
  }
}

/** Short texts of ASCII are read faster without a decoder. */
const SHORT_TEXT = 24;

function textAt(memory: ArrayBufferLike, at: number, length: number): string {
  const bytes = new Uint8Array(memory, at, length);
  if (length <= SHORT_TEXT) {
    let text = "";
    for (let i = 0; i < length; i++) {
      const byte = bytes[i] ?? 0;
      if (byte > 127) return decoder.decode(bytes);
      text += String.fromCharCode(byte);
    }
    return text;
  }
  return decoder.decode(bytes);
}

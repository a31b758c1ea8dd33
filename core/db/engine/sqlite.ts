/**
 * The part of `@sqlite.org/sqlite-wasm` that is used: SQLite's C interface as WebAssembly exports it.
 * https://sqlite.org/c3ref explains the functions under the same names. Pointers are numbers, 64-bit integers are
 * bigints.
 */
type Pointer = number;

interface SqliteExports {
  sqlite3_malloc(bytes: number): Pointer;
  sqlite3_free(at: Pointer): void;
  sqlite3_open_v2(name: Pointer, db: Pointer, flags: number, vfs: Pointer): number;
  sqlite3_close_v2(db: Pointer): number;
  sqlite3_extended_result_codes(db: Pointer, on: number): number;
  sqlite3_errmsg(db: Pointer): Pointer;
  sqlite3_keyword_check(text: Pointer, bytes: number): number;
  sqlite3_error_offset(db: Pointer): number;
  sqlite3_limit(db: Pointer, id: number, value: number): number;
  sqlite3_changes(db: Pointer): number;
  sqlite3_total_changes64(db: Pointer): bigint;
  sqlite3_get_autocommit(db: Pointer): number;
  sqlite3__wasm_db_config_ip(db: Pointer, id: number, value: number, out: Pointer): number;
  sqlite3_prepare_v3(
    db: Pointer,
    sql: Pointer,
    bytes: number,
    flags: number,
    statement: Pointer,
    tail: Pointer,
  ): number;
  sqlite3_finalize(statement: Pointer): number;
  sqlite3_step(statement: Pointer): number;
  sqlite3_reset(statement: Pointer): number;
  sqlite3_clear_bindings(statement: Pointer): number;
  sqlite3_stmt_readonly(statement: Pointer): number;
  sqlite3_bind_parameter_count(statement: Pointer): number;
  sqlite3_bind_parameter_name(statement: Pointer, at: number): Pointer;
  sqlite3_bind_null(statement: Pointer, at: number): number;
  sqlite3_bind_int(statement: Pointer, at: number, value: number): number;
  sqlite3_bind_int64(statement: Pointer, at: number, value: bigint): number;
  sqlite3_bind_double(statement: Pointer, at: number, value: number): number;
  sqlite3_bind_text(statement: Pointer, at: number, text: Pointer, bytes: number, release: number): number;
  sqlite3_bind_blob(statement: Pointer, at: number, bytes: Pointer, length: number, release: number): number;
  sqlite3_column_count(statement: Pointer): number;
  sqlite3_column_name(statement: Pointer, at: number): Pointer;
  sqlite3_column_decltype(statement: Pointer, at: number): Pointer;
  sqlite3_column_type(statement: Pointer, at: number): number;
  sqlite3_column_int64(statement: Pointer, at: number): bigint;
  sqlite3_column_double(statement: Pointer, at: number): number;
  sqlite3_column_text(statement: Pointer, at: number): Pointer;
  sqlite3_column_blob(statement: Pointer, at: number): Pointer;
  sqlite3_column_bytes(statement: Pointer, at: number): number;
  sqlite3_serialize(db: Pointer, schema: Pointer, bytes: Pointer, flags: number): Pointer;
  sqlite3_deserialize(
    db: Pointer,
    schema: Pointer,
    data: Pointer,
    size: bigint,
    capacity: bigint,
    flags: number,
  ): number;
  sqlite3session_create(db: Pointer, schema: Pointer, session: Pointer): number;
  sqlite3session_object_config(session: Pointer, op: number, value: Pointer): number;
  sqlite3session_attach(session: Pointer, table: Pointer): number;
  sqlite3session_changeset(session: Pointer, bytes: Pointer, changeset: Pointer): number;
  sqlite3session_delete(session: Pointer): void;
}

export interface Sqlite {
  readonly wasm: { readonly exports: SqliteExports; heap8u(): Uint8Array };
  readonly capi: {
    sqlite3_set_authorizer(db: Pointer, authorizer: Authorizer, context: Pointer): number;
    sqlite3_progress_handler(db: Pointer, steps: number, handler: () => number, context: Pointer): unknown;
    sqlite3_create_function(
      db: Pointer,
      name: string,
      parameters: number,
      flags: number,
      context: Pointer,
      call: (context: Pointer) => string,
      step: Pointer,
      final: Pointer,
    ): number;
  };
}

type Authorizer = (
  context: unknown,
  action: number,
  first: string | null | 0,
  second: string | null | 0,
  schema: string | null | 0,
  trigger: string | null | 0,
) => number;

export const OK = 0;
export const INTERRUPT = 9;
export const CONSTRAINT = 19;
export const ROW = 100;
export const DONE = 101;
/** Extended result codes of CONSTRAINT. */
export const CONSTRAINT_CHECK: number = CONSTRAINT | (1 << 8);
export const CONSTRAINT_NOTNULL: number = CONSTRAINT | (5 << 8);
export const CONSTRAINT_PRIMARYKEY: number = CONSTRAINT | (6 << 8);
export const CONSTRAINT_UNIQUE: number = CONSTRAINT | (8 << 8);
export const CONSTRAINT_ROWID: number = CONSTRAINT | (10 << 8);

export const INTEGER = 1;
export const FLOAT = 2;
export const TEXT = 3;
export const BLOB = 4;

export const OPEN_READWRITE = 2;
export const OPEN_CREATE = 4;
export const PREPARE_PERSISTENT = 1;
/** The destructor that stands for "make a copy". */
export const TRANSIENT = -1;
export const UTF8 = 1;
/** Marks a function that a schema may call. */
export const INNOCUOUS = 0x20_00_00;
export const SESSION_ROWID = 2;

export const LIMIT_LENGTH = 0;
export const LIMIT_SQL_LENGTH = 1;
export const LIMIT_ATTACHED = 7;
export const LIMIT_LIKE_PATTERN = 8;
export const LIMIT_TRIGGER_DEPTH = 10;

export const DB_ENABLE_FKEY = 1002;
export const DB_ENABLE_TRIGGER = 1003;
export const DB_DEFENSIVE = 1010;
export const DB_TRUSTED_SCHEMA = 1017;

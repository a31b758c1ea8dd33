/**
 * A table of the index: it finds rows by their keys, and inserts and deletes them. Rows of a table without a primary
 * key have hidden keys: a rowid of 63 bits that begins with the time, and six random letters. So all nodes have these
 * rows in the same order. If two rows share a rowid, the later one gets another rowid on that node; a side table lists
 * such rows.
 */
import { assert } from "../../base/assert.ts";
import { keyOf, valuesOfKey } from "../cells/keys.ts";
import { CellReader } from "../cells/pack.ts";
import { elementsOf, plus, readPart, setOf } from "../cells/parts.ts";
import { UNKNOWN_COLUMNS_MAX } from "../limits.ts";
import type { PackedCell } from "../rows.ts";
import { type Affinity, affinityOf, isKept } from "../schema/affinity.ts";
import { typeOf } from "../schema/create-table.ts";
import { digitsOf, DIGITS, elementPart, folded, ROWID } from "../schema/names.ts";
import type { ColumnModel, TableModel } from "../schema/model.ts";
import { quoted } from "../schema/tokens.ts";
import type { SqlRow, SqlValue } from "../types.ts";
import { type Cell, changesOf, type Record } from "./changeset.ts";
import { type Connection, SqliteError, type Statement } from "./connection.ts";
import { DB_ENABLE_TRIGGER } from "./sqlite.ts";

export interface IndexColumn {
  readonly model: ColumnModel;
  /** The column's index in a changeset and in statements. */
  readonly at: number;
  /** Its position in the primary key, from 1; 0: it is not part of it. */
  readonly keyAt: number;
  readonly hasDefault: boolean;
  /** Its value if a row has none. */
  readonly missing: SqlValue;
  readonly fold: ((text: string) => string) | undefined;
  readonly affinity: Affinity;
}

/** What the making of keys needs of the platform. */
export interface KeySource {
  /** Ms since 1970. */
  readonly now: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
}

const ROWID_DIGITS = 11;
const CHANCE_CHARS = 6;
const MADE_KEY: RegExp = /^k[-0-9A-Z_a-z]{17}$/;
/** Rowids that begin with ms since 2020 in 41 bits. */
const ERA_MS: number = Date.UTC(2020, 0, 1);
const CHANCE_BITS = 22n;
/** Rows whose keys share a rowid get the next free rowids, at most this far from it. */
const PROBES_MAX = 64;

export class IndexTable {
  readonly model: TableModel;
  readonly columns: readonly IndexColumn[];
  /** Whether it has UNIQUE constraints beside the primary key, so that a row of another node may have no place. */
  readonly isUnique: boolean;
  readonly hasFoldedKey: boolean;
  readonly #connection: Connection;
  readonly #keys: KeySource;
  readonly #unknown: Set<number>;
  readonly #key: readonly IndexColumn[];
  readonly #side: string;
  readonly #sideName: string;
  /** Positions of columns by their ids. */
  readonly #places: ReadonlyMap<number, number>;
  readonly #insertSql: string;
  readonly #statements = new Map<string, Statement>();
  #lastRowid = 0n;
  /**
   * Whether some rows have other rowids than their keys say, since too many share one. These rows are found by an index
   * of keys.
   */
  #hasStrays: boolean;

  /** `unknown` takes the ids of columns that rows have and the table does not. */
  constructor(connection: Connection, model: TableModel, keys: KeySource, unknown: Set<number>) {
    this.#connection = connection;
    this.#keys = keys;
    this.#unknown = unknown;
    this.model = model;
    this.columns = readColumns(connection, model);
    this.#key = this.columns.filter(({ keyAt }) => keyAt > 0).toSorted((a, b) => a.keyAt - b.keyAt);
    this.hasFoldedKey = this.#key.some(({ fold }) => fold !== undefined);
    this.#sideName = quoted(`_k_${model.id}`);
    this.#side = `temp.${this.#sideName}`;
    if (this.isKeyMade) connection.run(`CREATE TABLE IF NOT EXISTS ${this.#side} (r INTEGER PRIMARY KEY, k TEXT)`);
    const strays = "SELECT 1 FROM sqlite_temp_schema WHERE name = ?";
    this.#hasStrays = this.isKeyMade && connection.all(strays, [`_i_${model.id}`]).length > 0;
    this.isUnique = isUnique(connection, model);
    this.#places = new Map(this.columns.map(({ model: { id } }, at) => [id, at]));
    this.#insertSql = this.#insertion();
  }

  get isKeyMade(): boolean {
    return this.model.primaryKey.length === 0;
  }

  // Keys

  /** The key of a row in a changeset; a row without one gets one. */
  keyOfNew(cellAt: (at: number) => Cell | undefined): string {
    if (!this.isKeyMade) return this.#keyOfCells(cellAt);
    const before = cellAt(0)?.value ?? null;
    const rowid = this.#nextRowid();
    const hasTriggers = this.#hasTriggers();
    if (hasTriggers) this.#connection.configure(DB_ENABLE_TRIGGER, false);
    const table = quoted(this.model.name);
    this.#run(`UPDATE ${table} SET ${ROWID} = ? WHERE ${ROWID} = ?`, [rowid, before]);
    if (hasTriggers) this.#connection.configure(DB_ENABLE_TRIGGER, true);
    const chance = digitsOf(Math.floor(this.#keys.random() * 2 ** 36), CHANCE_CHARS);
    const key = `k${rowidDigits(rowid)}${chance}`;
    this.#run(`INSERT OR REPLACE INTO ${this.#side} VALUES (?, ?)`, [rowid, key]);
    return `${this.model.id}/${key}`;
  }

  /** The key of a row that has one. */
  keyOf(record: Record): string {
    if (!this.isKeyMade) return this.#keyOfCells((at) => record[at]);
    const [row] = this.#all(`SELECT k FROM ${this.#side} WHERE r = ?`, [record[0]?.value ?? null]);
    const key = row?.[0];
    assert(typeof key === "string", "each row has a key");
    return `${this.model.id}/${key}`;
  }

  #keyOfCells(cellAt: (at: number) => Cell | undefined): string {
    const key = keyOf(this.#key.map(({ at, fold }) => foldedValue(cellAt(at)?.value ?? null, fold)));
    return `${this.model.id}/${key}`;
  }

  /** A row of a changeset was deleted. */
  forget(record: Record): void {
    if (this.isKeyMade) this.#run(`DELETE FROM ${this.#side} WHERE r = ?`, [record[0]?.value ?? null]);
  }

  /** Whether the key already tells the value of this cell. */
  isInKey({ keyAt, fold }: IndexColumn, { value, isReal }: Cell): boolean {
    if (keyAt === 0 || (isReal && Number.isInteger(value))) return false;
    return fold === undefined || typeof value !== "string" || fold(value) === value;
  }

  // Rows from the map

  /**
   * The values of a row in the order of `columns`, and which of them are reals. Throws "malformed". `cells` are newer
   * than the row and win.
   */
  read(key: string, row: CellReader, cells: readonly PackedCell[]): RowValues | undefined {
    const fromKey = this.isKeyMade ? [] : this.#valuesOf(key);
    if (fromKey === undefined || (this.isKeyMade && !MADE_KEY.test(key))) return undefined;
    const values: SqlValue[] = [];
    for (const { keyAt, missing } of this.columns) values.push(keyAt > 0 ? (fromKey[keyAt - 1] ?? null) : missing);
    let reals: Set<number> | undefined;
    let isKeyTold = false;
    const set = (id: number, reader: CellReader): void => {
      const at = this.#placeOf(id);
      const value = reader.value();
      if (at === undefined) return;
      values[at] = value;
      isKeyTold ||= (this.columns[at]?.keyAt ?? 0) > 0;
      if (reader.isReal) (reals ??= new Set()).add(at);
      else reals?.delete(at);
    };
    while (!row.done) set(row.uint32(), row);
    for (const { column, isPart, bytes } of cells) if (!isPart) set(column, new CellReader(bytes));
    if (cells.some(({ isPart }) => isPart)) this.#merge(values, (reals ??= new Set()), cells);
    reals ??= NO_REALS;
    if (!isKeyTold) return { values, reals };
    const told = this.#key.map((column) => foldedValue(values[this.columns.indexOf(column)] ?? null, column.fold));
    return keyOf(told) === key ? { values, reals } : undefined;
  }

  /** Undefined: the column is not known here yet, or not any more. Its cells stay in the map. */
  #placeOf(id: number): number | undefined {
    const at = this.#places.get(id);
    if (at === undefined && this.#unknown.size < UNKNOWN_COLUMNS_MAX) this.#unknown.add(id);
    return at;
  }

  /** The values of a primary key. A value that its column would change belongs to the key of another row. */
  #valuesOf(key: string): SqlValue[] | undefined {
    const values = valuesOfKey(key, this.#key.length);
    return values?.every((value, i) => isKept(value, this.#key[i]?.affinity ?? "none")) === true ? values : undefined;
  }

  /** Adds up the parts of counters and of sets. */
  #merge(values: SqlValue[], reals: Set<number>, cells: readonly PackedCell[]): void {
    const sets = new Map<number, Map<string, string>>();
    for (const { column, isPart, bytes } of cells) {
      const at = isPart ? this.#placeOf(column) : undefined;
      const part = at === undefined ? undefined : readPart(bytes);
      if (at === undefined || part === undefined) continue;
      if (this.columns[at]?.model.merges === "counter") {
        values[at] = plus(values[at] ?? null, part.value);
        reals.delete(at);
      } else if (typeof part.value === "string") {
        const elements = sets.get(at) ?? elementsOf(values[at] ?? null);
        if (part.isThere) elements.set(elementPart(part.value), part.value);
        else elements.delete(elementPart(part.value));
        sets.set(at, elements);
      }
    }
    for (const [at, elements] of sets) values[at] = setOf(elements);
  }

  /** The value of a column in the row that is in the table; undefined: there is none. */
  valueOf(key: string, column: number): SqlValue | undefined {
    const at = this.#places.get(column);
    const name = at === undefined ? undefined : this.columns[at]?.model.name;
    const where = this.#whereOf(key);
    if (name === undefined || where === undefined) return undefined;
    const rows = this.#all(`SELECT ${quoted(name)} FROM ${quoted(this.model.name)} WHERE ${where.sql}`, where.values);
    return rows[0]?.[0];
  }

  #whereOf(key: string): { readonly sql: string; readonly values: readonly SqlValue[] } | undefined {
    if (this.isKeyMade) {
      const rowid = this.#rowidOf(key);
      return rowid === undefined ? undefined : { sql: `${ROWID} = ?`, values: [rowid] };
    }
    const values = this.#valuesOf(key);
    return values && { sql: this.#key.map(({ model }) => `${quoted(model.name)} = ?`).join(" AND "), values };
  }

  /** Throws SqliteError if a constraint forbids it. */
  insert(key: string, { values, reals }: RowValues): void {
    const statement = this.#statement(this.#insertSql);
    if (this.isKeyMade) {
      const rowid = this.#freeRowid(key);
      statement.bind(0, rowid);
      this.#bind(statement, 1, values, reals);
      finish(statement);
      this.#run(`INSERT OR REPLACE INTO ${this.#side} VALUES (?, ?)`, [rowid, key]);
      return;
    }
    this.#bind(statement, 0, values, reals);
    finish(statement);
  }

  delete(key: string): void {
    const table = quoted(this.model.name);
    if (this.isKeyMade) {
      const rowid = this.#rowidOf(key);
      if (rowid === undefined) return;
      this.#run(`DELETE FROM ${table} WHERE ${ROWID} = ?`, [rowid]);
      this.#run(`DELETE FROM ${this.#side} WHERE r = ?`, [rowid]);
      return;
    }
    const values = this.#valuesOf(key);
    if (values === undefined) return;
    const where = this.#key.map(({ model }) => `${quoted(model.name)} = ?`).join(" AND ");
    this.#run(`DELETE FROM ${table} WHERE ${where}`, values);
  }

  /**
   * Names of the rows that have a value which only this one should have. SQLite tells them when it replaces them, in a
   * trial.
   */
  inTheWay({ values, reals }: RowValues): string[] {
    const connection = this.#connection;
    const name = folded(this.model.name);
    const columns = this.columns.map(({ model }) => quoted(model.name)).join(", ");
    const places = this.columns.map(() => "?").join(", ");
    const found: string[] = [];
    connection.run("SAVEPOINT trial");
    const recording = connection.record();
    connection.run("PRAGMA ignore_check_constraints = ON");
    const statement = connection.prepare(
      `INSERT OR REPLACE INTO ${quoted(this.model.name)} (${columns}) VALUES (${places})`,
    );
    try {
      this.#bind(statement, 0, values, reals);
      finish(statement);
      for (const change of changesOf(recording.changeset())) {
        if (folded(change.table) === name && change.kind !== "insert") found.push(this.keyOf(change.before));
      }
    } catch (error) {
      if (!(error instanceof SqliteError)) throw error;
    } finally {
      statement.finalize();
      recording.end();
      connection.run("PRAGMA ignore_check_constraints = OFF");
      connection.run("ROLLBACK TO trial");
      connection.run("RELEASE trial");
    }
    return found;
  }

  /** The rows (`child`) for which the condition is true, for people. */
  where(condition: string): { readonly key: string; readonly row: SqlRow }[] {
    const names = this.columns.map(({ model }) => `child.${quoted(model.name)}`);
    const columns = [...(this.isKeyMade ? [`child.${ROWID}`] : []), ...names].join(", ");
    const rows = this.#connection.all(`SELECT ${columns} FROM ${quoted(this.model.name)} child WHERE ${condition}`);
    return rows.map((values) => {
      const record = values.map((value) => ({ value, isReal: false }));
      return { key: this.keyOf(record), row: this.toRow({ values: this.isKeyMade ? values.slice(1) : values }) };
    });
  }

  /** For people. */
  toRow({ values }: { readonly values: readonly SqlValue[] }): SqlRow {
    return Object.fromEntries(this.columns.map(({ model }, i) => [model.name, values[i] ?? null]));
  }

  /** Call it before the table is changed or dropped. */
  close(): void {
    for (const statement of this.#statements.values()) statement.finalize();
    this.#statements.clear();
  }

  drop(): void {
    this.close();
    this.#connection.run(`DROP TABLE ${quoted(this.model.name)}`);
    if (this.isKeyMade) this.#connection.run(`DROP TABLE ${this.#side}`);
  }

  #insertion(): string {
    const names = this.columns.map(({ model }) => quoted(model.name));
    const columns = this.isKeyMade ? [ROWID, ...names] : names;
    // If only the key is unique, a row with that key is the same row. ABORT is stated, because a constraint may state
    // another action (`UNIQUE ON CONFLICT IGNORE`).
    const or = this.isUnique || this.isKeyMade ? "ABORT" : "REPLACE";
    const places = columns.map(() => "?").join(", ");
    return `INSERT OR ${or} INTO ${quoted(this.model.name)} (${columns.join(", ")}) VALUES (${places})`;
  }

  #bind(statement: Statement, from: number, values: readonly SqlValue[], reals: ReadonlySet<number>): void {
    const hasReals = reals.size > 0;
    for (let i = 0; i < values.length; i++) statement.bind(from + i, values[i] ?? null, hasReals && reals.has(i));
  }

  #hasTriggers(): boolean {
    const [row] = this.#all("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?", [
      this.model.name,
    ]);
    return row?.[0] !== 0;
  }

  #nextRowid(): bigint {
    const chance = BigInt(Math.floor(this.#keys.random() * 2 ** Number(CHANCE_BITS)));
    const rowid = (BigInt(Math.max(0, Math.floor(this.#keys.now() - ERA_MS))) << CHANCE_BITS) | chance;
    this.#lastRowid = rowid > this.#lastRowid ? rowid : this.#lastRowid + 1n;
    while (this.#all(`SELECT 1 FROM ${this.#side} WHERE r = ?`, [this.#lastRowid]).length > 0) this.#lastRowid += 1n;
    return this.#lastRowid;
  }

  #rowidOf(key: string): bigint | undefined {
    if (!MADE_KEY.test(key)) return undefined;
    const first = rowidOfDigits(key.slice(1, 1 + ROWID_DIGITS));
    for (let i = 0n; i < PROBES_MAX; i++) {
      const [row] = this.#all(`SELECT k FROM ${this.#side} WHERE r = ?`, [first + i]);
      if (row?.[0] === key) return first + i;
    }
    if (!this.#hasStrays) return undefined;
    const rowid = this.#all(`SELECT r FROM ${this.#side} WHERE k = ?`, [key])[0]?.[0];
    return rowid === undefined || rowid === null ? undefined : BigInt(rowid as number | bigint);
  }

  #freeRowid(key: string): bigint {
    const first = rowidOfDigits(key.slice(1, 1 + ROWID_DIGITS));
    for (let i = 0n; i < PROBES_MAX; i++) {
      if (this.#all(`SELECT k FROM ${this.#side} WHERE r = ?`, [first + i]).length === 0) return first + i;
    }
    // This never happens by chance: a member has made keys that share a number.
    if (!this.#hasStrays) this.#run(`CREATE INDEX temp.${quoted(`_i_${this.model.id}`)} ON ${this.#sideName} (k)`, []);
    this.#hasStrays = true;
    for (;;) {
      const rowid = BigInt(Math.floor(this.#keys.random() * 2 ** 53)) << 10n;
      if (this.#all(`SELECT 1 FROM ${this.#side} WHERE r = ?`, [rowid]).length === 0) return rowid;
    }
  }

  #run(sql: string, values: readonly SqlValue[]): void {
    const statement = this.#statement(sql);
    statement.bindAll(values);
    finish(statement);
  }

  #all(sql: string, values: readonly SqlValue[]): SqlValue[][] {
    const statement = this.#statement(sql);
    statement.bindAll(values);
    const rows: SqlValue[][] = [];
    try {
      while (statement.step()) rows.push(statement.row());
      return rows;
    } finally {
      statement.reset();
    }
  }

  #statement(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#connection.prepare(sql, true);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

export interface RowValues {
  readonly values: readonly SqlValue[];
  /** The positions of the values that are reals. */
  readonly reals: ReadonlySet<number>;
}

const NO_REALS: Set<number> = new Set();

function finish(statement: Statement): void {
  try {
    while (statement.step());
  } finally {
    statement.reset();
  }
}

function readColumns(connection: Connection, model: TableModel): IndexColumn[] {
  const byName = new Map(model.columns.map((column) => [folded(column.name), column]));
  const keyAt = new Map(model.primaryKey.map((name, i) => [folded(name), i + 1]));
  const collations = keyCollations(connection, model);
  const columns: IndexColumn[] = [];
  for (const [, name, , , fallback, , hidden] of connection.all(`PRAGMA table_xinfo(${quoted(model.name)})`)) {
    const column = byName.get(folded(String(name)));
    assert(column !== undefined, "a table has the columns of its model");
    // Generated.
    if (hidden !== 0) continue;
    columns.push({
      model: column,
      at: columns.length + (model.primaryKey.length === 0 ? 1 : 0),
      keyAt: keyAt.get(folded(column.name)) ?? 0,
      hasDefault: fallback !== null,
      missing: constant(connection, fallback ?? null),
      fold: collations.get(folded(column.name)),
      affinity: affinityOf(typeOf(column.definition)),
    });
  }
  return columns;
}

/** How text of the key is compared, if not by its bytes. */
function keyCollations(connection: Connection, model: TableModel): Map<string, (text: string) => string> {
  const folds = new Map<string, (text: string) => string>();
  const index = connection.all("SELECT name FROM pragma_index_list(?) WHERE origin = 'pk'", [model.name])[0]?.[0];
  if (typeof index !== "string") return folds;
  for (const [name, collation] of connection.all("SELECT name, coll FROM pragma_index_xinfo(?) WHERE key", [index])) {
    if (typeof name !== "string") continue;
    if (collation === "NOCASE") folds.set(folded(name), folded);
    if (collation === "RTRIM") folds.set(folded(name), (text) => text.replace(/ +$/, ""));
  }
  return folds;
}

/** A literal is the same on all nodes; a row states the value that it got from any other default. */
function constant(connection: Connection, fallback: SqlValue): SqlValue {
  if (typeof fallback !== "string" || !/^([-+]?[\d.]|'|x'|true$|false$)/i.test(fallback)) return null;
  return connection.all(`SELECT ${fallback}`)[0]?.[0] ?? null;
}

function isUnique(connection: Connection, model: TableModel): boolean {
  const sql = `SELECT count(*) FROM pragma_index_list(?) WHERE "unique" AND origin <> 'pk'`;
  return connection.all(sql, [model.name])[0]?.[0] !== 0;
}

function foldedValue(value: SqlValue, fold: ((text: string) => string) | undefined): SqlValue {
  return fold !== undefined && typeof value === "string" ? fold(value) : value;
}

function rowidDigits(rowid: bigint): string {
  let digits = "";
  let rest = rowid;
  for (let i = 0; i < ROWID_DIGITS; i++, rest >>= 6n) digits = (DIGITS[Number(rest & 63n)] ?? "") + digits;
  return digits;
}

function rowidOfDigits(digits: string): bigint {
  let rowid = 0n;
  for (const digit of digits) rowid = (rowid << 6n) | BigInt(DIGITS.indexOf(digit));
  return rowid & 0x7fff_ffff_ffff_ffffn;
}

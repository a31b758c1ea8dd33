/**
 * Puts rows of the map into the tables. Local statements obey the constraints; the result of merging may not. Then:
 *
 * - If a row has a value that must be unique and another row has it too, the one that was written later keeps its
 *   place. The other is set aside until it can come back (settling.ts). The outcome depends only on the rows and their
 *   versions.
 * - A row that lacks a value which its table demands, or that is not a row of this table, is set aside.
 * - A row with a large value that is not here is set aside until its content comes.
 * - A row that breaks a CHECK is put in its place and reported. So is a reference to a row that is not there
 *   (describe.ts).
 */
import { isStarfishError } from "../../base/errors.ts";
import type { Version } from "../../memory/types.ts";
import { APPLY_ROWS } from "../limits.ts";
import type { CellReader } from "../cells/pack.ts";
import type { PackedCell, PackedRow } from "../rows.ts";
import { folded, TABLE_ID_CHARS } from "../schema/names.ts";
import { quoted } from "../schema/tokens.ts";
import type { Conflict, SqlValue } from "../types.ts";
import { type Connection, SqliteError } from "./connection.ts";
import { HeldValues } from "./held-values.ts";
import type { IndexTable, RowValues } from "./index-table.ts";
import type { SchemaMaker } from "./schema-maker.ts";
import { type Aside, SetAside } from "./set-aside.ts";
import { type Known, Settling } from "./settling.ts";
import {
  CONSTRAINT_CHECK,
  CONSTRAINT_NOTNULL,
  CONSTRAINT_PRIMARYKEY,
  CONSTRAINT_ROWID,
  CONSTRAINT_UNIQUE,
} from "./sqlite.ts";

export class Applier {
  readonly #connection: Connection;
  readonly #maker: SchemaMaker;
  readonly #aside = new SetAside();
  /** Tables with rows that are set aside, as the tables were at that time. */
  readonly #tables = new Map<string, IndexTable>();
  readonly #settling: Settling;
  readonly #held = new HeldValues();

  constructor(connection: Connection, maker: SchemaMaker) {
    this.#connection = connection;
    this.#maker = maker;
    this.#settling = new Settling({
      inTheWay: (name, values) => this.#table(name)?.inTheWay(values) ?? [],
      put: (name, known) => this.#placed(name, known),
      takeOut: (name) => this.#takeOut(name),
      standBack: (name, values, reason, forName) => this.#standBack(name, values, reason, forName),
    });
  }

  hasSetAside(table: string): boolean {
    return this.#aside.has(table);
  }

  /** Large values that are in the tables. */
  get held(): HeldValues {
    return this.#held;
  }

  /** The table is empty and will be filled again. */
  forget(table: string): void {
    this.#held.forgetTable(table);
    this.#aside.forget(table);
    this.#settling.forget((name) => name.startsWith(`${table}/`));
  }

  /**
   * The schema may now allow rows that it did not allow before: all rows that are set aside in changed tables are tried
   * again.
   */
  schemaChanged(): void {
    for (const id of [...this.#aside.tables]) {
      const table = this.#maker.withId(id);
      if (table === undefined) this.forget(id);
      else if (this.#tables.get(id) !== table) {
        this.#tables.set(id, table);
        for (const name of this.#aside.namesOf(id)) this.#settling.wait(name);
      }
    }
    for (const id of [...this.#tables.keys()]) if (!this.#aside.has(id)) this.#tables.delete(id);
  }

  take({ name, table: id, key, row, cells: packed }: PackedRow): void {
    const table = this.#maker.withId(id);
    if (table === undefined) return;
    this.#leave(name);
    const { cells, held, lacks } = this.#held.resolve(table, name, key, packed);
    const read = row === undefined ? undefined : readOf(table, key, row, cells);
    const values = lacks === undefined ? read : undefined;
    if (table.isUnique || values === undefined || table.isKeyMade) table.delete(key);
    this.#held.forget(name);
    if (lacks === undefined) this.#held.set(name, held);
    if (lacks !== undefined && row !== undefined) return this.#lacking(table, key, lacks, read);
    const reason = this.#put(table, key, values, row !== undefined);
    if (reason === undefined) return;
    if (values !== undefined) this.#standBack(name, values, reason, undefined);
    this.#settling.wait(name);
  }

  /** A large value of the row is not here. */
  #lacking(table: IndexTable, key: string, reason: string, values: RowValues | undefined): void {
    this.#setAside(table, key, { kind: "content", reason, row: values === undefined ? {} : table.toRow(values) });
  }

  /** Names of rows that it needs to know to go on; none: all rows have their places. */
  unsettled(): string[] {
    return this.#settling.wanted(APPLY_ROWS);
  }

  /** Takes rows as they are now, and when each was written last. */
  settle(rows: Iterable<PackedRow>, versionOf: (at: number) => Version): void {
    let at = 0;
    for (const { name, table: id, key, row, cells: packed } of rows) {
      const version = versionOf(at++);
      const table = this.#maker.withId(id);
      if (table === undefined || row === undefined) {
        this.#settling.tell(name, { version, values: undefined, isPresent: row !== undefined });
        continue;
      }
      const { cells, held, lacks } = this.#held.resolve(table, name, key, packed);
      if (lacks === undefined) this.#held.set(name, held);
      const values = lacks === undefined ? readOf(table, key, row, cells) : undefined;
      this.#settling.tell(name, { version, values, isPresent: true, lacks });
    }
  }

  conflicts(): Conflict[] {
    const conflicts: Conflict[] = [];
    for (const [name, { kind, reason, row }] of this.#aside.all()) {
      const table = this.#table(name);
      if (table !== undefined) conflicts.push({ kind, table: table.model.name, key: name, row, reason });
    }
    conflicts.push(...this.#danglingReferences());
    return conflicts.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.kind < b.kind ? -1 : 1));
  }

  #table(name: string): IndexTable | undefined {
    return this.#maker.withId(name.slice(0, TABLE_ID_CHARS));
  }

  /** Forgets what was set aside of the row. The rows that stood back for it are tried again. */
  #leave(name: string): void {
    for (const other of this.#aside.leave(name)) this.#settling.wait(other);
  }

  #takeOut(name: string): void {
    this.#leave(name);
    this.#table(name)?.delete(keyOf(name));
  }

  #placed(name: string, { values, isPresent, lacks }: Known): string | undefined {
    const table = this.#table(name);
    if (table !== undefined && lacks !== undefined) this.#lacking(table, keyOf(name), lacks, undefined);
    if (lacks !== undefined) return undefined;
    return table === undefined ? undefined : this.#put(table, keyOf(name), values, isPresent);
  }

  /** Returns SQLite's message if another row is in its place. */
  #put(table: IndexTable, key: string, values: RowValues | undefined, isPresent: boolean): string | undefined {
    if (values === undefined) {
      if (isPresent) this.#setAside(table, key, { kind: "malformed", reason: "It is no row of this table", row: {} });
      return undefined;
    }
    try {
      table.insert(key, values);
      return undefined;
    } catch (error) {
      if (!(error instanceof SqliteError)) throw error;
      return this.#refused(table, key, values, error);
    }
  }

  #refused(table: IndexTable, key: string, values: RowValues, error: SqliteError): string | undefined {
    // SQLite may have undone everything.
    if (error.code === "out-of-memory") throw error;
    const row = table.toRow(values);
    const reason = error.message;
    switch (error.result) {
      case CONSTRAINT_UNIQUE:
      case CONSTRAINT_PRIMARYKEY:
      case CONSTRAINT_ROWID:
        return reason;
      case CONSTRAINT_CHECK:
        return this.#putUnchecked(table, key, values, { kind: "check", reason, row });
      default: {
        table.delete(key);
        const kind = error.result === CONSTRAINT_NOTNULL ? "not-null" : "malformed";
        this.#setAside(table, key, { kind, reason, row });
        return undefined;
      }
    }
  }

  #putUnchecked(table: IndexTable, key: string, values: RowValues, aside: Aside): string | undefined {
    this.#connection.run("PRAGMA ignore_check_constraints = ON");
    // Prepared statements include the checks.
    table.close();
    try {
      table.insert(key, values);
      this.#setAside(table, key, aside);
      return undefined;
    } catch (error) {
      if (!(error instanceof SqliteError)) throw error;
      return this.#refused(table, key, values, error);
    } finally {
      table.close();
      this.#connection.run("PRAGMA ignore_check_constraints = OFF");
    }
  }

  #setAside(table: IndexTable, key: string, aside: Aside): void {
    this.#tables.set(table.model.id, table);
    this.#aside.put(`${table.model.id}/${key}`, aside);
  }

  #standBack(name: string, values: RowValues, reason: string, forName: string | undefined): void {
    const table = this.#table(name);
    if (table === undefined) return;
    this.#setAside(table, keyOf(name), { kind: "unique", reason, row: table.toRow(values), for: forName });
  }

  #danglingReferences(): Conflict[] {
    const conflicts: Conflict[] = [];
    for (const table of this.#maker.tables) {
      for (const { parent, condition } of references(this.#connection, table.model.name)) {
        for (const { key, row } of table.where(condition)) {
          const reason = `It refers to a row of ${parent} that is not there`;
          conflicts.push({ kind: "foreign-key", table: table.model.name, key, row, reason });
        }
      }
    }
    return conflicts;
  }
}

function keyOf(name: string): string {
  return name.slice(TABLE_ID_CHARS + 1);
}

/** Undefined: it is not a row of this table. */
function readOf(table: IndexTable, key: string, row: CellReader, cells: readonly PackedCell[]): RowValues | undefined {
  try {
    return table.read(key, row, cells);
  } catch (error) {
    if (isStarfishError(error)) return undefined;
    throw error;
  }
}

/** The foreign keys of a table, each with a condition that is true for a row (`child`) whose other side is missing. */
function references(connection: Connection, table: string): { parent: string; condition: string }[] {
  const sql = 'SELECT id, "table", "from", "to" FROM pragma_foreign_key_list(?) ORDER BY id, seq';
  const byId = new Map<SqlValue, { parent: string; columns: { from: string; to: string | undefined }[] }>();
  for (const [id = null, parent, from, to] of connection.all(sql, [table])) {
    const key = byId.get(id) ?? { parent: String(parent), columns: [] };
    key.columns.push({ from: String(from), to: typeof to === "string" ? to : undefined });
    byId.set(id, key);
  }
  return [...byId.values()].map(({ parent, columns }) => {
    const isSet = columns.map(({ from }) => `child.${quoted(from)} IS NOT NULL`).join(" AND ");
    const keys = connection.all("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", [parent]);
    const pairs = columns.map(({ from, to }, i) => {
      const name = to ?? String(keys[i]?.[0] ?? "rowid");
      return `parent.${quoted(name)} = child.${quoted(from)}`;
    });
    const names = connection
      .all("SELECT name FROM pragma_table_xinfo(?)", [parent])
      .map(([name]) => folded(String(name)));
    // The table may be gone, or another one may have its name.
    const isThere =
      names.length > 0 && columns.every(({ to }, i) => names.includes(folded(to ?? String(keys[i]?.[0]))));
    const lacks = isThere
      ? ` AND NOT EXISTS (SELECT 1 FROM ${quoted(parent)} parent WHERE ${pairs.join(" AND ")})`
      : "";
    return { parent, condition: `${isSet}${lacks}` };
  });
}

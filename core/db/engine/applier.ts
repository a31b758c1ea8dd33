/**
 * Puts rows as the map has them into the tables. Local statements obey the constraints; what merging made may not, and then:
 *
 * - A row that has a value which must be unique and that another row has: of two the one written later keeps its place, and
 *   the other is set aside until it can come back. Rows that depend on each other so are settled together (`unsettled`,
 *   `settle`): all are taken out and put back one after the other, the latest first. What comes out depends on the rows and
 *   their versions alone.
 * - A row without a value that its table demands, or that is no row of this table, is set aside.
 * - A row that breaks a CHECK is put in its place and told of. So is a reference to a row that is not there (describe.ts).
 */
import { isStarfishError } from "../../base/errors.ts";
import type { PackedRow } from "../rows.ts";
import { folded, TABLE_ID_CHARS } from "../schema/names.ts";
import { quoted } from "../schema/tokens.ts";
import type { Conflict, ConflictKind, SqlRow, SqlValue } from "../types.ts";
import { changesOf } from "./changeset.ts";
import { type Connection, SqliteError } from "./connection.ts";
import type { IndexTable, RowValues } from "./index-table.ts";
import type { SchemaMaker } from "./schema-maker.ts";
import {
  CONSTRAINT_CHECK,
  CONSTRAINT_NOTNULL,
  CONSTRAINT_PRIMARYKEY,
  CONSTRAINT_ROWID,
  CONSTRAINT_UNIQUE,
} from "./sqlite.ts";

interface Aside {
  readonly kind: ConflictKind;
  readonly reason: string;
  readonly row: SqlRow;
}

export class Applier {
  readonly #connection: Connection;
  readonly #maker: SchemaMaker;
  /** By table, then by key: rows that are not in their table; and those that are, but break a CHECK. */
  readonly #aside = new Map<string, Map<string, Aside>>();
  readonly #broken = new Map<string, Map<string, Aside>>();
  /** Tables with changed rows in this round; those where one found no place, or may have made one. */
  readonly #touched = new Set<string>();
  readonly #contested = new Set<string>();

  constructor(connection: Connection, maker: SchemaMaker) {
    this.#connection = connection;
    this.#maker = maker;
  }

  hasSetAside(table: string): boolean {
    return (this.#aside.get(table)?.size ?? 0) > 0;
  }

  /** The table is empty and is filled again. */
  forget(table: string): void {
    this.#aside.delete(table);
    this.#broken.delete(table);
  }

  take({ table: id, key, row, cells }: PackedRow): void {
    const table = this.#maker.withId(id);
    if (table === undefined) return;
    const isContested = this.#put(table, key, () => (row === undefined ? undefined : table.read(key, row, cells)), {
      isPresent: row !== undefined,
    });
    if (isContested) this.#contested.add(id);
    if (table.isUnique) this.#touched.add(id);
  }

  /** Names of the rows that are to be settled together. */
  unsettled(): string[] {
    const rows: string[] = [];
    for (const id of this.#touched) {
      const table = this.#maker.withId(id);
      if (table === undefined || (!this.#contested.has(id) && !this.hasSetAside(id))) continue;
      const keys = new Set(this.#aside.get(id)?.keys());
      for (const key of this.#inTheWay(table, [...keys])) keys.add(key);
      for (const key of keys) rows.push(`${id}/${key}`);
    }
    this.#touched.clear();
    this.#contested.clear();
    return rows;
  }

  /** Rows that belong together, those that keep their place first. */
  settle(rows: readonly PackedRow[]): void {
    for (const { table, key } of rows) this.#maker.withId(table)?.delete(key);
    for (const { table: id, key, row, cells } of rows) {
      const table = this.#maker.withId(id);
      if (table === undefined) continue;
      this.#put(table, key, () => (row === undefined ? undefined : table.read(key, row, cells)), {
        isPresent: row !== undefined,
      });
    }
  }

  conflicts(): Conflict[] {
    const conflicts: Conflict[] = [];
    for (const all of [this.#aside, this.#broken]) {
      for (const [id, rows] of all) {
        const table = this.#maker.withId(id);
        if (table === undefined) continue;
        for (const [key, { kind, reason, row }] of rows) {
          conflicts.push({ kind, table: table.model.name, key: `${id}/${key}`, row, reason });
        }
      }
    }
    conflicts.push(...this.#danglingReferences());
    return conflicts.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.kind < b.kind ? -1 : 1));
  }

  /** Whether another row is in its place. */
  #put(
    table: IndexTable,
    key: string,
    read: () => RowValues | undefined,
    { isPresent }: { readonly isPresent: boolean },
  ): boolean {
    const { id } = table.model;
    this.#aside.get(id)?.delete(key);
    this.#broken.get(id)?.delete(key);
    let values: RowValues | undefined;
    try {
      values = isPresent ? read() : undefined;
    } catch (error) {
      if (!isStarfishError(error)) throw error;
    }
    if (table.isUnique || values === undefined || table.isKeyMade) table.delete(key);
    if (values === undefined) {
      if (isPresent) this.#setAside(table, key, { kind: "malformed", reason: "It is no row of this table", row: {} });
      return false;
    }
    try {
      table.insert(key, values);
      return false;
    } catch (error) {
      if (!(error instanceof SqliteError)) throw error;
      return this.#refused(table, key, values, error);
    }
  }

  #refused(table: IndexTable, key: string, values: RowValues, error: SqliteError): boolean {
    const row = table.toRow(values);
    const reason = error.message;
    switch (error.result) {
      case CONSTRAINT_UNIQUE:
      case CONSTRAINT_PRIMARYKEY:
      case CONSTRAINT_ROWID:
        this.#setAside(table, key, { kind: "unique", reason, row });
        return true;
      case CONSTRAINT_CHECK:
        return this.#putUnchecked(table, key, values, { kind: "check", reason, row });
      case CONSTRAINT_NOTNULL:
        table.delete(key);
        this.#setAside(table, key, { kind: "not-null", reason, row });
        return false;
      default:
        table.delete(key);
        this.#setAside(table, key, { kind: "malformed", reason, row });
        return false;
    }
  }

  #putUnchecked(table: IndexTable, key: string, values: RowValues, aside: Aside): boolean {
    this.#connection.run("PRAGMA ignore_check_constraints = ON");
    // Statements have the checks in them.
    table.close();
    try {
      table.insert(key, values);
      const broken = this.#broken.get(table.model.id) ?? new Map<string, Aside>();
      this.#broken.set(table.model.id, broken.set(key, aside));
      return false;
    } catch (error) {
      if (!(error instanceof SqliteError)) throw error;
      return this.#refused(table, key, values, error);
    } finally {
      table.close();
      this.#connection.run("PRAGMA ignore_check_constraints = OFF");
    }
  }

  #setAside(table: IndexTable, key: string, aside: Aside): void {
    const rows = this.#aside.get(table.model.id) ?? new Map<string, Aside>();
    this.#aside.set(table.model.id, rows.set(key, aside));
  }

  /** Keys of rows in the table that have what these rows should have. SQLite says it by replacing them, for a trial. */
  #inTheWay(table: IndexTable, keys: Iterable<string>): string[] {
    const found: string[] = [];
    const { id, name } = table.model;
    const columns = table.columns.map(({ model }) => quoted(model.name));
    const places = columns.map(() => "?").join(", ");
    const sql = `INSERT OR REPLACE INTO ${quoted(name)} (${columns.join(", ")}) VALUES (${places})`;
    for (const key of keys) {
      const aside = this.#aside.get(id)?.get(key);
      if (aside?.kind !== "unique") continue;
      this.#connection.run("SAVEPOINT trial");
      const recording = this.#connection.record();
      try {
        this.#connection.run("PRAGMA ignore_check_constraints = ON");
        this.#connection.run(
          sql,
          table.columns.map(({ model }) => aside.row[model.name] ?? null),
        );
        for (const change of changesOf(recording.changeset())) {
          if (folded(change.table) !== folded(name) || change.kind === "insert") continue;
          found.push(table.keyOf(change.before).slice(TABLE_ID_CHARS + 1));
        }
      } catch (error) {
        if (!(error instanceof SqliteError)) throw error;
      } finally {
        recording.end();
        this.#connection.run("PRAGMA ignore_check_constraints = OFF");
        this.#connection.run("ROLLBACK TO trial");
        this.#connection.run("RELEASE trial");
      }
    }
    return found;
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

/** The foreign keys of a table, with what is true of a row (`child`) whose other side is not there. */
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
    const isThere = connection.all("SELECT 1 FROM pragma_table_list(?)", [parent]).length > 0;
    const lacks = isThere
      ? ` AND NOT EXISTS (SELECT 1 FROM ${quoted(parent)} parent WHERE ${pairs.join(" AND ")})`
      : "";
    return { parent, condition: `${isSet}${lacks}` };
  });
}

/**
 * Turns a statement that changes the schema into entries of the map. SQLite first runs the statement itself, in a
 * savepoint that is rolled back. So SQLite checks it, with SQLite's messages, and the outcome is read from
 * `sqlite_schema`.
 */
import { StarfishError } from "../../base/errors.ts";
import { isOfComputer } from "../computer-table.ts";
import { COLUMNS_MAX, DEFINITION_CHARS_MAX, NAME_CHARS_MAX } from "../limits.ts";
import {
  columnTexts,
  columnWrite,
  createTableWrites,
  dropColumnWrite,
  dropWrite,
  isTableAsSelect,
  objectWrite,
  plainName,
  type SchemaModel,
  type SchemaWrite,
} from "../schema/model.ts";
import { isReserved, labelWrite } from "../schema/labels.ts";
import { folded, ROWID } from "../schema/names.ts";
import { isWord, nameOf, quoted, tokensOf } from "../schema/tokens.ts";
import type { Connection } from "./connection.ts";
import { renaming } from "./labeller.ts";
import type { SchemaMaker } from "./schema-maker.ts";
import type { Statements } from "./statements.ts";

interface SchemaRow {
  readonly kind: string;
  readonly name: string;
  readonly table: string;
  readonly sql: string;
}

export interface Learnt {
  readonly writes: readonly SchemaWrite[];
  /** Ids of dropped tables. */
  readonly dropped: readonly string[];
  /** Folded names of what changed. */
  readonly tables: readonly string[];
  /** The statement to run afterwards: it fills a table that was made from a SELECT. */
  readonly fill: string | undefined;
}

export class SchemaChange {
  readonly #connection: Connection;
  readonly #statements: Statements;
  readonly #model: SchemaModel;
  readonly #maker: SchemaMaker;

  constructor(connection: Connection, statements: Statements, model: SchemaModel, maker: SchemaMaker) {
    this.#connection = connection;
    this.#statements = statements;
    this.#model = model;
    this.#maker = maker;
  }

  /** Throws SQLite's error for the statement, and "unsupported". */
  learn(sql: string): Learnt {
    const rename = renameOf(sql);
    if (rename !== undefined) return this.#renamed(sql, rename);
    const select = isTableAsSelect(sql);
    // Only the columns are wanted here; a statement that is recorded inserts the rows later.
    const text = select === undefined ? sql : sql.slice(0, -select.select.length) + emptied(select.select);
    const before = this.#maker.hasLabels ? this.#rowsInTexts() : this.#rows();
    const statement = this.#statements.judged(text).statement;
    this.#connection.run("SAVEPOINT learning");
    try {
      while (statement.step());
      if (this.#maker.hasLabels) this.#unlabel();
      const learnt = this.#difference(before, this.#rows());
      const isNew = select !== undefined && learnt.writes.length > 0;
      return { ...learnt, fill: isNew ? `INSERT INTO ${quoted(select.name)}${select.select}` : undefined };
    } finally {
      statement.finalize();
      this.#connection.run("ROLLBACK TO learning");
      this.#connection.run("RELEASE learning");
    }
  }

  /**
   * SQLite says whether the new name is possible. The texts of the schema stay, and so do the entries under the old
   * name.
   */
  #renamed(sql: string, { table: name, column: of, to }: Rename): Learnt {
    const statement = this.#statements.judged(sql).statement;
    this.#connection.run("SAVEPOINT learning");
    try {
      renaming(this.#connection, () => {
        while (statement.step());
      });
    } finally {
      statement.finalize();
      this.#connection.run("ROLLBACK TO learning");
      this.#connection.run("RELEASE learning");
    }
    const table = this.#maker.named(name)?.model;
    if (table === undefined) throw new StarfishError("unsupported", `${name} can't be renamed`);
    if (of === undefined) checkName(to);
    else if (to.includes("/") || to.length > NAME_CHARS_MAX) checkName(to);
    const column = of === undefined ? undefined : table.columns.find((one) => folded(one.name) === folded(of));
    if (of !== undefined && column === undefined) throw new StarfishError("unsupported", `${of} can't be renamed`);
    // SQLite does not check that either while the schema is writable.
    const isTaken = table.columns.some((one) => one !== column && folded(one.name) === folded(to));
    if (column !== undefined && isTaken) throw new StarfishError("usage", `duplicate column name: ${to}`);
    const tables = [folded(table.name), ...(of === undefined ? [folded(to)] : [])];
    return { writes: [labelWrite(table.id, column?.id, to)], dropped: [], tables, fill: undefined };
  }

  #rowsInTexts(): Map<string, SchemaRow> {
    this.#connection.run("SAVEPOINT unlabelled");
    try {
      this.#unlabel();
      return this.#rows();
    } finally {
      this.#connection.run("ROLLBACK TO unlabelled");
      this.#connection.run("RELEASE unlabelled");
    }
  }

  #unlabel(): void {
    this.#maker.unlabel((name) => `${name}/${this.#model.epochs.get(folded(name)) ?? 1}`);
  }

  #rows(): Map<string, SchemaRow> {
    const rows = this.#connection.all(
      "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    );
    return new Map(
      rows.map(([kind, name, table, sql]) => [
        folded(String(name)),
        { kind: String(kind), name: String(name), table: String(table), sql: String(sql) },
      ]),
    );
  }

  #difference(before: ReadonlyMap<string, SchemaRow>, after: ReadonlyMap<string, SchemaRow>): Omit<Learnt, "fill"> {
    const writes: SchemaWrite[] = [];
    const dropped: string[] = [];
    const tables: string[] = [];
    for (const [name, row] of after) {
      const old = before.get(name);
      // A statement changes no text of other objects, except for names in it.
      if (old !== undefined && (old.sql === row.sql || row.kind !== "table")) continue;
      checkName(plainName(row.name));
      if (old === undefined) writes.push(...this.#made(row));
      else writes.push(...this.#altered(row));
      tables.push(old === undefined ? plainName(name) : folded(this.#maker.shownName(name)));
    }
    for (const [name, row] of before) {
      if (after.has(name)) continue;
      writes.push(...this.#gone(name, row, dropped));
      tables.push(folded(this.#maker.shownName(name)));
    }
    return { writes, dropped, tables };
  }

  #made(row: SchemaRow): SchemaWrite[] {
    const { kind, name, sql } = row;
    if (sql.length > DEFINITION_CHARS_MAX) {
      throw new StarfishError("too-large", `A definition has at most ${DEFINITION_CHARS_MAX} characters`);
    }
    if (kind === "table") {
      const primaryKey = this.#primaryKey(name);
      // SQLite itself refuses to add such a column later.
      if (primaryKey.length === 0 && columnTexts(sql).has(ROWID)) throw hasRowid();
      return createTableWrites(this.#model, plainName(name), sql, primaryKey);
    }
    if (kind !== "index" && kind !== "view" && kind !== "trigger") throw new StarfishError("unsupported", kind);
    // A table that was made earlier in the same transaction has its id by now.
    const table = kind === "view" ? undefined : this.#maker.inTexts(row.table)?.id;
    if (kind === "trigger" && table === undefined) {
      throw new StarfishError("unsupported", "A shared database has triggers of tables only");
    }
    return [objectWrite(this.#model, { kind, name, sql }, table)];
  }

  #altered({ name, sql }: SchemaRow): SchemaWrite[] {
    const model = this.#maker.inTexts(name);
    if (model === undefined) return [];
    const now = columnTexts(sql);
    const writes: SchemaWrite[] = [];
    for (const column of model.columns) {
      if (!now.has(folded(column.name))) writes.push(dropColumnWrite(model.id, column));
    }
    let ordinal = Math.max(...model.columns.map((column) => column.ordinal));
    const known = new Set(model.columns.map((column) => folded(column.name)));
    const added = [...now].filter(([column]) => !known.has(column));
    if (known.size + added.length > COLUMNS_MAX) {
      throw new StarfishError("too-large", `A table has at most ${COLUMNS_MAX} columns`);
    }
    for (const [, column] of added) {
      writes.push(columnWrite(this.#model, model.id, column.name, column.definition, ++ordinal));
    }
    return writes;
  }

  #gone(name: string, row: SchemaRow, dropped: string[]): SchemaWrite[] {
    if (row.kind === "table") {
      const table = this.#maker.inTexts(name);
      if (table === undefined) return [];
      dropped.push(table.id);
      return [dropWrite(plainName(table.name), table.epoch)];
    }
    const object = this.#model.objects.find((known) => folded(known.name) === name);
    return object === undefined ? [] : [dropWrite(object.name, object.epoch)];
  }

  #primaryKey(table: string): string[] {
    const rows = this.#connection.all("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", [table]);
    return rows.map(([name]) => String(name));
  }
}

interface Rename {
  readonly table: string;
  readonly column: string | undefined;
  readonly to: string;
}

/** `ALTER TABLE t RENAME TO u`, `ALTER TABLE t RENAME COLUMN a TO b`. */
function renameOf(sql: string): Rename | undefined {
  const [alter, table, ...rest] = [...tokensOf(sql)].filter(({ text }) => text !== ";");
  if (!isWord(alter, "ALTER") || !isWord(table, "TABLE")) return undefined;
  const [name, ...words] = rest[1]?.text === "." ? rest.slice(2) : rest;
  if (name === undefined || !isWord(words[0], "RENAME")) return undefined;
  const said = words.slice(1);
  const to = said.at(-1);
  if (to === undefined) return undefined;
  if (said.length === 2 && isWord(said[0], "TO")) return { table: nameOf(name), column: undefined, to: nameOf(to) };
  const column = said.at(-3);
  return column === undefined ? undefined : { table: nameOf(name), column: nameOf(column), to: nameOf(to) };
}

function emptied(select: string): string {
  return ` SELECT * FROM (${select.replace(/;\s*$/, "")}) LIMIT 0`;
}

function hasRowid(): StarfishError {
  return new StarfishError(
    "unsupported",
    `A table without a primary key has a hidden key that is called ${ROWID}: no column of it can have this name`,
  );
}

function checkName(name: string): void {
  if (isOfComputer(folded(name)))
    throw new StarfishError("unsupported", `${name} is a table of the computer: yours needs another name`);
  if (isReserved(name))
    throw new StarfishError("unsupported", `Names that begin with _ are the database's own: ${name}`);
  if (name.length > NAME_CHARS_MAX)
    throw new StarfishError("too-large", `A name has at most ${NAME_CHARS_MAX} letters`);
  if (name.includes("/")) throw new StarfishError("unsupported", `A name can't contain /: ${name}`);
}

/**
 * Keeps SQLite's schema equal to the model. Objects that changed are made anew. A table that only gained or lost
 * columns is altered, unless rows with such columns came before these; any other change empties it, and it has to be
 * filled again.
 */
import { isStarfishError, messageOf, StarfishError } from "../../base/errors.ts";
import { assert } from "../../base/assert.ts";
import {
  type ColumnModel,
  type ObjectModel,
  physicalColumn,
  physicalSql,
  type SchemaModel,
  type TableModel,
} from "../schema/model.ts";
import { UNKNOWN_COLUMNS_MAX } from "../limits.ts";
import { shownTable } from "../schema/labels.ts";
import { folded } from "../schema/names.ts";
import { quoted } from "../schema/tokens.ts";
import type { Connection } from "./connection.ts";
import { IndexTable, type KeySource } from "./index-table.ts";
import { Labeller } from "./labeller.ts";
import type { Statements } from "./statements.ts";

export interface Made {
  /** Ids of tables that are empty now. */
  readonly refill: readonly string[];
  /** Objects that could not be made, with the reasons, by folded name. */
  readonly problems: ReadonlyMap<string, string>;
}

const OPTIONS: RegExp = /^(?:\s|,|WITHOUT\s+ROWID|STRICT)*$/i;

export class SchemaMaker {
  readonly #connection: Connection;
  readonly #statements: Statements;
  readonly #keys: KeySource;
  /** By folded name, as the texts of the schema have it. */
  #tables = new Map<string, IndexTable>();
  #byId = new Map<string, IndexTable>();
  /** The renamed tables, by the name that statements use. */
  #byLabel = new Map<string, IndexTable>();
  readonly #labeller: Labeller;
  /** The renamed tables with their first names, as the texts of the schema have them. */
  #unlabelled = new Map<string, TableModel>();
  #objects = new Map<string, ObjectModel>();
  /** By the ids of tables: columns that rows have and the tables do not, because the schema is yet to come. */
  readonly #unknown = new Map<string, Set<number>>();
  /** The id of the table that `make` is about. */
  making: string | undefined;

  constructor(connection: Connection, statements: Statements, keys: KeySource) {
    this.#connection = connection;
    this.#statements = statements;
    this.#keys = keys;
    this.#labeller = new Labeller(connection);
  }

  /** The table that has this name in statements. */
  named(name: string): IndexTable | undefined {
    const labelled = this.#byLabel.get(folded(name));
    if (labelled !== undefined || this.#byLabel.size === 0) return labelled ?? this.#tables.get(folded(name));
    const table = this.#tables.get(folded(name));
    return table !== undefined && folded(table.model.name) === folded(name) ? table : undefined;
  }

  /** The table that has this name in the texts of the schema, and its columns. */
  inTexts(name: string): TableModel | undefined {
    return this.#unlabelled.get(folded(name)) ?? this.#tables.get(folded(name))?.model;
  }

  /** The name in statements of the table that has this name in the texts of the schema. */
  shownName(name: string): string {
    return this.#tables.get(folded(name))?.model.name ?? name;
  }

  /** Whether any table or column was renamed, so that its name in statements differs from the texts of the schema. */
  get hasLabels(): boolean {
    return this.#labeller.isUsed;
  }

  /**
   * Gives everything the names of the texts, in a savepoint that is rolled back. `nameOfNew` names what was made
   * meanwhile.
   */
  unlabel(nameOfNew: (name: string) => string): void {
    this.#labeller.unlabel(nameOfNew);
  }

  withId(id: string): IndexTable | undefined {
    return this.#byId.get(id);
  }

  get tables(): Iterable<IndexTable> {
    return this.#tables.values();
  }

  get objects(): Iterable<ObjectModel> {
    return this.#objects.values();
  }

  /** Returns a function that restores the present state. */
  state(): () => void {
    const [tables, byId, objects] = [new Map(this.#tables), new Map(this.#byId), new Map(this.#objects)];
    const [byLabel, unlabelled] = [this.#byLabel, this.#unlabelled];
    const restoreLabels = this.#labeller.state();
    return () => {
      this.#tables = tables;
      this.#byId = byId;
      this.#objects = objects;
      this.#byLabel = byLabel;
      this.#unlabelled = unlabelled;
      restoreLabels();
    };
  }

  /** Within the caller's transaction. `mayEmpty`: the caller fills tables that are empty afterwards. */
  make(model: SchemaModel, { mayEmpty }: { readonly mayEmpty: boolean }): Made {
    this.#statements.forget();
    const problems = new Map<string, string>();
    const refill: string[] = [];
    this.#takeLabelsOff();
    this.#dropObjects(model);
    for (const [name, table] of this.#tables) if (model.tables.get(name)?.id !== table.model.id) this.#dropTable(name);
    for (const id of this.#unknown.keys()) if (!this.#byId.has(id)) this.#unknown.delete(id);
    for (const [name, table] of model.tables) {
      const there = this.#tables.get(name);
      this.making = table.id;
      const isMissing = mayEmpty && this.#hasMissed(table);
      if (there !== undefined && !isMissing && this.#alter(name, there, table)) continue;
      if (there !== undefined && !mayEmpty) {
        problems.set(name, `${table.name} can't be changed so`);
        continue;
      }
      if (there !== undefined) this.#dropTable(name);
      this.#unknown.delete(table.id);
      this.#attempt(name, problems, () => {
        this.#create(name, table);
        refill.push(table.id);
      });
    }
    for (const object of model.objects) {
      if (this.#objects.has(folded(object.name))) continue;
      this.making = object.table;
      this.#attempt(folded(object.name), problems, () => this.#createObject(object, refill));
    }
    this.#putLabelsOn(model, problems);
    return { refill, problems };
  }

  #takeLabelsOff(): void {
    if (!this.hasLabels) return;
    for (const table of this.#tables.values()) table.close();
    this.#labeller.unlabel();
    for (const [name, model] of this.#unlabelled) this.#add(name, model);
    this.#unlabelled = new Map();
    this.#byLabel = new Map();
  }

  #putLabelsOn(model: SchemaModel, problems: Map<string, string>): void {
    // An object that could not be made has no name.
    const there = [...model.tables].filter(([name]) => this.#tables.has(name));
    const changed = there.filter(([, table]) => shownTable(table) !== table);
    if (changed.length === 0) return;
    for (const table of this.#tables.values()) table.close();
    this.#attempt("new names", problems, () => this.#labeller.label(changed.map(([, table]) => table)));
    if (!this.hasLabels) return;
    this.#unlabelled = new Map(changed);
    for (const [name, table] of changed) {
      const shown = shownTable(table);
      this.#add(name, shown);
      const made = this.#tables.get(name);
      if (made !== undefined) this.#byLabel.set(folded(shown.name), made);
    }
  }

  /** An attempt that fails leaves nothing behind. */
  #attempt(name: string, problems: Map<string, string>, work: () => void): void {
    this.#connection.run("SAVEPOINT making");
    try {
      work();
      this.#connection.run("RELEASE making");
    } catch (error) {
      // Without memory SQLite may have undone everything.
      if (!isStarfishError(error) || error.code === "out-of-memory") throw error;
      problems.set(name, messageOf(error));
      this.#connection.run("ROLLBACK TO making");
      this.#connection.run("RELEASE making");
    }
  }

  #dropObjects(model: SchemaModel): void {
    const wanted = new Map(model.objects.map((object) => [folded(object.name), object]));
    for (const [name, object] of [...this.#objects].toReversed()) {
      const next = wanted.get(name);
      if (next?.sql === object.sql && next.table === object.table && next.kind === object.kind) continue;
      this.#connection.run(`DROP ${object.kind} IF EXISTS ${quoted(object.name)}`);
      this.#objects.delete(name);
      this.#refresh(object.table);
    }
  }

  #dropTable(name: string): void {
    const table = this.#tables.get(name);
    assert(table !== undefined, "only a table that is there is dropped");
    table.drop();
    this.#tables.delete(name);
    this.#byId.delete(table.model.id);
    // Its indexes and triggers were dropped with it.
    for (const [key, object] of this.#objects) if (object.table === table.model.id) this.#objects.delete(key);
  }

  #create(name: string, model: TableModel): void {
    if (!OPTIONS.test(model.options)) throw new StarfishError("unsupported", `A table can't be ${model.options}`);
    this.#connection.run(physicalSql(model));
    this.#add(name, model);
  }

  #add(name: string, model: TableModel): void {
    let unknown = this.#unknown.get(model.id);
    if (unknown === undefined) this.#unknown.set(model.id, (unknown = new Set()));
    const table = new IndexTable(this.#connection, model, this.#keys, unknown);
    this.#tables.set(name, table);
    this.#byId.set(model.id, table);
  }

  /** Whether rows came before a column of theirs, so that the table lacks their values. */
  #hasMissed({ id, columns }: TableModel): boolean {
    const unknown = this.#unknown.get(id);
    if (unknown === undefined || unknown.size === 0) return false;
    return unknown.size >= UNKNOWN_COLUMNS_MAX || columns.some((column) => unknown.has(column.id));
  }

  /** Alters the table to `next`, if that keeps its rows. Returns whether it did. */
  #alter(name: string, table: IndexTable, next: TableModel): boolean {
    const before = table.model;
    const steps = alterations(before, next);
    if (steps === undefined) return false;
    if (steps.length === 0) return true;
    table.close();
    this.#connection.run("SAVEPOINT altering");
    try {
      for (const step of steps) this.#connection.run(`ALTER TABLE ${quoted(before.name)} ${step}`);
      this.#add(name, next);
      this.#connection.run("RELEASE altering");
      return true;
    } catch (error) {
      if (!isStarfishError(error) || error.code === "out-of-memory") throw error;
      this.#connection.run("ROLLBACK TO altering");
      this.#connection.run("RELEASE altering");
      this.#tables.set(name, table);
      this.#byId.set(before.id, table);
      return false;
    }
  }

  #createObject(object: ObjectModel, refill: string[]): void {
    const table = object.table === undefined ? undefined : this.#byId.get(object.table);
    // The index or trigger is made when its table exists.
    if (object.kind !== "view" && table === undefined) return;
    const { statement, judge } = this.#statements.judged(object.sql);
    try {
      if (!judge.isOnly(object.kind, object.name)) return;
      if (object.kind === "index" && table !== undefined) {
        const isBroken = this.#fails(() => statement.step());
        if (isBroken) {
          // Rows of other nodes break the index. They find their places when the table is filled again.
          const name = folded(table.model.name);
          this.#connection.run(`DELETE FROM ${quoted(table.model.name)}`);
          statement.step();
          refill.push(table.model.id);
          table.close();
          this.#add(name, table.model);
        }
      } else statement.step();
    } finally {
      statement.finalize();
    }
    this.#objects.set(folded(object.name), object);
    this.#refresh(object.table);
  }

  #fails(work: () => void): boolean {
    try {
      work();
      return false;
    } catch (error) {
      if (isStarfishError(error, "constraint")) return true;
      throw error;
    }
  }

  /** Looks at a table anew after an index or trigger of it has changed. */
  #refresh(id: string | undefined): void {
    const table = id === undefined ? undefined : this.#byId.get(id);
    if (table === undefined) return;
    table.close();
    this.#add(folded(table.model.name), table.model);
  }
}

/** Undefined: the table has to be made anew. */
function alterations(before: TableModel, next: TableModel): string[] | undefined {
  const isSame =
    before.name === next.name &&
    before.options === next.options &&
    before.constraints.join("\0") === next.constraints.join("\0");
  if (!isSame) return undefined;
  const wanted = new Map(next.columns.map((column) => [column.id, column]));
  const kept: ColumnModel[] = [];
  const steps: string[] = [];
  for (const column of before.columns) {
    const same = wanted.get(column.id);
    if (same === undefined) steps.push(`DROP COLUMN ${quoted(column.name)}`);
    else if (same.name === column.name && same.definition === column.definition) kept.push(column);
    else return undefined;
  }
  // New columns come after the others, or it is another table.
  for (const [i, column] of next.columns.entries()) {
    if (kept[i] === undefined) steps.push(`ADD COLUMN ${quoted(column.name)} ${physicalColumn(next, column)}`);
    else if (kept[i].id !== column.id) return undefined;
  }
  return steps;
}

/**
 * Gives tables and columns of the index the names that statements use (schema/labels.ts). While the schema changes,
 * they get their first names back, because the texts of the schema use those. SQLite itself does the renaming, and
 * changes indexes, views, triggers and constraints accordingly.
 */
import { StarfishError } from "../../base/errors.ts";
import type { TableModel } from "../schema/model.ts";
import { folded } from "../schema/names.ts";
import { quoted } from "../schema/tokens.ts";
import type { Connection } from "./connection.ts";
import { DB_DEFENSIVE } from "./sqlite.ts";

interface Renaming {
  readonly from: string;
  readonly to: string;
}

interface Labelled {
  readonly table: Renaming;
  readonly columns: readonly Renaming[];
}

export class Labeller {
  readonly #connection: Connection;
  /** From the names in texts to those in statements. */
  #labelled: readonly Labelled[] = [];
  /** The texts of the schema as they were before, by kind and name. */
  #texts: ReadonlyMap<string, string> = new Map();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get isUsed(): boolean {
    return this.#labelled.length > 0;
  }

  /** Returns a function that restores the present state, for a transaction that is rolled back. */
  state(): () => void {
    const [labelled, texts] = [this.#labelled, this.#texts];
    return () => {
      this.#labelled = labelled;
      this.#texts = texts;
    };
  }

  label(tables: Iterable<TableModel>): void {
    const labelled: Labelled[] = [];
    for (const { name, label, columns } of tables) {
      const changed = columns.flatMap((column) =>
        column.label === undefined ? [] : [{ from: column.name, to: column.label }],
      );
      if (label === undefined && changed.length === 0) continue;
      labelled.push({ table: { from: name, to: label ?? name }, columns: changed });
    }
    if (labelled.length === 0) return;
    const texts = this.#textsNow();
    renaming(this.#connection, () => {
      for (const { table, columns } of labelled) this.#renameColumns(table.from, columns);
      this.#renameTables(labelled.map(({ table }) => table));
    });
    this.#labelled = labelled;
    this.#texts = texts;
  }

  /**
   * Gives the first names back. Tables that a statement has dropped meanwhile are skipped. With `nameOfNew`, a new
   * table that has taken a first name gets another name from it; then the caller has to roll everything back.
   */
  unlabel(nameOfNew?: (name: string) => string): void {
    if (this.#labelled.length === 0) return;
    renaming(this.#connection, () => {
      const there = this.#labelled.filter(({ table }) => this.#kindOf(table.to) === "table");
      const known = new Set(there.map(({ table }) => folded(table.to)));
      for (const { table } of there) {
        const kind = known.has(folded(table.from)) ? undefined : this.#kindOf(table.from);
        if (kind === undefined) continue;
        if (kind !== "table" || nameOfNew === undefined) throw taken(table.from, table.to);
        this.#run(`ALTER TABLE ${quoted(table.from)} RENAME TO ${quoted(nameOfNew(table.from))}`);
      }
      this.#renameTables(there.map(({ table }) => reversed(table)));
      for (const { table, columns } of there) this.#renameColumns(table.from, columns.map(reversed));
      if (nameOfNew === undefined) this.#restoreTexts();
    });
    if (nameOfNew === undefined) this.#labelled = [];
  }

  /**
   * A text may refer to something that does not exist (any more), by a name that something else has had meanwhile.
   * SQLite renames that reference too. That would make a different index, so the texts are restored.
   */
  #restoreTexts(): void {
    for (const [key, sql] of this.#textsNow()) {
      const before = this.#texts.get(key);
      if (before === undefined || before === sql) continue;
      const [kind = "", name = ""] = key.split("\0");
      this.#connection.run("UPDATE sqlite_schema SET sql = ? WHERE type = ? AND name = ?", [before, kind, name]);
    }
    this.#run("PRAGMA writable_schema = RESET");
  }

  #textsNow(): Map<string, string> {
    const rows = this.#connection.all("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL");
    return new Map(rows.map(([kind, name, sql]) => [`${String(kind)}\0${String(name)}`, String(sql)] as const));
  }

  #renameTables(all: readonly Renaming[]): void {
    const steps = all.filter(({ from, to }) => from !== to);
    // A table may take the name that another one gives up.
    for (const [i, { from }] of steps.entries()) this.#run(`ALTER TABLE ${quoted(from)} RENAME TO _renamed_${i}`);
    for (const [i, { to }] of steps.entries()) this.#run(`ALTER TABLE _renamed_${i} RENAME TO ${quoted(to)}`);
  }

  #renameColumns(table: string, all: readonly Renaming[]): void {
    const there = new Set(
      this.#connection.all("SELECT name FROM pragma_table_xinfo(?)", [table]).map(([name]) => folded(String(name))),
    );
    const steps = all.filter(({ from }) => there.has(folded(from)));
    for (const { from } of steps) there.delete(folded(from));
    for (const { from, to } of steps) if (there.has(folded(to))) throw taken(to, from);
    const alter = `ALTER TABLE ${quoted(table)} RENAME COLUMN`;
    // At this moment SQLite would allow two columns of one name, and rename either of them.
    const names = [...there, ...steps.flatMap(({ from, to }) => [folded(from), folded(to)])];
    let between = "_renamed_";
    while (names.some((name) => name.startsWith(between))) between += "_";
    for (const [i, { from }] of steps.entries()) this.#run(`${alter} ${quoted(from)} TO ${quoted(between + i)}`);
    for (const [i, { to }] of steps.entries()) this.#run(`${alter} ${quoted(between + i)} TO ${quoted(to)}`);
  }

  #kindOf(name: string): string | undefined {
    const sql = "SELECT type FROM sqlite_schema WHERE name = ? COLLATE NOCASE AND type <> 'trigger'";
    const kind = this.#connection.all(sql, [name])[0]?.[0];
    return typeof kind === "string" ? kind : undefined;
  }

  #run(sql: string): void {
    this.#connection.run(sql);
  }
}

/**
 * Lets SQLite rename in its present way: in all texts. A broken text (a view of something that is not there) stays as
 * it is and hinders nothing; that needs a writable schema.
 */
export function renaming<Result>(connection: Connection, work: () => Result): Result {
  connection.configure(DB_DEFENSIVE, false);
  connection.run("PRAGMA legacy_alter_table = OFF");
  connection.run("PRAGMA writable_schema = ON");
  try {
    return work();
  } finally {
    connection.run("PRAGMA writable_schema = OFF");
    connection.run("PRAGMA legacy_alter_table = ON");
    connection.configure(DB_DEFENSIVE, true);
  }
}

function reversed({ from, to }: Renaming): Renaming {
  return { from: to, to: from };
}

function taken(name: string, now: string): StarfishError {
  return new StarfishError("unsupported", `${name} is what ${now} was called first: choose another name`);
}

/**
 * Names that tables and columns were given later. A table or column keeps its id, and the texts that mention it
 * (indexes, views, constraints) keep its first name. A new name is a label, an entry of its own; the latest one counts.
 * So nothing is lost that others write under the old name meanwhile. Pure.
 */
import * as v from "valibot";
import { check, type Schema } from "../../base/codec.ts";
import { isStarfishError } from "../../base/errors.ts";
import { isOfComputer } from "../computer-table.ts";
import { NAME_CHARS_MAX } from "../limits.ts";
import type { ColumnModel, SchemaWrite, TableModel } from "./model.ts";
import { folded, labelKey, partsOfLabelKey } from "./names.ts";

export interface Label {
  readonly name: string;
  readonly stamp: number;
}

const labelSchema: Schema<{ readonly n: string }> = v.strictObject({
  n: v.pipe(v.string(), v.minLength(1), v.maxLength(NAME_CHARS_MAX), v.regex(/^[^/\0]*$/)),
});

/** Names that belong to SQLite, or to the database itself. */
export function isReserved(name: string): boolean {
  return /^(sqlite_|_)/i.test(name) || isOfComputer(folded(name));
}

/** The labels in the map. */
export class Labels {
  readonly #tables = new Map<string, Label>();
  readonly #columns = new Map<string, Map<number, Label>>();

  /** Returns false for an entry with an impossible value. */
  take(key: string, value: unknown, stamp: number): boolean {
    const parts = partsOfLabelKey(key);
    const name = nameIn(value);
    if (parts === undefined || name === undefined) return false;
    const { table, column } = parts;
    if (column === undefined) {
      if (isReserved(name)) return false;
      this.#tables.set(table, { name, stamp });
      return true;
    }
    // SQLite refuses these, and with one new name all of them.
    if (ROWID_NAMES.has(folded(name))) return false;
    const columns = this.#columns.get(table) ?? new Map<number, Label>();
    this.#columns.set(table, columns.set(column, { name, stamp }));
    return true;
  }

  ofTable(id: string): Label | undefined {
    return this.#tables.get(id);
  }

  ofColumns(table: string): ReadonlyMap<number, Label> {
    return this.#columns.get(table) ?? NONE;
  }
}

const NONE: ReadonlyMap<number, Label> = new Map();
const ROWID_NAMES: ReadonlySet<string> = new Set(["rowid", "_rowid_", "oid"]);

function nameIn(value: unknown): string | undefined {
  try {
    return check(labelSchema, value).n;
  } catch (error) {
    if (isStarfishError(error)) return undefined;
    throw error;
  }
}

export interface Wish {
  readonly id: string;
  /** Its name if nobody has given it another. */
  readonly own: string;
  readonly label: Label | undefined;
}

/**
 * Decides which name each gets. Those that nobody has renamed keep their names (`taken`). The others choose in the
 * order in which they were renamed. One that does not get its label keeps its own name; if that is taken too, it gets
 * the label and its id.
 */
export function allotted(wishes: readonly Wish[], taken: Iterable<string>): Map<string, string> {
  const used = new Set(Array.from(taken, folded));
  const names = new Map<string, string>();
  const order = wishes.toSorted(
    (a, b) => (a.label?.stamp ?? 0) - (b.label?.stamp ?? 0) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
  );
  for (const { id, own, label } of order) {
    const wanted = label?.name ?? own;
    let name = [wanted, own].find((one) => !used.has(folded(one))) ?? `${wanted}_${id}`;
    // Ids are known to all, so somebody may have taken that name too.
    while (used.has(folded(name))) name += "_";
    used.add(folded(name));
    names.set(id, name);
  }
  return names;
}

/** A table with the names that statements use. */
export function shownTable(table: TableModel): TableModel {
  if (table.label === undefined && table.columns.every(({ label }) => label === undefined)) return table;
  const shown = new Map(table.columns.map(({ name, label }) => [folded(name), label ?? name]));
  return {
    ...table,
    name: table.label ?? table.name,
    primaryKey: table.primaryKey.map((name) => shown.get(folded(name)) ?? name),
    columns: table.columns.map((column): ColumnModel => ({ ...column, name: column.label ?? column.name })),
  };
}

export function labelWrite(table: string, column: number | undefined, name: string): SchemaWrite {
  return { key: labelKey(table, column), value: { n: name } };
}

/** For the test suite that sends extreme values of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { labelSchema };

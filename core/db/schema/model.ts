/**
 * The schema, made of the map's entries. It is the same on all nodes that have the same entries, in whatever order they
 * arrived. A name has epochs: CREATE opens one, DROP ends it for good, and the highest one counts. Nodes that create a
 * table of the same name and primary key at the same time create the same table, with the columns of all of them.
 * Impossible entries are left out. Pure.
 */
import * as v from "valibot";
import { check, integerOf, type Schema } from "../../base/codec.ts";
import { isStarfishError } from "../../base/errors.ts";
import { COLUMNS_MAX, DEFINITION_CHARS_MAX, NAME_CHARS_MAX, OBJECTS_MAX } from "../limits.ts";
import { columnId, columnKey, dropKey, folded, fromDigits, objectKey, ROWID, TABLE_ID, tableId } from "./names.ts";
import { parseCreateTable, typeOf } from "./create-table.ts";
import { allotted, isReserved, Labels, type Wish } from "./labels.ts";
import { isWord, nameOf, quoted, tokensOf } from "./tokens.ts";

export interface SchemaEntry {
  readonly key: string;
  readonly value: unknown;
  /** The stamp of its version. */
  readonly stamp: number;
}

type Merges = "last-writer" | "counter" | "set";

export interface ColumnModel {
  readonly id: number;
  readonly name: string;
  readonly definition: string;
  readonly ordinal: number;
  readonly merges: Merges;
  /** The name that statements use, if that is another. */
  readonly label: string | undefined;
}

export interface TableModel {
  readonly id: string;
  /** The name in texts: the one that it was created with. */
  readonly name: string;
  /** The name that statements use, if that is another. */
  readonly label: string | undefined;
  readonly epoch: number;
  /** The columns of the primary key; empty: rows have hidden keys. */
  readonly primaryKey: readonly string[];
  readonly columns: readonly ColumnModel[];
  readonly constraints: readonly string[];
  readonly options: string;
}

export interface ObjectModel {
  readonly kind: "view" | "index" | "trigger";
  readonly name: string;
  readonly epoch: number;
  /** The table's id; undefined for a view. */
  readonly table: string | undefined;
  readonly sql: string;
}

export interface SchemaModel {
  /** By folded name, as texts have it. */
  readonly tables: ReadonlyMap<string, TableModel>;
  /** Indexes, then views, then triggers, each by name. */
  readonly objects: readonly ObjectModel[];
  /** The epoch that the next object of a name opens, by folded name, if it is not the first. */
  readonly epochs: ReadonlyMap<string, number>;
  /** Folded names of tables that have another name now. Another table of such a name is told apart by its epoch. */
  readonly renamed: ReadonlySet<string>;
  /** Ids of dropped columns, by table. */
  readonly dropped: ReadonlyMap<string, ReadonlySet<number>>;
  /** The number of entries with impossible values. */
  readonly setAside: number;
}

export interface SchemaWrite {
  readonly key: string;
  readonly value: unknown;
}

interface TableValue {
  readonly k: "table";
  readonly n: string;
  readonly p: readonly string[];
  readonly r: readonly string[];
  readonly o: string;
  /** Another table of this name exists, under a new name: texts call this one NAME/EPOCH. */
  readonly q?: true | undefined;
}
type ObjectValue =
  | TableValue
  | { readonly k: "view"; readonly n: string; readonly s: string }
  | { readonly k: "index" | "trigger"; readonly n: string; readonly t: string; readonly s: string };

const nameSchema = v.pipe(v.string(), v.minLength(1), v.maxLength(NAME_CHARS_MAX));
const sqlSchema = v.pipe(v.string(), v.maxLength(DEFINITION_CHARS_MAX));
const objectSchema: Schema<ObjectValue> = v.variant("k", [
  v.strictObject({
    k: v.literal("table"),
    n: nameSchema,
    p: v.pipe(v.array(nameSchema), v.maxLength(COLUMNS_MAX)),
    r: v.pipe(v.array(sqlSchema), v.maxLength(COLUMNS_MAX)),
    o: sqlSchema,
    q: v.optional(v.literal(true)),
  }),
  v.strictObject({ k: v.literal("view"), n: nameSchema, s: sqlSchema }),
  v.strictObject({
    k: v.picklist(["index", "trigger"]),
    n: nameSchema,
    t: v.pipe(v.string(), v.regex(TABLE_ID)),
    s: sqlSchema,
  }),
]);
interface ColumnValue {
  readonly n: string;
  readonly d: string;
  readonly o: number;
  readonly x?: true | undefined;
}
const columnSchema: Schema<ColumnValue> = v.strictObject({
  n: nameSchema,
  d: sqlSchema,
  o: integerOf(0, 1_000_000),
  x: v.optional(v.literal(true)),
});

const EPOCH: RegExp = /^[1-9]\d{0,8}$/;

function readAs<Value>(schema: Schema<Value>, value: unknown): Value | undefined {
  try {
    return check(schema, value);
  } catch (error) {
    if (isStarfishError(error)) return undefined;
    throw error;
  }
}

interface Named {
  /** Folded. */
  readonly name: string;
  readonly epoch: number;
  readonly value: ObjectValue;
  readonly stamp: number;
}

export function readSchema(entries: Iterable<SchemaEntry>): SchemaModel {
  const reader = new Reading();
  for (const entry of entries) reader.take(entry);
  return reader.model();
}

class Reading {
  /** By name, then by epoch. */
  readonly #named = new Map<string, Map<number, Named>>();
  readonly #dropped = new Map<string, Set<number>>();
  readonly #labels = new Labels();
  readonly #columns = new Map<string, Map<number, ColumnValue>>();
  #setAside = 0;

  take({ key, value, stamp }: SchemaEntry): void {
    if (key.startsWith("!n/")) {
      if (!this.#labels.take(key, value, stamp)) this.#setAside++;
      return;
    }
    const last = key.lastIndexOf("/");
    const [kind, name, end] = [key.slice(0, 3), key.slice(3, last), key.slice(last + 1)];
    if (last < 3 || name === "") this.#setAside++;
    else if (kind === "!c/") this.#column(name, end, value);
    else if (!EPOCH.test(end) || name.length > NAME_CHARS_MAX) this.#setAside++;
    else if (kind === "!x/") this.#dropped.set(name, (this.#dropped.get(name) ?? new Set()).add(Number(end)));
    else if (kind === "!o/") this.#object(name, Number(end), value, stamp);
    else this.#setAside++;
  }

  model(): SchemaModel {
    const epochs = new Map<string, number>();
    const renamed = new Set<string>();
    const there = this.#present(epochs, renamed);
    // The oldest first, so that new objects push out none that are in use.
    there.sort((a, b) => a.stamp - b.stamp || (a.name < b.name ? -1 : a.name > b.name ? 1 : a.epoch - b.epoch));
    this.#setAside += Math.max(0, there.length - OBJECTS_MAX);
    const kept = there
      .slice(0, OBJECTS_MAX)
      .toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.epoch - b.epoch));
    const unlabelled = new Map<string, TableModel>();
    const objects: ObjectModel[] = [];
    for (const { epoch, value } of kept) {
      if (value.k === "table") {
        const table = this.#table(value, epoch);
        if (table === undefined || unlabelled.has(folded(table.name))) this.#setAside++;
        else unlabelled.set(folded(table.name), table);
      } else {
        const table = value.k === "view" ? undefined : value.t;
        objects.push({ kind: value.k, name: value.n, epoch, table, sql: value.s });
      }
    }
    const tables = this.#labelled(unlabelled, objects);
    const order = ["index", "view", "trigger"];
    objects.sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || (folded(a.name) < folded(b.name) ? -1 : 1));
    const dropped = new Map<string, Set<number>>();
    for (const [table, columns] of this.#columns) {
      for (const [id, { x }] of columns) {
        if (x !== true) continue;
        const ids = dropped.get(table) ?? new Set();
        dropped.set(table, ids.add(id));
      }
    }
    return { tables, objects, epochs, renamed, dropped, setAside: this.#setAside };
  }

  /** The objects that exist: of each name the one of the highest epoch, and tables that have other names now. */
  #present(epochs: Map<string, number>, renamed: Set<string>): Named[] {
    const there: Named[] = [];
    for (const [name, dropped] of this.#dropped) epochs.set(name, Math.max(...dropped) + 1);
    for (const [name, all] of this.#named) {
      const dropped = this.#dropped.get(name);
      const next = epochs.get(name) ?? 1;
      let own: Named | undefined;
      const others: Named[] = [];
      for (const named of all.values()) {
        if (this.#isRenamed(named)) {
          if (dropped?.has(named.epoch) !== true) others.push(named);
        } else if (named.epoch >= next && named.epoch > (own?.epoch ?? 0)) own = named;
      }
      for (const { epoch } of others) epochs.set(name, Math.max(epochs.get(name) ?? 1, epoch + 1));
      there.push(...others);
      if (others.length > 0) renamed.add(name);
      if (own === undefined) continue;
      epochs.set(name, own.epoch);
      // Texts could mean either of them.
      if (others.length > 0 && !isQualified(own.value)) this.#setAside++;
      else there.push(own);
    }
    return there;
  }

  #isRenamed({ value, epoch }: Named): boolean {
    return value.k === "table" && this.#labels.ofTable(tableId(value.n, epoch, value.p)) !== undefined;
  }

  /** Adds the names that statements use. */
  #labelled(tables: ReadonlyMap<string, TableModel>, objects: readonly ObjectModel[]): Map<string, TableModel> {
    const wishes: Wish[] = [];
    const taken = objects.map(({ name }) => name);
    for (const { id, name } of tables.values()) {
      const label = this.#labels.ofTable(id);
      if (label !== undefined || name.includes("/")) wishes.push({ id, own: plainName(name), label });
      else taken.push(name);
    }
    const names = allotted(wishes, taken);
    const labelled = new Map<string, TableModel>();
    for (const [key, table] of tables) {
      const label = names.get(table.id);
      labelled.set(key, label === undefined || label === table.name ? table : { ...table, label });
    }
    return labelled;
  }

  #object(name: string, epoch: number, value: unknown, stamp: number): void {
    const read = readAs(objectSchema, value);
    if (read === undefined || folded(read.n) !== name || isReserved(name) || name.includes("/")) {
      this.#setAside++;
      return;
    }
    const epochs = this.#named.get(name) ?? new Map<number, Named>();
    this.#named.set(name, epochs.set(epoch, { name, epoch, value: read, stamp }));
  }

  #column(table: string, id: string, value: unknown): void {
    const read = readAs(columnSchema, value);
    const columns = this.#columns.get(table) ?? new Map<number, ColumnValue>();
    if (read === undefined || !TABLE_ID.test(table) || id.length !== 6) {
      this.#setAside++;
      return;
    }
    columns.set(fromDigits(id), read);
    this.#columns.set(table, columns);
  }

  #table(value: TableValue, epoch: number): TableModel | undefined {
    const id = tableId(value.n, epoch, value.p);
    const columns: ColumnModel[] = [];
    const names = new Set<string>();
    const all = [...(this.#columns.get(id) ?? [])].filter(([, { x }]) => x !== true);
    all.sort(([a, x], [b, y]) => x.o - y.o || (folded(x.n) < folded(y.n) ? -1 : folded(x.n) > folded(y.n) ? 1 : a - b));
    for (const [column, { n, d, o }] of all) {
      const isHiddenKey = value.p.length === 0 && folded(n) === ROWID;
      // If two columns have the same name, the first keeps it.
      if (names.has(folded(n)) || columns.length >= COLUMNS_MAX || isHiddenKey) this.#setAside++;
      else columns.push({ id: column, name: n, definition: d, ordinal: o, merges: mergesOf(d), label: undefined });
      names.add(folded(n));
    }
    if (columns.length === 0 || !value.p.every((name) => names.has(folded(name)))) return undefined;
    return {
      id,
      name: isQualified(value) ? `${value.n}/${epoch}` : value.n,
      label: undefined,
      epoch,
      primaryKey: value.p,
      columns: this.#labelledColumns(id, columns),
      constraints: value.r,
      options: value.o,
    };
  }

  #labelledColumns(table: string, columns: readonly ColumnModel[]): readonly ColumnModel[] {
    const labels = this.#labels.ofColumns(table);
    if (labels.size === 0) return columns;
    const others = columns.filter(({ id }) => !labels.has(id));
    const wishes = columns.flatMap(({ id, name }): Wish[] => {
      const label = labels.get(id);
      return label === undefined ? [] : [{ id: String(id), own: name, label }];
    });
    const names = allotted(
      wishes,
      others.map(({ name }) => name),
    );
    return columns.map((column) => {
      const label = names.get(String(column.id));
      return label === undefined || label === column.name ? column : { ...column, label };
    });
  }
}

function isQualified(value: ObjectValue): boolean {
  return value.k === "table" && value.q === true;
}

/** The name of a table without its epoch. */
export function plainName(name: string): string {
  return name.split("/", 1)[0] ?? name;
}

function mergesOf(definition: string): Merges {
  const type = typeOf(definition).toUpperCase();
  return type === "COUNTER" ? "counter" : type === "JSONSET" ? "set" : "last-writer";
}

// What statements write

/** The entries that create a table which SQLite has (`sql`), with these columns as its primary key. */
export function createTableWrites(
  model: SchemaModel,
  name: string,
  sql: string,
  primaryKey: readonly string[],
): SchemaWrite[] {
  const { columns, constraints, options } = parseCreateTable(sql);
  const epoch = model.epochs.get(folded(name)) ?? 1;
  const isOther = model.renamed.has(folded(name));
  const value: TableValue = {
    k: "table",
    n: name,
    p: primaryKey,
    r: constraints,
    o: options,
    ...(isOther && { q: true }),
  };
  const id = tableId(name, epoch, primaryKey);
  return [
    { key: objectKey(name, epoch), value },
    ...columns.map((column, i) => columnWrite(model, id, column.name, column.definition, i)),
  ];
}

export function columnWrite(
  model: SchemaModel,
  table: string,
  name: string,
  definition: string,
  ordinal: number,
): SchemaWrite {
  const gone = model.dropped.get(table);
  let generation = 0;
  while (gone?.has(columnId(name, generation)) === true) generation++;
  return { key: columnKey(table, columnId(name, generation)), value: { n: name, d: definition, o: ordinal } };
}

export function dropColumnWrite(table: string, { id, name, definition, ordinal }: ColumnModel): SchemaWrite {
  return { key: columnKey(table, id), value: { n: name, d: definition, o: ordinal, x: true } };
}

export function objectWrite(
  model: SchemaModel,
  object: { readonly kind: ObjectModel["kind"]; readonly name: string; readonly sql: string },
  table: string | undefined,
): SchemaWrite {
  const { kind, name, sql } = object;
  const key = objectKey(name, model.epochs.get(folded(name)) ?? 1);
  return { key, value: table === undefined ? { k: kind, n: name, s: sql } : { k: kind, n: name, t: table, s: sql } };
}

export function dropWrite(name: string, epoch: number): SchemaWrite {
  return { key: dropKey(name, epoch), value: true };
}

// How a table is made in SQLite

/** The statement that makes the table in an index. */
export function physicalSql(table: TableModel): string {
  const columns = table.columns.map((column) => `${quoted(column.name)} ${physicalColumn(table, column)}`);
  const made =
    `CREATE TABLE ${quoted(table.name)} (${[...columns, ...table.constraints].join(", ")}) ${table.options}`.trim();
  if (!hasOwnKey(table) || /WITHOUT/i.test(table.options)) return made;
  // So all nodes have its rows in the same order, that of the key, and not in the order in which they arrived.
  return `${made}${table.options === "" ? " " : ", "}WITHOUT ROWID`;
}

/** Whether rows have a primary key that is not SQLite's rowid. */
function hasOwnKey({ primaryKey, columns }: TableModel): boolean {
  const [first, second] = primaryKey;
  if (first === undefined || second !== undefined) return first !== undefined;
  const column = columns.find(({ name }) => folded(name) === folded(first));
  return column === undefined || typeOf(column.definition).toUpperCase() !== "INTEGER";
}

/** A key is never NULL here, since rows are found by it. A missing UUID is made. */
export function physicalColumn({ primaryKey }: TableModel, { name, definition }: ColumnModel): string {
  if (!primaryKey.some((key) => folded(key) === folded(name))) return definition;
  const type = typeOf(definition).toUpperCase();
  if (primaryKey.length === 1 && type === "INTEGER") return definition;
  if (type !== "UUID" || hasDefault(definition)) return `${definition} NOT NULL`;
  return `${definition} NOT NULL ON CONFLICT REPLACE DEFAULT (uuid7())`;
}

function hasDefault(definition: string): boolean {
  for (const token of tokensOf(definition)) if (isWord(token, "DEFAULT")) return true;
  return false;
}

/** The columns of a CREATE TABLE statement, by folded name. */
export function columnTexts(sql: string): Map<string, { readonly name: string; readonly definition: string }> {
  return new Map(parseCreateTable(sql).columns.map((column) => [folded(column.name), column]));
}

/** Whether a statement has `AS SELECT` in the place of a table's columns. */
export function isTableAsSelect(sql: string): { readonly name: string; readonly select: string } | undefined {
  const tokens = [...tokensOf(sql)];
  let at = tokens.findIndex((token) => isWord(token, "TABLE")) + 1;
  if (isWord(tokens[at], "IF")) at += 3;
  const name = tokens[at];
  if (name === undefined) return undefined;
  at++;
  if (tokens[at]?.text === ".") at += 2;
  const as = tokens[at];
  if (as === undefined || !isWord(as, "AS")) return undefined;
  return { name: nameOf(name), select: sql.slice(as.to) };
}

/** For the test suite that sends extreme values of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { objectSchema, columnSchema };

/** The schema as it is shown to people. */
import { isStarfishError } from "../../base/errors.ts";
import { parseCreateTable, type TableText } from "../schema/create-table.ts";
import { isReserved } from "../schema/labels.ts";
import type { TableModel } from "../schema/model.ts";
import { folded } from "../schema/names.ts";
import { nameOf, quoted, tokensOf } from "../schema/tokens.ts";
import type { ColumnDetail, SchemaObject, SqlValue } from "../types.ts";
import type { Connection } from "./connection.ts";
import type { SchemaMaker } from "./schema-maker.ts";

export function describe(connection: Connection, maker: SchemaMaker, ofComputer: readonly string[]): SchemaObject[] {
  const objects: SchemaObject[] = ofComputer.map((name) => {
    const columns = columnsOf(connection, undefined, name);
    const list = columns.map((column) => [plain(column.name), column.type].filter(Boolean).join(" ")).join(", ");
    return {
      kind: "table",
      name,
      table: undefined,
      sql: `CREATE TABLE ${name} (${list})`,
      columns,
      isOfComputer: true,
    };
  });
  for (const { model } of maker.tables) {
    const shown = maker.hasLabels ? shownText(connection, maker, model) : model;
    const columns = shown.columns.map(({ name, definition }) => `${plain(name)} ${definition}`.trim());
    const body = [...columns, ...shown.constraints].join(", ");
    objects.push({
      kind: "table",
      name: model.name,
      table: undefined,
      sql: `CREATE TABLE ${plain(model.name)} (${body}) ${model.options}`.trim(),
      columns: columnsOf(connection, maker, model.name),
      isOfComputer: false,
    });
  }
  for (const { kind, name, table, sql } of maker.objects) {
    objects.push({
      kind,
      name,
      table: table === undefined ? undefined : maker.withId(table)?.model.name,
      sql: maker.hasLabels ? textOf(connection, maker, name) : sql,
      columns: kind === "view" ? columnsOf(connection, maker, name) : [],
      isOfComputer: false,
    });
  }
  return objects.toSorted((a, b) => (folded(a.name) < folded(b.name) ? -1 : 1));
}

/** A table's definition, with the names by which statements call it and other tables. */
function shownText(connection: Connection, maker: SchemaMaker, model: TableModel): TableText {
  const made = parseCreateTable(textOf(connection, maker, model.name));
  const keys = new Set(model.primaryKey.map(folded));
  const definitions = new Map(model.columns.map(({ name, definition }) => [folded(name), definition]));
  const columns = made.columns.map(({ name, definition }) => {
    // The index adds to the definition of a key; the declared one is shown.
    const own = keys.has(folded(name)) ? definitions.get(folded(name)) : undefined;
    return { name, definition: own ?? definition };
  });
  return { ...made, columns };
}

/**
 * The text of an object, with only the quotes that it needs. SQLite adds quotes to names when it renames them, and
 * keeps them.
 */
function textOf(connection: Connection, maker: SchemaMaker, name: string): string {
  const names = new Set<string>();
  for (const { model } of maker.tables) for (const one of [model, ...model.columns]) names.add(folded(one.name));
  const rows = connection.all("SELECT sql FROM sqlite_schema WHERE name = ? COLLATE NOCASE AND sql IS NOT NULL", [
    name,
  ]);
  const sql = String(rows[0]?.[0] ?? "");
  let text = "";
  let from = 0;
  for (const token of tokensOf(sql)) {
    const word = nameOf(token);
    if (token.kind !== "quoted" || !names.has(folded(word)) || plain(word) !== word || connection.isKeyword(word))
      continue;
    text += sql.slice(from, token.from) + word;
    from = token.to;
  }
  return text + sql.slice(from);
}

/** The schema of a file that is not part of the shared database. */
export function describeFile(connection: Connection): SchemaObject[] {
  const rows = connection.all(
    "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
  );
  return rows.flatMap(([type, name, table, sql]): SchemaObject[] => {
    const kind = KINDS.find((known) => known === type);
    if (kind === undefined) return [];
    const hasColumns = kind === "table" || kind === "view";
    return [
      {
        kind,
        name: String(name),
        table: hasColumns ? undefined : String(table),
        sql: String(sql),
        columns: hasColumns ? columnsOf(connection, undefined, String(name)) : [],
        isOfComputer: false,
      },
    ];
  });
}

const KINDS = ["table", "view", "index", "trigger"] as const;

function columnsOf(connection: Connection, maker: SchemaMaker | undefined, name: string): ColumnDetail[] {
  const merges = new Map(maker?.named(name)?.model.columns.map((column) => [folded(column.name), column.merges]));
  let rows: SqlValue[][];
  try {
    rows = connection.all(`SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_xinfo(?)`, [name]);
  } catch (error) {
    // A view of something that is not there, or not any more.
    if (isStarfishError(error)) return [];
    throw error;
  }
  return rows.map(([column, type, isNotNull, fallback, key]) => ({
    name: String(column),
    type: type === "" ? undefined : String(type),
    isNotNull: isNotNull === 1,
    primaryKeyAt: Number(key),
    default: fallback === null || fallback === undefined ? undefined : String(fallback),
    merges: merges.get(folded(String(column))) ?? "last-writer",
  }));
}

/** Quoted only if it has to be. */
function plain(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !isReserved(name) ? name : quoted(name);
}

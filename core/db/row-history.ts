/** The earlier versions of a row: from what the map still has of it, and from what this node has seen replaced. */
import { isStarfishError, StarfishError } from "../base/errors.ts";
import { fromByteText } from "../memory/byte-text.ts";
import { decodeValue } from "../memory/replica.ts";
import type { MapEntry } from "../memory/types.ts";
import { timeOf } from "../memory/version.ts";
import { keyOf, valuesOfKey } from "./cells/keys.ts";
import { readLarge } from "./cells/large.ts";
import { CellReader } from "./cells/pack.ts";
import { elementsOf, plus, readPart, setOf } from "./cells/parts.ts";
import type { History } from "./history.ts";
import { ROW_VERSIONS_MAX } from "./limits.ts";
import { countedCells, type Followed, readRow } from "./rows.ts";
import { affinityOf } from "./schema/affinity.ts";
import { typeOf } from "./schema/create-table.ts";
import { shownTable } from "./schema/labels.ts";
import { readSchema, type SchemaEntry, type TableModel } from "./schema/model.ts";
import { elementPart, folded, partsOfKey } from "./schema/names.ts";
import type { RowVersion, SqlRow, SqlValue } from "./types.ts";

interface Version {
  readonly entry: MapEntry;
  /** The stamp of the write that replaced it. */
  readonly until: number;
}

/** As SqlDatabase.history: ROW_VERSIONS_MAX of them at most. */
export function rowHistory(
  map: Followed,
  history: History,
  schema: Iterable<SchemaEntry>,
  table: string,
  key: readonly SqlValue[],
): RowVersion[] {
  const tables = [...readSchema(schema).tables.values()].map(shownTable);
  const model = tables.find(({ name }) => folded(name) === folded(table));
  if (model === undefined) throw new StarfishError("not-found", `There is no table ${table}`);
  if (model.primaryKey.length === 0 || key.length !== model.primaryKey.length) {
    const needs = model.primaryKey.length === 0 ? "has none" : `is ${model.primaryKey.join(", ")}`;
    throw new StarfishError("usage", `A row is named by its primary key; that of ${model.name} ${needs}`);
  }
  for (const name of namesOf(model, key)) {
    const all = versionsOf(map, history, name);
    if (all.length > 0) return statesOf(all, name, model);
  }
  return [];
}

/** The key as it was given, and in the form of a column that ignores case. */
function namesOf(model: TableModel, key: readonly SqlValue[]): string[] {
  const values = key.map((value, i) => {
    const column = model.columns.find(({ name }) => folded(name) === folded(model.primaryKey[i] ?? ""));
    const affinity = affinityOf(typeOf(column?.definition ?? ""));
    if (affinity === "text" && (typeof value === "number" || typeof value === "bigint")) return String(value);
    return affinity !== "none" && affinity !== "text" && typeof value === "string" && /^-?\d{1,15}$/.test(value)
      ? Number(value)
      : value;
  });
  const small = values.map((value) => (typeof value === "string" ? folded(value) : value));
  return [...new Set([keyOf(values), keyOf(small)])].map((name) => `${model.id}/${name}`);
}

function versionsOf(map: Followed, history: History, name: string): Version[] {
  const { entry, cells } = readRow(map, name);
  const all: Version[] = [entry ?? [], cells].flat().map((one) => ({ entry: one, until: Number.POSITIVE_INFINITY }));
  for (const { key, version, until, value } of history.all()) {
    if (partsOfKey(key)?.row !== name) continue;
    all.push({
      entry: { key, version, value: decodeValue(fromByteText(value)), expiresAtMs: undefined },
      until,
    });
  }
  return all;
}

/** The states of a row, the newest first. */
function statesOf(all: readonly Version[], name: string, model: TableModel): RowVersion[] {
  const stamps = new Set(all.flatMap(({ entry, until }) => [entry.version.stamp, until]));
  stamps.delete(Number.POSITIVE_INFINITY);
  const states: RowVersion[] = [];
  const newest = [...stamps].toSorted((a, b) => a - b).slice(-ROW_VERSIONS_MAX);
  const since = newest[0] ?? 0;
  const late = all.filter(({ until }) => until > since);
  for (const stamp of newest) {
    const there = late.filter(({ entry, until }) => entry.version.stamp <= stamp && stamp < until);
    const own = there.find(({ entry }) => entry.key === name)?.entry;
    const cells = there.flatMap(({ entry }) => (entry.key === name ? [] : [entry]));
    states.push({ sinceMs: timeOf(stamp), row: own && rowOf(own, cells, model) });
  }
  // A second deletion, and a cell of an earlier row of that key, change nothing.
  return states
    .filter(({ row }, i) => i === 0 || JSON.stringify(row, plain) !== JSON.stringify(states[i - 1]?.row, plain))
    .toReversed();
}

function plain(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}n` : value;
}

function rowOf(own: MapEntry, cells: readonly MapEntry[], model: TableModel): SqlRow {
  const row: Record<string, SqlValue> = {};
  const columns = new Map(model.columns.map((column) => [column.id, column]));
  const take = (column: number, reader: CellReader): void => {
    const name = columns.get(column)?.name;
    const value = reader.value();
    if (name !== undefined) row[name] = value;
  };
  const keys = valuesOfKey(own.key.slice(own.key.indexOf("/") + 1), model.primaryKey.length);
  for (const [i, name] of model.primaryKey.entries()) row[name] = keys?.[i] ?? null;
  try {
    const reader = new CellReader(bytesOf(own.value));
    while (!reader.done) take(reader.uint32(), reader);
    for (const { key, bytes } of countedCells(own, cells)) {
      const { column = 0, part } = partsOfKey(key) ?? {};
      const known = columns.get(column);
      const large = part === undefined ? readLarge(bytes) : undefined;
      if (large !== undefined && known !== undefined)
        row[known.name] = `${large.sizeBytes} bytes, content ${large.cid}`;
      else if (part === undefined) take(column, new CellReader(bytes));
      else if (known !== undefined)
        row[known.name] = merged(row[known.name] ?? null, bytes, known.merges === "counter");
    }
  } catch (error) {
    // A hostile member may have written something that is not a row.
    if (!isStarfishError(error)) throw error;
  }
  return row;
}

function merged(value: SqlValue, bytes: Uint8Array, isCounter: boolean): SqlValue {
  const part = readPart(bytes);
  if (part === undefined) return value;
  if (isCounter) return plus(value, part.value);
  if (typeof part.value !== "string") return value;
  const elements = elementsOf(value);
  if (part.isThere) elements.set(elementPart(part.value), part.value);
  else elements.delete(elementPart(part.value));
  return setOf(elements);
}

function bytesOf(value: unknown): Uint8Array {
  return value instanceof Uint8Array ? value : new Uint8Array();
}

/** A database as SQL that makes it again, for `.dump` and `.schema`. */
import type { SchemaObject } from "../../db/types.ts";
import type { Target } from "./target.ts";
import { literalOf, quotedName } from "./values.ts";

/** Statements, each with its line's end: of one table with its indexes and triggers, or of all. */
export async function* dumpOf(
  target: Target,
  table: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  const objects = selected(await target.schema(), table);
  yield "BEGIN TRANSACTION;\n";
  for (const object of objects) {
    if (object.kind !== "table") continue;
    yield `${object.sql};\n`;
    yield* rowsOf(object, target, signal);
  }
  // After the rows, because an index over existing rows is made faster, and no trigger must fire.
  for (const kind of ["index", "view", "trigger"] as const)
    for (const object of objects) if (object.kind === kind) yield `${object.sql};\n`;
  yield "COMMIT;\n";
}

async function* rowsOf(
  { name, columns }: SchemaObject,
  target: Target,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  const names = columns.map((column) => quotedName(column.name)).join(", ");
  const cursor = await target.open(`SELECT ${names} FROM ${quotedName(name)}`, [], signal);
  if (cursor === undefined) return;
  await using open = cursor;
  for await (const page of open)
    yield page
      .map((row) => `INSERT INTO ${quotedName(name)} (${names}) VALUES (${row.map(literalOf).join(", ")});\n`)
      .join("");
}

/** The objects of the database itself; the computer's own tables can't be made by a dump. */
export function selected(objects: readonly SchemaObject[], table: string | undefined): SchemaObject[] {
  const wanted = table?.toLowerCase();
  return objects.filter(({ name, table: of, isOfComputer }) => {
    if (wanted === undefined) return !isOfComputer;
    return name.toLowerCase() === wanted || of?.toLowerCase() === wanted;
  });
}

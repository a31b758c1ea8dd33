/**
 * A member makes a schema in which small rows take much memory. Other nodes leave out the rows of such a table, and have all
 * other tables; whoever drops the table or what makes it large has everything again. In real threads, since SQLite does not
 * give memory back within one.
 */
import { afterEach, beforeEach, expect, test } from "vitest";
import { exchange, ReplicaMap, TestTime } from "../../test/fixtures/replica-map.ts";
import { sqlParts } from "../../test/fixtures/sql-parts.ts";
import { keyOf } from "./cells/keys.ts";
import { tableId } from "./schema/names.ts";
import { createSql, type OwnedSql } from "./sql.ts";

const BYTES_MAX: number = 8 * 1024 * 1024;
const ROWS = 20;

let maps: readonly [ReplicaMap, ReplicaMap];
let owned: readonly [OwnedSql, OwnedSql];
beforeEach(() => {
  const time = new TestTime();
  maps = [new ReplicaMap(1, time), new ReplicaMap(2, time)];
  owned = [createSql(sqlParts(maps[0])), createSql(sqlParts(maps[1], { writer: 2, indexBytesMax: BYTES_MAX }))];
});
afterEach(async () => {
  for (const one of owned) await one.close();
});

test.each([
  ["a generated column", "g AS (zeroblob(1000000)) STORED", "SELECT 1", "DROP TABLE bomb"],
  ["an index of an expression", "a", "CREATE INDEX i ON bomb (hex(zeroblob(500000)))", "DROP INDEX i"],
])("rows that %s makes large take no other table with them", async (_, column, index, mend) => {
  const [{ sql: member }, { sql }] = owned;
  await member`CREATE TABLE mine (id INTEGER PRIMARY KEY, a)`;
  await member`INSERT INTO mine VALUES (1, 1)`;
  await member.query(`CREATE TABLE bomb (id INTEGER PRIMARY KEY, ${column})`);
  await member.query(index);
  exchange(...maps);
  expect(await sql`SELECT * FROM bomb`).toEqual([]);
  const table = tableId("bomb", 1, ["id"]);
  maps[0].batch(Array.from({ length: ROWS }, (__, i) => ({ key: `${table}/${keyOf([i])}`, value: new Uint8Array() })));
  exchange(...maps);
  expect(await sql`SELECT a FROM mine`).toEqual([{ a: 1 }]);
  await expect(sql`SELECT count(*) FROM bomb JOIN mine USING (id)`.run()).rejects.toMatchObject({
    code: "full",
    message: /rows of bomb take more memory or time/,
  });
  expect(sql.stat().tooLarge).toBe(1);
  await sql`UPDATE mine SET a = 2`;
  exchange(...maps);
  expect(await member`SELECT a FROM mine`).toEqual([{ a: 2 }]);
  await sql.query(mend);
  expect(await sql`SELECT a FROM mine`).toEqual([{ a: 2 }]);
  expect(sql.stat().tooLarge).toBe(0);
  if (mend.startsWith("DROP INDEX")) expect(await sql`SELECT count(*) AS n FROM bomb`).toEqual([{ n: ROWS }]);
});

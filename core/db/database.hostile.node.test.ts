/**
 * A member writes into the map what no database would write. That harms no index, and all nodes give the same answers.
 */
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { exchange } from "../../test/fixtures/replica-map.ts";
import { SqlSwarm } from "../../test/fixtures/sql-swarm.ts";
import { keyOf } from "./cells/keys.ts";
import { CellWriter } from "./cells/pack.ts";
import { LARGE_TRANSACTION_BYTES_MAX, OBJECTS_MAX } from "./limits.ts";
import { affinityOf, isKept } from "./schema/affinity.ts";
import { columnId, columnKey, objectKey, tableId } from "./schema/names.ts";
import type { SqlDatabase, SqlValue } from "./types.ts";

let swarm: SqlSwarm;
let sql: SqlDatabase;
beforeEach(() => {
  swarm = new SqlSwarm(3);
  sql = swarm.sql(0);
});
afterEach(() => swarm.close());

function packed(column: string, value: SqlValue): Uint8Array {
  const writer = new CellWriter();
  writer.uint32(columnId(column, 0));
  writer.value(value);
  return writer.slice();
}

/** Nodes 0 and 1 get the entries in other orders than a node that comes now. */
async function expectAlike(): Promise<void> {
  exchange(...swarm.maps);
  const newcomer = swarm.add();
  exchange(...swarm.maps);
  const seen = await swarm.see(newcomer);
  for (const node of [0, 1]) expect(await swarm.see(node)).toEqual(seen);
}

test("more rows than any clock makes under one number are all there, and can be changed and deleted", async () => {
  await sql`CREATE TABLE made (a)`;
  exchange(...swarm.maps);
  const table = tableId("made", 1, []);
  const key = (i: number): string => `${table}/k0Ab1Cd2Ef3G${String(i).padStart(6, "0")}`;
  const numbers = Array.from({ length: 300 }, (_, i) => i);
  for (const i of numbers) swarm.map(2).set(key(i), packed("a", i));
  for (const node of [0, 1]) {
    exchange(swarm.map(node), swarm.map(2));
    expect(await swarm.sql(node)`SELECT count(*) AS n, sum(a) AS s FROM made`).toEqual([{ n: 300, s: 44_850 }]);
  }
  swarm.time.nowMs += 1;
  await sql`UPDATE made SET a = -1 WHERE a = 250`;
  await swarm.sql(1)`DELETE FROM made WHERE a BETWEEN 10 AND 99`;
  await swarm.sql(1)`DELETE FROM made WHERE a = 251`;
  exchange(...swarm.maps);
  const newcomer = swarm.add();
  exchange(...swarm.maps);
  for (const node of [0, 1, newcomer]) {
    expect(await swarm.sql(node)`SELECT count(*) AS n, sum(a) AS s FROM made`).toEqual([
      { n: 209, s: 44_850 - 250 - 1 - 251 - 4_905 },
    ]);
  }
});

test.each([
  ["INTEGER", 1, "1"],
  ["TEXT", "1", 1],
  ["NUMERIC", 1.5, "1.5"],
  ["REAL", 2, " 2.0"],
  ["UUID", 7, "7"],
])("a key that its column (%s) would make another row's of is no key", async (type, right, wrong) => {
  await sql.query(`CREATE TABLE t (id ${type} PRIMARY KEY, a)`);
  await sql.query("INSERT INTO t VALUES (?, 'right')", [right]);
  const table = tableId("t", 1, ["id"]);
  swarm.time.nowMs += 1;
  swarm.map(2).set(`${table}/${keyOf([wrong])}`, packed("a", "wrong"));
  exchange(...swarm.maps);
  for (const node of [0, 1]) expect(await swarm.sql(node)`SELECT a FROM t`).toEqual([{ a: "right" }]);
  swarm.time.nowMs += 1;
  await sql`UPDATE t SET a = 'changed'`;
  await expectAlike();
  expect(await swarm.sql(1)`SELECT a FROM t`).toEqual([{ a: "changed" }]);
  expect(await sql.conflicts()).toMatchObject([{ kind: "malformed", table: "t" }]);
});

test("which keys those are, SQLite and we think alike", async () => {
  const digit = fc.constantFrom("0", "1", "9", ".", "-", "+", "e", "E", " ", "\n", "x", "a", "_");
  const texts = fc.sample(fc.string({ unit: digit, maxLength: 5 }), { numRuns: 2_000, seed: 1 });
  texts.push("9223372036854775808", "123456789012345678901234567890", "1e400", "0x10", "1_000", "inf", "nan", "1.5e3");
  for (const type of ["INTEGER", "NUMERIC", "REAL", "UUID", "TEXT", "BLOB", ""]) {
    await sql.query(`CREATE TABLE k (id INTEGER PRIMARY KEY, a ${type})`);
    await sql.insert(
      "k",
      ["a"],
      texts.map((text) => [text]),
    );
    const kept = await sql<{ a: SqlValue; t: string }>`SELECT a, typeof(a) AS t FROM k ORDER BY id`;
    const wrong = texts.filter((text, i) => isKept(text, affinityOf(type)) !== (kept[i]?.t === "text"));
    expect({ type, wrong }).toEqual({ type, wrong: [] });
    await sql`DROP TABLE k`;
  }
});

/** With LONG as many tables as an attacker would write, otherwise few. */
const TABLES: number = Number(process.env["LONG"] ?? 0) > 0 ? 100_000 : 3_000;

test(
  "a flood of tables leaves those that were there, and all nodes know the same ones",
  { timeout: 300_000 },
  async () => {
    await sql`CREATE TABLE mine (id INTEGER PRIMARY KEY, a)`;
    await sql`INSERT INTO mine VALUES (1, 1)`;
    swarm.time.nowMs += 1;
    const flood = swarm.map(2);
    for (let at = 0; at < TABLES; at += 1_000) {
      const names = Array.from({ length: 1_000 }, (_, i) => `t${at + i}`);
      flood.batch(
        names.flatMap((name) => [
          { key: objectKey(name, 1), value: { k: "table", n: name, p: ["id"], r: [], o: "" } },
          { key: columnKey(tableId(name, 1, ["id"]), columnId("id", 0)), value: { n: "id", d: "INTEGER", o: 0 } },
        ]),
      );
    }
    exchange(...swarm.maps);
    expect(await sql`SELECT a FROM mine`).toEqual([{ a: 1 }]);
    await sql`UPDATE mine SET a = 2`;
    expect(sql.stat()).toMatchObject({ tables: OBJECTS_MAX, setAside: expect.any(Number) });
    exchange(...swarm.maps);
    const names = async (node: number): Promise<string[]> => (await swarm.sql(node).schema()).map(({ name }) => name);
    expect(await names(1)).toEqual(await names(0));
    expect(await swarm.sql(1)`SELECT a FROM mine`).toEqual([{ a: 2 }]);
  },
);

test("large values that are too many for one transaction are refused, and nothing of them stays", async () => {
  await sql`CREATE TABLE t (id INTEGER PRIMARY KEY, a)`;
  const count = Math.floor(LARGE_TRANSACTION_BYTES_MAX / 12_000_000) + 1;
  const many = sql`
    INSERT INTO t WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < ${count})
    SELECT n, zeroblob(12000000 + n) FROM c`;
  await expect(many.run()).rejects.toMatchObject({ code: "too-large" });
  expect(await sql`SELECT count(*) AS n FROM t`).toEqual([{ n: 0 }]);
  expect(swarm.contents.size).toBe(0);
});

/**
 * The database on one node or two, with real SQLite and a real map: what it takes, what it refuses, and how it
 * recovers.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { exchange } from "../../test/fixtures/replica-map.ts";
import { SqlSwarm } from "../../test/fixtures/sql-swarm.ts";
import { TRANSACTION_BYTES_MAX } from "./limits.ts";
import { columnId, columnKey, tableId } from "./schema/names.ts";
import type { SqlDatabase } from "./types.ts";

let swarm: SqlSwarm;
let sql: SqlDatabase;
beforeEach(() => {
  swarm = new SqlSwarm(2);
  sql = swarm.sql(0);
});
afterEach(() => swarm.close());

describe("parameters", () => {
  test("are bound, whatever is in them", async () => {
    await sql`CREATE TABLE t (id INTEGER PRIMARY KEY, a)`;
    const evil = `'); DROP TABLE t; --`;
    await sql`INSERT INTO t (a) VALUES (${evil}), (${true}), (${undefined}), (${Uint8Array.of(0, 255)}), (${1.5})`;
    expect(await sql`SELECT a FROM t WHERE a = ${evil}`).toEqual([{ a: evil }]);
    expect(await sql`SELECT a FROM t ORDER BY id`).toEqual(
      [evil, 1, null, Uint8Array.of(0, 255), 1.5].map((a) => ({ a })),
    );
    expect(await sql.query("SELECT :a + $b AS n", { a: 1, b: 2 })).toEqual([{ n: 3 }]);
    expect(await sql`SELECT count(*) AS n FROM ${sql.identifier('t" --')}`.run().catch(({ code }) => code)).toBe(
      "usage",
    );
  });

  test("that do not fit are refused", async () => {
    const outcome = (parameters: readonly unknown[] | Record<string, unknown>): Promise<unknown> =>
      sql
        .query("SELECT ?1, :b", parameters as never)
        .run()
        .catch(({ code }) => code);
    expect(await Promise.all([outcome([]), outcome([1, 2, 3]), outcome({ c: 1 })])).toEqual([
      "usage",
      "usage",
      "usage",
    ]);
    expect(() => sql`SELECT ${{} as never}`).toThrow("JSON.stringify");
    expect(() => sql`SELECT ${[1] as never}`).toThrow("JSON.stringify");
  });
});

test.each([
  ["ATTACH 'file:/etc/passwd' AS x", "unsupported"],
  ["DETACH main", "unsupported"],
  ["PRAGMA journal_mode = DELETE", "unsupported"],
  ["PRAGMA writable_schema = ON", "unsupported"],
  ["PRAGMA user_version = 7", "unsupported"],
  ["PRAGMA foreign_keys = OFF", "unsupported"],
  ["SELECT load_extension('x')", "usage"],
  ["CREATE TEMP TABLE x (a)", "unsupported"],
  ["CREATE VIRTUAL TABLE x USING fts5 (a)", "unsupported"],
  ["CREATE VIRTUAL TABLE x USING dbstat", "unsupported"],
  ["INSERT INTO sqlite_schema VALUES ('table', 'x', 'x', 0, 'x')", "unsupported"],
  ["DELETE FROM sqlite_schema", "usage"],
  ["UPDATE sqlite_dbpage SET data = x'00'", "unsupported"],
  ["CREATE TABLE _mine (a)", "unsupported"],
  ['CREATE TABLE "a/b" (a)', "unsupported"],
  ['CREATE TABLE "a/2" AS SELECT * FROM t', "unsupported"],
  ['CREATE VIEW "t/1" AS SELECT 1', "unsupported"],
  ['CREATE INDEX "i/1" ON t (a)', "unsupported"],
  ["CREATE TABLE sqlite_mine (a)", "usage"],
  ["ALTER TABLE t RENAME TO _u", "unsupported"],
  ["ALTER TABLE t RENAME TO files", "unsupported"],
  ["ALTER TABLE files RENAME TO u", "usage"],
  ["ALTER TABLE t RENAME COLUMN b TO c", "usage"],
  ["ALTER TABLE t RENAME a TO id", "usage"],
  ["BEGIN", "unsupported"],
  ["COMMIT", "unsupported"],
  ["SAVEPOINT x", "unsupported"],
  ["VACUUM", "usage"],
  ["ANALYZE", "unsupported"],
  ["SELECT 1; DELETE FROM t", "usage"],
  ["", "usage"],
  ["-- nothing", "usage"],
  ["SELECT 1\0", "usage"],
  ["SELECT * FROM temp._k_x", "usage"],
  ["SELECT randomblob(100000000)", "too-large"],
  ["INSERT INTO t VALUES (2, zeroblob(100000000))", "too-large"],
  [`SELECT '${"x".repeat(1_100_000)}'`, "too-large"],
])("%s is refused, and harms nothing", async (text, code) => {
  await sql`CREATE TABLE t (id INTEGER PRIMARY KEY, a)`;
  await sql`INSERT INTO t VALUES (1, 1)`;
  expect(
    await sql
      .query(text)
      .run()
      .then(JSON.stringify, (error) => error.code),
  ).toBe(code);
  expect(await sql`SELECT * FROM t`).toEqual([{ id: 1, a: 1 }]);
  exchange(...swarm.maps);
  expect(await swarm.sql(1)`SELECT * FROM t`).toEqual([{ id: 1, a: 1 }]);
});

test("what only reads is taken: plans, schemas, and how the file is", async () => {
  await sql`CREATE TABLE t (id INTEGER PRIMARY KEY, a)`;
  expect(await sql`PRAGMA table_info (t)`).toHaveLength(2);
  expect(await sql`SELECT name FROM pragma_table_info('t')`).toEqual([{ name: "id" }, { name: "a" }]);
  expect(await sql`PRAGMA integrity_check`).toEqual([{ integrity_check: "ok" }]);
  expect((await sql`SELECT * FROM t WHERE id = 1`.plan()).join()).toContain("SEARCH t");
});

test("an endless query ends in its time", async () => {
  const endless = sql`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n`;
  await expect(endless.run({ timeoutMs: 50 })).rejects.toMatchObject({ code: "timeout" });
  expect(await sql`SELECT 1 AS one`).toEqual([{ one: 1 }]);
});

test("a large answer comes in pages, and one that is too large as a whole is refused", async () => {
  const numbers = (n: number) =>
    sql`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ${n}) SELECT i FROM n`;
  let sum = 0;
  for await (const { i } of numbers(20_000)) sum += Number(i);
  expect(sum).toBe(200_010_000);
  const large = sql`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 80) SELECT zeroblob(1000000) FROM n`;
  await expect(large.run()).rejects.toMatchObject({ code: "too-large" });
  // A reader of a large answer keeps writers waiting, until it stops reading.
  await sql`CREATE TABLE t (id INTEGER PRIMARY KEY)`;
  let seen = 0;
  let written: Promise<unknown> | undefined;
  for await (const row of large) {
    expect(Object.keys(row)).toHaveLength(1);
    written ??= sql`INSERT INTO t VALUES (1)`.run();
    if (++seen === 3) break;
  }
  await written;
  expect(await sql`SELECT * FROM t`).toEqual([{ id: 1 }]);
});

test("statements that come together are written together, each with its own outcome", async () => {
  await sql`CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER CHECK (a > 0))`;
  const before = swarm.map(0).replica.table.live;
  const ids = Array.from({ length: 50 }, (_, i) => i);
  const outcomes = await Promise.allSettled(ids.map((id) => sql`INSERT INTO t VALUES (${id % 40}, ${id - 5})`.run()));
  // The first six break the rule. The ids of the last four are taken.
  const isFine = (id: number): boolean => id >= 6 && id < 46;
  expect(outcomes.map(({ status }) => status)).toEqual(ids.map((id) => (isFine(id) ? "fulfilled" : "rejected")));
  const stamps = new Set(
    [...swarm.map(0).entries()].filter(({ key }) => !key.startsWith("!")).map(({ version }) => version.stamp),
  );
  expect(stamps.size).toBeLessThan(5);
  expect(swarm.map(0).replica.table.live - before).toBe(40);
});

test("a transaction that is left is rolled back, and sees what it wrote until then", async () => {
  await sql`CREATE TABLE t (id INTEGER PRIMARY KEY)`;
  {
    await using tx = await sql.begin();
    await tx`INSERT INTO t VALUES (1)`;
    await expect(tx`INSERT INTO t VALUES (1)`.run()).rejects.toMatchObject({ code: "constraint" });
    await tx`CREATE TABLE u (id INTEGER PRIMARY KEY)`;
    await tx`INSERT INTO u SELECT id FROM t`;
    expect(await tx`SELECT * FROM u`).toEqual([{ id: 1 }]);
  }
  expect(await sql`SELECT * FROM t`).toEqual([]);
  await expect(sql`SELECT * FROM u`.run()).rejects.toThrow("no such table: u");
  const tx = await sql.begin();
  await tx`CREATE TABLE u AS SELECT 7 AS a, 'x' AS b`;
  await tx.commit();
  await expect(tx`SELECT 1`.run()).rejects.toMatchObject({ code: "closed" });
  exchange(...swarm.maps);
  expect(await swarm.sql(1)`SELECT * FROM u`).toEqual([{ a: 7, b: "x" }]);
});

test("where the map has no room, nothing is written, here or there", async () => {
  const node = swarm.add(20_000);
  const small = swarm.sql(node);
  await small`CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)`;
  const fill = async (): Promise<void> => {
    for (let id = 0; ; id++) await small`INSERT INTO t VALUES (${id}, ${"x".repeat(1_000)})`;
  };
  await expect(fill()).rejects.toMatchObject({ code: "full" });
  const [{ n = 0 } = {}] = await small`SELECT count(*) AS n FROM t`;
  expect(n).toBe([...swarm.map(node).entries()].filter(({ key }) => !key.startsWith("!")).length);
  await small`DELETE FROM t WHERE id < 5`;
  await small`INSERT INTO t VALUES (1, 'there is room again')`;
});

test("what is too large for one transaction is refused whole, with what to do; insert does it", async () => {
  await sql`CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)`;
  const count = Math.ceil(TRANSACTION_BYTES_MAX / 20_000);
  const many = sql`
    INSERT INTO t WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < ${count})
    SELECT n, printf('%-20000d', n) FROM c`;
  await expect(many.run()).rejects.toMatchObject({ code: "too-large" });
  await expect(many.run()).rejects.toThrow("use insert or --import");
  expect(await sql`SELECT count(*) AS n FROM t`).toEqual([{ n: 0 }]);
  const rows = Array.from({ length: count }, (_, i) => [i + 1, `${i}`.padEnd(20_000)]);
  expect(await sql.insert("t", ["id", "a"], rows)).toBe(count);
  expect(await sql`SELECT count(*) AS n FROM t`).toEqual([{ n: count }]);
  const twice = sql.insert(
    "t",
    ["id", "a"],
    [
      [count + 1, "x"],
      [1, "x"],
    ],
  );
  await expect(twice).rejects.toMatchObject({ code: "constraint" });
});

test("what is added to a counter on several nodes at once all counts, and so do elements of a set", async () => {
  swarm.add();
  const nodes = [0, 1, 2].map((node) => swarm.sql(node));
  await sql`CREATE TABLE t (id TEXT PRIMARY KEY, hits COUNTER NOT NULL DEFAULT 0, tags JSONSET)`;
  await sql`INSERT INTO t VALUES ('page', 5, '["old"]')`;
  exchange(...swarm.maps);
  let sum = 5;
  for (let round = 1; round <= 5; round++) {
    for (const [i, node] of nodes.entries()) {
      swarm.time.nowMs += 1;
      await node`UPDATE t SET hits = hits + ${round * (i - 1) + i}`;
      sum += round * (i - 1) + i;
      await node`UPDATE t SET tags = json_insert(tags, '$[#]', ${`${i}.${round}`})`;
    }
    if (round === 3) exchange(...swarm.maps);
  }
  await nodes[1]?.query(
    `UPDATE t SET tags = (SELECT json_group_array(value) FROM json_each(tags) WHERE value <> 'old')`,
  );
  exchange(...swarm.maps);
  const tags = [0, 1, 2].flatMap((i) => [1, 2, 3, 4, 5].map((round) => `${i}.${round}`));
  const merged = [{ hits: sum, tags: JSON.stringify(tags) }];
  for (const node of nodes) expect(await node`SELECT hits, tags FROM t`).toEqual(merged);
  // A counter that is set to a number has that value, as far as this node knows. A row that is inserted again begins
  // anew.
  await sql`UPDATE t SET hits = 0`;
  await nodes[2]?.query("UPDATE t SET hits = hits + 1");
  exchange(...swarm.maps);
  for (const node of nodes) expect(await node`SELECT hits FROM t`).toEqual([{ hits: 1 }]);
  swarm.time.nowMs += 1;
  await sql`DELETE FROM t`;
  await sql`INSERT INTO t VALUES ('page', 2, '[]')`;
  exchange(...swarm.maps);
  for (const node of nodes) expect(await node`SELECT hits, tags FROM t`).toEqual([{ hits: 2, tags: "[]" }]);
});

test("the regular end of a computer is no lost index", async () => {
  await sql`CREATE TABLE t (id INTEGER PRIMARY KEY)`;
  await swarm.close();
  expect(swarm.warned).toEqual([]);
});

test("an index that is lost is made anew from the map", async () => {
  await sql`CREATE TABLE t (id INTEGER PRIMARY KEY, a)`;
  await sql`INSERT INTO t VALUES (1, 1), (2, 2)`;
  await sql`UPDATE t SET a = 3 WHERE id = 2`;
  const before = await swarm.see(0);
  swarm.engines[0]?.crash();
  expect(sql.stat().index).toBe("none");
  exchange(...swarm.maps);
  await swarm.sql(1)`INSERT INTO t VALUES (3, 3)`;
  expect(await swarm.see(0)).toEqual(before);
  exchange(...swarm.maps);
  expect(await sql`SELECT * FROM t`).toEqual([
    { id: 1, a: 1 },
    { id: 2, a: 3 },
    { id: 3, a: 3 },
  ]);
  expect(sql.stat()).toMatchObject({ index: "ready", rebuilt: 1 });
  expect(swarm.warned).toEqual(["db.index-lost"]);
});

test("a table without a primary key may have columns called like its hidden key, but for the name that finds its rows", async () => {
  await sql`CREATE TABLE t (rowid, oid, x)`;
  await sql`INSERT INTO t VALUES (1, 10, 'a'), (1, 20, 'b'), (3, 30, 'c')`;
  await sql`UPDATE t SET rowid = 7, oid = oid + 1 WHERE x <> 'a'`;
  await sql`DELETE FROM t WHERE x = 'c'`;
  for (const text of ["CREATE TABLE u (rowid, _rowid_, oid)", "CREATE TABLE u AS SELECT 1 AS _ROWID_"])
    await expect(sql.query(text).run()).rejects.toMatchObject({ code: "unsupported" });
  await expect(sql`ALTER TABLE t ADD COLUMN _RowId_`.run()).rejects.toThrow("cannot add rowid alias");
  await sql`CREATE TABLE k (id INTEGER PRIMARY KEY, rowid, _rowid_, oid)`;
  await sql`INSERT INTO k VALUES (5, 6, 7, 8)`;
  exchange(...swarm.maps);
  // A member that has let the name in all the same.
  const table = tableId("t", 1, []);
  swarm.map(1).set(columnKey(table, columnId("_rowid_", 0)), { n: "_rowid_", d: "", o: 0 });
  exchange(...swarm.maps);
  for (const node of [0, 1]) {
    expect(await swarm.sql(node)`SELECT * FROM t`).toEqual([
      { rowid: 1, oid: 10, x: "a" },
      { rowid: 7, oid: 21, x: "b" },
    ]);
    expect(await swarm.sql(node)`SELECT * FROM k`).toEqual([{ id: 5, rowid: 6, _rowid_: 7, oid: 8 }]);
  }
});

test("one UUID after the other, each larger than the one before, and NULL for a key makes one", async () => {
  await sql`CREATE TABLE t (id UUID PRIMARY KEY, n INTEGER)`;
  await sql`INSERT INTO t (n) WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 1000) SELECT n FROM c`;
  await sql`INSERT INTO t VALUES (NULL, 1001)`;
  const rows = await sql<{ id: string; n: number }>`SELECT * FROM t`;
  expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: 1_001 }, (_, i) => i + 1));
  expect(rows[7]?.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("what is exported is a file of SQLite with all rows, and can be opened", async () => {
  await sql`CREATE TABLE t (id INTEGER PRIMARY KEY, a)`;
  await sql`INSERT INTO t VALUES (1, 'ä'), (2, 2.5)`;
  const pieces = await Array.fromAsync(sql.export());
  const file = new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
  await using opened = await sql.openFile(file);
  expect(await opened`SELECT * FROM t`).toEqual([
    { id: 1, a: "ä" },
    { id: 2, a: 2.5 },
  ]);
  expect((await opened.schema()).map(({ name }) => name)).toEqual(["t"]);
  await expect(opened`DELETE FROM t`.run()).rejects.toMatchObject({ code: "unsupported" });
  await expect(sql.openFile(new Uint8Array(5_000).fill(7))).rejects.toMatchObject({ code: "usage" });
});

/** The database as it was at an earlier moment, as far as a node has seen it. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { exchange, ReplicaMap, TestTime } from "../../test/fixtures/replica-map.ts";
import { SqlSwarm } from "../../test/fixtures/sql-swarm.ts";
import { History } from "./history.ts";
import { ROW_VERSIONS_MAX } from "./limits.ts";
import type { SqlDatabase, SqlRow } from "./types.ts";

const MINUTE_MS = 60_000;

let swarm: SqlSwarm;
let sql: SqlDatabase;
beforeEach(() => {
  swarm = new SqlSwarm(2);
  sql = swarm.sql(0);
});
afterEach(() => swarm.close());

function minuteLater(): number {
  const { nowMs } = swarm.time;
  swarm.time.nowMs += MINUTE_MS;
  return nowMs + MINUTE_MS / 2;
}

async function then(atMs: number, query: string, node = 0): Promise<readonly SqlRow[]> {
  await using was = await swarm.sql(node).at(atMs);
  return await was.query(query);
}

test("rows, cells, deletions, counters and the schema are as they were, on each node that has seen them", async () => {
  const other = swarm.sql(1);
  await sql`CREATE TABLE t (id INTEGER PRIMARY KEY, a, n COUNTER DEFAULT 0)`;
  await sql`INSERT INTO t (id, a) VALUES (1, 'x'), (2, 'y'), (5, 'z')`;
  exchange(...swarm.maps);
  const first = minuteLater();
  await sql`UPDATE t SET a = 'X', n = n + 1 WHERE id = 1`;
  await sql`DELETE FROM t WHERE id = 2`;
  exchange(...swarm.maps);
  const second = minuteLater();
  await other`UPDATE t SET a = 'XX', n = n + 5 WHERE id = 1`;
  await other`INSERT INTO t (id, a) VALUES (2, 'again'), (3, 'new')`;
  await other`ALTER TABLE t ADD COLUMN b DEFAULT 7`;
  exchange(...swarm.maps);
  const third = minuteLater();
  await sql`DROP TABLE t`;
  exchange(...swarm.maps);
  const last = minuteLater();
  for (const node of [0, 1]) {
    expect(await then(first, "SELECT * FROM t", node)).toEqual([
      { id: 1, a: "x", n: 0 },
      { id: 2, a: "y", n: 0 },
      { id: 5, a: "z", n: 0 },
    ]);
    expect(await then(second, "SELECT * FROM t", node)).toEqual([
      { id: 1, a: "X", n: 1 },
      { id: 5, a: "z", n: 0 },
    ]);
    expect(await then(third, "SELECT id, a, n, b FROM t", node)).toEqual([
      { id: 1, a: "XX", n: 6, b: 7 },
      { id: 2, a: "again", n: 0, b: 7 },
      { id: 3, a: "new", n: 0, b: 7 },
      { id: 5, a: "z", n: 0, b: 7 },
    ]);
    await expect(then(last, "SELECT * FROM t", node)).rejects.toThrow("no such table");
  }
});

test("what was is read and not written, and says what it can't know", async () => {
  const { nowMs } = swarm.time;
  await sql`CREATE TABLE t (id INTEGER PRIMARY KEY, a)`;
  const then = minuteLater();
  {
    await using was = await sql.at(then);
    await expect(was`INSERT INTO t VALUES (1, 1)`.run()).rejects.toMatchObject({ code: "unsupported" });
    expect((await was.schema()).map(({ name }) => name)).toEqual(["t"]);
    await using another = await sql.at(then);
    await expect(sql.at(then)).rejects.toMatchObject({ code: "busy", retryable: true });
    expect(await another`SELECT * FROM t`).toEqual([]);
  }
  await expect(sql.at(nowMs - 1)).rejects.toMatchObject({ code: "not-found" });
  await expect(sql.at(swarm.time.nowMs + 1)).rejects.toMatchObject({ code: "usage" });
  swarm.time.nowMs += 24 * 60 * MINUTE_MS;
  await expect(sql.at(then)).rejects.toThrow("remembers what was replaced since");
});

test("what a row was is told, the newest first, under the names of now", async () => {
  await sql`CREATE TABLE t (id INTEGER, part TEXT, a, n COUNTER DEFAULT 0, PRIMARY KEY (id, part))`;
  const { nowMs } = swarm.time;
  await sql`INSERT INTO t (id, part, a) VALUES (1, '7', 'first'), (2, 'y', 'second')`;
  exchange(...swarm.maps);
  minuteLater();
  await swarm.sql(1)`UPDATE t SET a = 'changed', n = n + 2 WHERE id = 1`;
  exchange(...swarm.maps);
  minuteLater();
  await sql`UPDATE t SET a = 'again', n = n + 1 WHERE id = 1`;
  minuteLater();
  await sql`ALTER TABLE t RENAME COLUMN a TO b`;
  await sql`ALTER TABLE t RENAME TO u`;
  await sql`DELETE FROM u WHERE id = 1`;
  minuteLater();
  await sql`INSERT INTO u (id, part, b) VALUES (1, '7', 'anew')`;
  expect(await sql.history("U", ["1", 7])).toEqual([
    { sinceMs: nowMs + 4 * MINUTE_MS, row: { id: 1, part: "7", b: "anew", n: 0 } },
    { sinceMs: nowMs + 3 * MINUTE_MS, row: undefined },
    { sinceMs: nowMs + 2 * MINUTE_MS, row: { id: 1, part: "7", b: "again", n: 3 } },
    { sinceMs: nowMs + MINUTE_MS, row: { id: 1, part: "7", b: "changed", n: 2 } },
    { sinceMs: nowMs, row: { id: 1, part: "7", b: "first", n: 0 } },
  ]);
  expect(await sql.history("u", [3, "y"])).toEqual([]);
  await expect(sql.history("t", [1, "7"])).rejects.toMatchObject({ code: "not-found" });
  await expect(sql.history("u", [1])).rejects.toMatchObject({ code: "usage" });
});

test("a unique value belongs to whom it belonged then", async () => {
  await sql`CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE)`;
  exchange(...swarm.maps);
  await sql`INSERT INTO t VALUES (1, 'x')`;
  const alone = minuteLater();
  await swarm.sql(1)`INSERT INTO t VALUES (2, 'x')`;
  exchange(...swarm.maps);
  const both = minuteLater();
  await sql`DELETE FROM t WHERE id = 2`;
  exchange(...swarm.maps);
  minuteLater();
  expect(await then(alone, "SELECT id FROM t")).toEqual([{ id: 1 }]);
  expect(await then(both, "SELECT id FROM t")).toEqual([{ id: 2 }]);
});

test("what is remembered is bounded, the oldest goes first, and how far it goes back is known", () => {
  const time = new TestTime();
  const map = new ReplicaMap(1, time);
  const history = new History(map, 10_000);
  const startMs = time.nowMs;
  for (let i = 0; i < 100; i++) {
    time.nowMs += 1_000;
    map.set("k", new Uint8Array(1_000).fill(i));
  }
  const all = [...history.all()];
  expect(all.length).toBeGreaterThan(5);
  expect(all.length).toBeLessThan(10);
  expect(history.sinceMs).toBe(startMs + (100 - all.length) * 1_000);
  history.close();
});

test("of a row that changes without end the newest versions are told", async () => {
  await sql`CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)`;
  await sql`INSERT INTO t VALUES (1, 0)`;
  const changes = ROW_VERSIONS_MAX + 20;
  for (let i = 1; i <= changes; i++) await sql`UPDATE t SET n = ${i} WHERE id = 1`;
  const versions = await sql.history("t", [1]);
  expect(versions.map(({ row }) => row?.["n"])).toEqual(
    Array.from({ length: ROW_VERSIONS_MAX }, (_, i) => changes - i),
  );
});

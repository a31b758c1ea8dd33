/**
 * What reacts to changes reacts only to the right ones: live queries to changes of their tables, and rows that are set
 * aside to changes of the rows for which they stand back.
 */
import { afterEach, beforeEach, expect, test } from "vitest";
import { deliver, exchange, stampsOf } from "../../test/fixtures/replica-map.ts";
import { SqlSwarm } from "../../test/fixtures/sql-swarm.ts";
import type { CallName } from "./engine/messages.ts";
import type { Snapshot, SqlDatabase } from "./types.ts";

let swarm: SqlSwarm;
let sql: SqlDatabase;
beforeEach(() => {
  swarm = new SqlSwarm(2);
  sql = swarm.sql(0);
});
afterEach(() => swarm.close());

/** Counts how often `call` is asked of a node's thread from now on. */
function calls(node: number, call: CallName): () => number {
  let count = 0;
  const engine = swarm.engines[node];
  if (engine === undefined) throw new Error("There is no such node");
  engine.heard = (message) => {
    if (message.call === call) count++;
  };
  return () => count;
}

/** Resolves with the first answer that is so. */
function answer<Row>(query: { subscribe: (listener: (snapshot: Snapshot<Row>) => void) => () => void }) {
  let told: ((snapshot: Snapshot<Row>) => void) | undefined;
  const stop = query.subscribe((snapshot) => told?.(snapshot));
  const until = (isIt: (snapshot: Snapshot<Row>) => boolean): Promise<Snapshot<Row>> =>
    new Promise((resolve) => (told = (snapshot) => void (isIt(snapshot) && resolve(snapshot))));
  return { until, stop };
}

test("a live query is asked again when a table that it reads has changed, by itself or through a view, and for no other", async () => {
  await sql`CREATE TABLE t (id INTEGER PRIMARY KEY, a)`;
  await sql`CREATE TABLE u (id INTEGER PRIMARY KEY, a)`;
  await sql`CREATE VIEW v AS SELECT count(*) AS n FROM t`;
  const live = sql<{ n: number }>`SELECT n FROM v`.live();
  const { until, stop } = answer(live);
  await until(({ isReady }) => isReady);
  const reads = calls(0, "read");
  for (let id = 0; id < 20; id++) {
    await sql`INSERT INTO u VALUES (${id}, 1)`;
    exchange(...swarm.maps);
    await swarm.sql(1)`UPDATE u SET a = 2 WHERE id = ${id}`;
    exchange(...swarm.maps);
  }
  const two = until(({ rows }) => rows[0]?.n === 1);
  await sql`INSERT INTO t VALUES (1, 1)`;
  await two;
  expect(reads()).toBe(1);
  // Its view is another one: it reads another table now.
  const ofU = until(({ rows }) => rows[0]?.n === 20);
  await sql.transaction(async (tx) => {
    await tx`DROP VIEW v`;
    await tx`CREATE VIEW v AS SELECT count(*) AS n FROM u`;
  });
  await ofU;
  const fewer = until(({ rows }) => rows[0]?.n === 19);
  await sql`DELETE FROM u WHERE id = 3`;
  await fewer;
  // Of a table that is not there yet.
  const unknown = sql<{ n: number }>`SELECT count(*) AS n FROM w`.live();
  const later = answer(unknown);
  await later.until(({ error }) => error !== undefined);
  const there = later.until(({ rows, error }) => error === undefined && rows[0]?.n === 0);
  await sql`CREATE TABLE w (id INTEGER PRIMARY KEY)`;
  await there;
  later.stop();
  stop();
});

test("what is set aside is looked at when the row changes for which it stands back, and not before", async () => {
  const other = swarm.sql(1);
  await sql`CREATE TABLE people (id TEXT PRIMARY KEY, mail UNIQUE, age)`;
  exchange(...swarm.maps);
  const all = Array.from({ length: 100 }, (_, i) => i);
  await sql.insert(
    "people",
    ["id", "mail"],
    all.map((i) => [`old ${i}`, `${i}@x`]),
  );
  swarm.time.nowMs += 1;
  await other.insert(
    "people",
    ["id", "mail"],
    all.map((i) => [`new ${i}`, `${i}@x`]),
  );
  exchange(...swarm.maps);
  expect(await sql`SELECT count(*) AS n FROM people WHERE id LIKE 'new%'`).toEqual([{ n: 100 }]);
  expect(await sql.conflicts()).toHaveLength(100);

  const settled = calls(0, "settle");
  await sql`INSERT INTO people VALUES ('another', 'a@x', 1)`;
  await other`INSERT INTO people VALUES ('one more', 'b@x', 1)`;
  exchange(...swarm.maps);
  expect(await sql`SELECT count(*) AS n FROM people`).toEqual([{ n: 102 }]);
  expect(settled()).toBe(0);

  await other`UPDATE people SET mail = 'c@x' WHERE id = 'new 7'`;
  exchange(...swarm.maps);
  expect(await sql`SELECT id FROM people WHERE mail = '7@x'`).toEqual([{ id: "old 7" }]);
  expect(await sql.conflicts()).toHaveLength(99);
  expect(settled()).toBe(1);
});

test.each(["IGNORE", "REPLACE", "ROLLBACK", "FAIL"])(
  "a constraint's own way with conflicts (%s) is for statements: what merges is settled alike on all nodes",
  async (way) => {
    await sql.query(`CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE ON CONFLICT ${way})`);
    exchange(...swarm.maps);
    swarm.time.nowMs += 1;
    await sql`INSERT INTO t VALUES (1, 'x')`;
    swarm.time.nowMs += 1;
    await swarm.sql(1)`INSERT INTO t VALUES (2, 'x')`;
    exchange(...swarm.maps);
    for (const node of [0, 1, swarm.add()]) {
      exchange(...swarm.maps);
      expect(await swarm.sql(node)`SELECT id FROM t`).toEqual([{ id: 2 }]);
      expect(await swarm.sql(node).conflicts()).toMatchObject([{ kind: "unique", row: { id: 1 } }]);
    }
  },
);

test("what no rule forbids any more comes back, on nodes that were there and on one that comes", async () => {
  await sql`CREATE TABLE t (id INTEGER PRIMARY KEY, a, b NOT NULL, c CHECK (c > 0))`;
  await sql`CREATE UNIQUE INDEX i ON t (a)`;
  exchange(...swarm.maps);
  swarm.time.nowMs += 1;
  await sql`INSERT INTO t VALUES (1, 'x', 1, 1)`;
  swarm.time.nowMs += 1;
  await swarm.sql(1)`INSERT INTO t VALUES (2, 'x', 1, 1)`;
  exchange(...swarm.maps);
  expect(await sql.conflicts()).toHaveLength(1);
  expect(await swarm.sql(1).conflicts()).toHaveLength(1);
  await swarm.sql(1)`DROP INDEX i`;
  exchange(...swarm.maps);
  const newcomer = swarm.add();
  exchange(...swarm.maps);
  for (const node of [0, 1, newcomer]) {
    expect(await swarm.sql(node)`SELECT id FROM t`).toEqual([{ id: 1 }, { id: 2 }]);
    expect(await swarm.sql(node).conflicts()).toEqual([]);
  }
});

test("a row that broke a CHECK is no conflict any more once a statement here has put it right", async () => {
  const other = swarm.sql(1);
  await sql`CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, CHECK (a <> b))`;
  await sql`INSERT INTO t VALUES (1, 1, 2)`;
  exchange(...swarm.maps);
  await sql`UPDATE t SET a = 3`;
  await other`UPDATE t SET b = 3`;
  exchange(...swarm.maps);
  expect(await sql.conflicts()).toMatchObject([{ kind: "check", row: { a: 3, b: 3 } }]);
  await sql`UPDATE t SET b = 4`;
  expect(await sql.conflicts()).toEqual([]);
  exchange(...swarm.maps);
  expect(await other`SELECT a, b FROM t`).toEqual([{ a: 3, b: 4 }]);
  expect(await other.conflicts()).toEqual([]);
});

test("a row that refers to a table of another shape than it was is told of like one that refers to nothing", async () => {
  await sql`CREATE TABLE parent (id INTEGER PRIMARY KEY)`;
  exchange(...swarm.maps);
  await sql`CREATE TABLE child (id INTEGER PRIMARY KEY, named REFERENCES parent (id), whole REFERENCES parent)`;
  await sql`INSERT INTO parent VALUES (1)`;
  await sql`INSERT INTO child VALUES (1, 1, 1), (2, NULL, NULL)`;
  expect(await sql.conflicts()).toEqual([]);
  await swarm.sql(1)`DROP TABLE parent`;
  await swarm.sql(1)`CREATE TABLE parent (x)`;
  exchange(...swarm.maps);
  for (const node of [0, 1]) {
    expect((await swarm.sql(node).conflicts()).map(({ kind, row }) => [kind, row["id"]])).toEqual([
      ["foreign-key", 1],
      ["foreign-key", 1],
    ]);
  }
});

test.each([
  ["by another node", false],
  ["by both", true],
])(
  "rows that come before the columns they were written with have their values when the columns come (added %s)",
  async (_, addsToo) => {
    const other = swarm.sql(1);
    const add = async (db: SqlDatabase): Promise<void> => {
      for (const column of ["b DEFAULT 5", "n COUNTER DEFAULT 0", "s JSONSET"]) {
        swarm.time.nowMs += 1;
        await db.query(`ALTER TABLE t ADD COLUMN ${column}`).run();
      }
    };
    await sql`CREATE TABLE t (id INTEGER PRIMARY KEY, a)`;
    await sql`INSERT INTO t VALUES (1, 1), (2, 2)`;
    exchange(...swarm.maps);
    await other`SELECT * FROM t`;
    await add(sql);
    const columns = stampsOf(swarm.map(0)).slice(-3);
    swarm.time.nowMs += 1;
    await sql`INSERT INTO t (id, a, b) VALUES (3, 3, 0)`;
    swarm.time.nowMs += 1;
    await sql`UPDATE t SET b = 7, n = n + 4, s = '[1]' WHERE id = 1`;
    const [rows, cells] = stampsOf(swarm.map(0)).slice(-2);
    if (rows === undefined || cells === undefined) throw new Error("There were two transactions");
    for (const stamp of [rows, cells]) deliver(swarm.map(0), swarm.map(1), stamp);
    expect(await other`SELECT * FROM t`).toHaveLength(3);
    if (addsToo) await add(other);
    else for (const stamp of columns) deliver(swarm.map(0), swarm.map(1), stamp);
    expect(await other`SELECT * FROM t`).toEqual(await sql`SELECT * FROM t`);
  },
);

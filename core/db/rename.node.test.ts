/** Tables and columns that are renamed, while other nodes write them under the old names. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { exchange } from "../../test/fixtures/replica-map.ts";
import { SqlSwarm } from "../../test/fixtures/sql-swarm.ts";
import { allotted } from "./schema/labels.ts";
import type { SqlDatabase } from "./types.ts";

let swarm: SqlSwarm;
let sql: SqlDatabase;
let other: SqlDatabase;
beforeEach(() => {
  swarm = new SqlSwarm(2);
  sql = swarm.sql(0);
  other = swarm.sql(1);
});
afterEach(() => swarm.close());

function meet(): void {
  swarm.time.nowMs += 1;
  exchange(...swarm.maps);
}

/** Expects this answer of all nodes, and of one that comes now. */
async function expectAll(query: string, rows: unknown): Promise<void> {
  const newcomer = swarm.add();
  meet();
  for (const node of [0, 1, newcomer]) expect(await swarm.sql(node).query(query)).toEqual(rows);
  const seen = await swarm.see(newcomer);
  for (const node of [0, 1]) expect(await swarm.see(node)).toEqual(seen);
}

test("what is written under the old names meanwhile is there under the new ones", async () => {
  await sql`CREATE TABLE birds (id INTEGER PRIMARY KEY, name TEXT, legs INTEGER CHECK (legs < 9), UNIQUE (name, legs))`;
  await sql`CREATE TABLE nests (id INTEGER PRIMARY KEY, bird REFERENCES birds (id) ON DELETE CASCADE)`;
  await sql`CREATE INDEX by_legs ON birds (legs, lower(name)) WHERE legs > 1`;
  await sql`CREATE VIEW pairs AS SELECT birds.name, birds.legs FROM birds WHERE legs = 2`;
  await sql`CREATE TRIGGER fill AFTER INSERT ON birds BEGIN UPDATE birds SET legs = 2 WHERE id = new.id AND new.legs IS NULL; END`;
  await sql`INSERT INTO birds VALUES (1, 'owl', 2)`;
  meet();
  await sql`ALTER TABLE birds RENAME TO animals`;
  await sql`ALTER TABLE animals RENAME COLUMN legs TO feet`;
  await other`INSERT INTO birds VALUES (2, 'cow', 4)`;
  await other`UPDATE birds SET legs = 3 WHERE id = 1`;
  await other`ALTER TABLE birds ADD COLUMN wings INTEGER DEFAULT 2`;
  await other`CREATE INDEX by_name ON birds (name)`;
  meet();
  await other`INSERT INTO animals (id, name) VALUES (3, 'hen')`;
  await sql`UPDATE animals SET wings = 0 WHERE id = 2`;
  meet();
  await sql`INSERT INTO nests VALUES (1, 3)`;
  await expectAll("SELECT * FROM animals", [
    { id: 1, name: "owl", feet: 3, wings: 2 },
    { id: 2, name: "cow", feet: 4, wings: 0 },
    { id: 3, name: "hen", feet: 2, wings: 2 },
  ]);
  expect(await sql`SELECT name, feet FROM pairs`).toEqual([{ name: "hen", feet: 2 }]);
  await expect(sql`SELECT * FROM birds`.run()).rejects.toThrow("no such table: birds");
  await expect(sql`UPDATE animals SET feet = 9`.run()).rejects.toThrow("CHECK constraint failed");
  expect((await sql`SELECT * FROM animals WHERE feet = 2 AND feet > 1`.plan()).join()).toContain("by_legs");
  const texts = (await other.schema()).map(({ sql: text }) => text);
  expect(texts).toContain("CREATE INDEX by_name ON animals (name)");
  expect(texts.find((text) => text.startsWith("CREATE TABLE nests"))).toContain("REFERENCES animals (id)");
  expect(texts.filter((text) => /\bbirds\b|\blegs\b/.test(text))).toEqual([]);
  await other`DELETE FROM animals WHERE id = 3`;
  await expectAll("SELECT count(*) AS n FROM nests", [{ n: 0 }]);
});

test("of two who rename one thing the later counts, and of two things with one name the one renamed later keeps its own", async () => {
  await sql`CREATE TABLE a (id INTEGER PRIMARY KEY, x, y)`;
  await sql`CREATE TABLE b (id INTEGER PRIMARY KEY)`;
  await sql`INSERT INTO a VALUES (1, 2, 3)`;
  meet();
  await sql`ALTER TABLE a RENAME TO c`;
  await sql`ALTER TABLE c RENAME COLUMN x TO z`;
  swarm.time.nowMs += 1;
  await other`ALTER TABLE a RENAME TO d`;
  await other`ALTER TABLE d RENAME COLUMN y TO z`;
  await expectAll("SELECT * FROM d", [{ id: 1, z: 2, y: 3 }]);
  await sql`ALTER TABLE d RENAME TO e`;
  swarm.time.nowMs += 1;
  await other`ALTER TABLE b RENAME TO e`;
  await expectAll("SELECT count(*) AS n FROM b", [{ n: 0 }]);
  expect(await sql`SELECT id FROM e`).toEqual([{ id: 1 }]);
  // If another table is created with that name, that table has it.
  await sql`ALTER TABLE e RENAME TO f`;
  await other`CREATE TABLE f (id INTEGER PRIMARY KEY, q)`;
  await expectAll("SELECT count(*) AS n FROM a", [{ n: 1 }]);
  expect(await sql`SELECT q FROM f`).toEqual([]);
});

test("a name that was given up is free for another table, as migrations take it", async () => {
  await sql`CREATE TABLE users (id INTEGER PRIMARY KEY, name)`;
  await sql`INSERT INTO users VALUES (1, 'ada')`;
  meet();
  for (const round of [1, 2, 3]) {
    await sql.transaction(async (tx) => {
      await tx`CREATE TABLE new_users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, round)`;
      await tx.query(`INSERT INTO new_users SELECT id, name, ${round} FROM users`);
      await tx`DROP TABLE users`;
      await tx`ALTER TABLE new_users RENAME TO users`;
      await tx.query(`CREATE INDEX by_round_${round} ON users (round)`);
    });
    await expectAll("SELECT * FROM users", [{ id: 1, name: "ada", round }]);
  }
  await sql`ALTER TABLE users RENAME TO old_users`;
  await sql`CREATE TABLE users (id INTEGER PRIMARY KEY, mail)`;
  await sql`CREATE VIEW both AS SELECT name, mail FROM users JOIN old_users USING (id)`;
  await other`INSERT INTO users VALUES (1, 'a@b')`.run().catch(() => {});
  meet();
  await other`INSERT OR REPLACE INTO users VALUES (1, 'a@b')`;
  await expectAll("SELECT * FROM both", [{ name: "ada", mail: "a@b" }]);
  await other`DROP TABLE old_users`;
  await expectAll("SELECT * FROM users", [{ id: 1, mail: "a@b" }]);
});

test("names change places, and come back", async () => {
  await sql`CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, c AS (a || b))`;
  await sql`INSERT INTO t (id, a, b) VALUES (1, 'A', 'B')`;
  await sql.transaction(async (tx) => {
    await tx`ALTER TABLE t RENAME a TO x`;
    await tx`ALTER TABLE t RENAME b TO a`;
    await tx`ALTER TABLE t RENAME x TO b`;
    await tx`UPDATE t SET a = 'BB'`;
  });
  await expectAll("SELECT a, b, c FROM t", [{ a: "BB", b: "A", c: "ABB" }]);
  await expect(sql`ALTER TABLE t RENAME COLUMN a TO b`.run()).rejects.toMatchObject({ code: "usage" });
  await other`ALTER TABLE t RENAME a TO x`;
  await other`ALTER TABLE t RENAME b TO a`;
  await other`ALTER TABLE t RENAME x TO b`;
  await expectAll("SELECT a, b, c FROM t", [{ a: "A", b: "BB", c: "ABB" }]);
  // A column that is added has a name that no other had first.
  await sql`ALTER TABLE t RENAME a TO z`;
  await expect(sql`ALTER TABLE t ADD COLUMN a`.run()).rejects.toThrow("is what z was called first");
  await sql`ALTER TABLE t ADD COLUMN d DEFAULT 1`;
  await sql`ALTER TABLE t DROP COLUMN d`;
  await expectAll("SELECT z, b, c FROM t", [{ z: "A", b: "BB", c: "ABB" }]);
});

test("a rename that fails, or is rolled back, changes nothing; a broken view hinders none", async () => {
  await sql`CREATE TABLE t (id INTEGER PRIMARY KEY, a)`;
  await sql`CREATE TABLE gone (id INTEGER PRIMARY KEY)`;
  await sql`CREATE VIEW broken AS SELECT * FROM gone`;
  await sql`CREATE VIEW v AS SELECT a FROM t`;
  await sql`DROP TABLE gone`;
  await sql`INSERT INTO t VALUES (1, 5)`;
  await expect(sql`ALTER TABLE t RENAME TO v`.run()).rejects.toMatchObject({ code: "usage" });
  await expect(sql`ALTER TABLE v RENAME TO w`.run()).rejects.toMatchObject({ code: "usage" });
  {
    await using tx = await sql.begin();
    await tx`ALTER TABLE t RENAME TO u`;
    await tx`INSERT INTO u VALUES (2, 6)`;
    expect(await tx`SELECT count(*) AS n FROM v`).toEqual([{ n: 2 }]);
  }
  expect(await sql`SELECT * FROM t`).toEqual([{ id: 1, a: 5 }]);
  await sql`ALTER TABLE t RENAME TO u`;
  await sql`ALTER TABLE u RENAME a TO b`;
  await sql`CREATE TABLE gone (id INTEGER PRIMARY KEY)`;
  await expectAll("SELECT count(*) AS n FROM broken", [{ n: 0 }]);
  expect(await sql`SELECT * FROM v`).toEqual([{ b: 5 }]);
});

test("names like those that renaming passes through mix up no columns", async () => {
  await sql`CREATE TABLE t (id INTEGER PRIMARY KEY, _renamed_0, a, b)`;
  await sql`INSERT INTO t VALUES (1, 'zero', 'A', 'B')`;
  meet();
  await sql`ALTER TABLE t RENAME COLUMN a TO _renamed_2`;
  await other`ALTER TABLE t RENAME COLUMN b TO x`;
  await expectAll("SELECT id, _renamed_0, _renamed_2, x FROM t", [
    { id: 1, _renamed_0: "zero", _renamed_2: "A", x: "B" },
  ]);
  await other`UPDATE t SET _renamed_2 = 'AA' WHERE id = 1`;
  await expectAll("SELECT _renamed_0, _renamed_2, x FROM t", [{ _renamed_0: "zero", _renamed_2: "AA", x: "B" }]);
});

test("nothing gets a name that something else has, whatever others have labelled", () => {
  const label = (stamp: number): { readonly name: string; readonly stamp: number } => ({ name: "n", stamp });
  const wishes = ["a", "b", "c"].map((id, i) => ({ id, own: "n", label: label(i) }));
  const names = allotted(wishes, ["n_b", "n_c", "n_c_"]);
  expect([...names.values()]).toEqual(["n", "n_b_", "n_c__"]);
});

test("a new name that SQLite refuses takes no other its own", async () => {
  await sql`CREATE TABLE t (id INTEGER PRIMARY KEY, a)`;
  await sql`CREATE TABLE u (id INTEGER PRIMARY KEY, b)`;
  await sql`ALTER TABLE u RENAME TO w`;
  await expect(sql`ALTER TABLE t RENAME a TO rowid`.run()).rejects.toThrow("rowid");
  meet();
  // As a malicious member writes it.
  const [, map] = swarm.maps;
  for (const { key } of [...(map?.entries("!c/") ?? [])]) map?.set(key.replace("!c/", "!n/"), { n: "RowId" });
  await expectAll("SELECT id, b FROM w", []);
});

test("a text that speaks of what is gone stays so, whoever has that name meanwhile", async () => {
  await sql`CREATE TABLE c (id INTEGER PRIMARY KEY, x REFERENCES a (id))`;
  await sql`CREATE VIEW v AS SELECT count(*) AS n FROM a`;
  await sql`ALTER TABLE c RENAME TO a`;
  await sql`INSERT INTO a VALUES (1, NULL), (2, 1)`;
  expect(await sql`SELECT n FROM v`).toEqual([{ n: 2 }]);
  meet();
  await other`ALTER TABLE a RENAME TO b`;
  await expectAll("SELECT count(*) AS n FROM b", [{ n: 2 }]);
  await expect(sql`SELECT n FROM v`.run()).rejects.toThrow("no such table: main.a");
  expect(await sql.conflicts()).toMatchObject([{ kind: "foreign-key", table: "b" }]);
});

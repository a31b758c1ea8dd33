/**
 * The shared database on whole computers in virtual time: what one node writes, all nodes have, whatever cut them off
 * from each other.
 */
import { expect, test } from "vitest";
import { ShellBench } from "../../test/sim/shell-bench.ts";
import { longSeeds } from "../../test/sim/seeds.ts";
import type { SqlDatabase, SqlRow } from "./types.ts";

const SPREAD_MS = 5_000;
const MEGABYTE = 1_000_000;

class Bench {
  readonly bench: ShellBench;

  constructor(seed: number) {
    this.bench = new ShellBench({ seed });
  }

  static async open(seed = 1): Promise<Bench> {
    const made = new Bench(seed);
    await made.bench.up("first");
    await made.bench.company();
    return made;
  }

  sql(name: string): SqlDatabase {
    return this.bench.computer(name).sql;
  }

  run<T>(promise: PromiseLike<T>): Promise<T> {
    return this.bench.world.settle(Promise.resolve(promise), { withinMs: 60_000 });
  }

  rows(name: string, text: string): Promise<readonly SqlRow[]> {
    return this.run(this.sql(name).query(text));
  }

  spread(): Promise<void> {
    return this.bench.world.runFor(SPREAD_MS);
  }
}

test("what one node writes all read, in the same order, with the types that it had", async () => {
  const bench = await Bench.open();
  const { run } = { run: bench.run.bind(bench) };
  const sql = bench.sql("first");
  await run(sql`CREATE TABLE users (id UUID PRIMARY KEY, name TEXT NOT NULL, age INTEGER DEFAULT 3)`);
  await run(sql`INSERT INTO users (name) VALUES (${"ada"}), ('bob')`);
  expect((await run(sql`UPDATE users SET age = ${36} WHERE name = 'ada'`.run())).changes).toBe(1);
  await run(sql`CREATE TABLE log (line, n)`);
  await run(sql`INSERT INTO log VALUES ('a', 1), ('b', 2.0), (x'0102', null), (${2n ** 60n}, -0.5)`);
  await run(sql`UPDATE log SET n = 9 WHERE line = 'a'`);
  await run(sql`DELETE FROM log WHERE line = 'b'`);
  await bench.spread();
  for (const name of ["first", "second", "third"]) {
    expect(await bench.rows(name, "SELECT name, age, length(id) AS l FROM users")).toEqual([
      { name: "ada", age: 36, l: 36 },
      { name: "bob", age: 3, l: 36 },
    ]);
    expect(await bench.rows(name, "SELECT line, n, typeof(n) AS t FROM log")).toEqual([
      { line: "a", n: 9, t: "integer" },
      { line: Uint8Array.of(1, 2), n: null, t: "null" },
      { line: 2n ** 60n, n: -0.5, t: "real" },
    ]);
  }
});

test("the schema is data: columns, indexes, views and triggers of any node are everybody's", async () => {
  const bench = await Bench.open();
  const [sql, other] = [bench.sql("first"), bench.sql("third")];
  await bench.run(sql`CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)`);
  await bench.run(sql`INSERT INTO notes VALUES (1, 'one'), (2, 'two')`);
  await bench.spread();
  await bench.run(other`ALTER TABLE notes ADD COLUMN tag TEXT DEFAULT 'none'`);
  await bench.run(other`UPDATE notes SET tag = 'odd' WHERE id = 1`);
  await bench.run(other`CREATE UNIQUE INDEX by_text ON notes (text)`);
  await bench.run(other`CREATE VIEW odd AS SELECT text FROM notes WHERE tag = 'odd'`);
  await bench.run(
    other`CREATE TRIGGER up AFTER INSERT ON notes BEGIN UPDATE notes SET tag = 'new' WHERE id = new.id; END`,
  );
  await bench.spread();
  expect(await bench.rows("first", "SELECT * FROM notes")).toEqual([
    { id: 1, text: "one", tag: "odd" },
    { id: 2, text: "two", tag: "none" },
  ]);
  expect(await bench.rows("second", "SELECT * FROM odd")).toEqual([{ text: "one" }]);
  await expect(bench.run(sql`INSERT INTO notes VALUES (3, 'one', 'x')`)).rejects.toMatchObject({ code: "constraint" });
  await bench.run(sql`INSERT INTO notes VALUES (3, 'three', 'x')`);
  await bench.spread();
  expect(await bench.rows("third", "SELECT tag FROM notes WHERE id = 3")).toEqual([{ tag: "new" }]);
  expect(
    (await bench.run(sql.schema()))
      .filter(({ isOfComputer }) => !isOfComputer)
      .map(({ kind, name }) => `${kind} ${name}`),
  ).toEqual(["index by_text", "table notes", "view odd", "trigger up"]);
  await bench.run(sql`DROP VIEW odd`);
  await bench.run(sql`DROP TABLE notes`);
  await bench.spread();
  await expect(bench.rows("third", "SELECT * FROM notes")).rejects.toThrow("no such table: notes");
  await bench.run(bench.sql("third")`CREATE TABLE notes (id INTEGER PRIMARY KEY, n)`);
  await bench.spread();
  expect(await bench.rows("second", "SELECT * FROM notes")).toEqual([]);
});

test("a transaction is whole, or nothing of it is there", async () => {
  const bench = await Bench.open();
  const sql = bench.sql("first");
  await bench.run(sql`CREATE TABLE accounts (name TEXT PRIMARY KEY, euros INTEGER CHECK (euros >= 0))`);
  await bench.run(sql`INSERT INTO accounts VALUES ('a', 10), ('b', 0)`);
  const move = (euros: number): Promise<void> =>
    sql.transaction(async (tx) => {
      await tx`UPDATE accounts SET euros = euros + ${euros} WHERE name = 'b'`;
      expect(await tx`SELECT euros FROM accounts WHERE name = 'b'`).not.toEqual([{ euros: 0 }]);
      await tx`UPDATE accounts SET euros = euros - ${euros} WHERE name = 'a'`;
    });
  await bench.run(move(4));
  await expect(bench.run(move(7))).rejects.toMatchObject({ code: "constraint" });
  expect(await bench.rows("first", "SELECT * FROM accounts")).toEqual([
    { name: "a", euros: 6 },
    { name: "b", euros: 4 },
  ]);
  await bench.spread();
  expect(await bench.rows("second", "SELECT sum(euros) AS n FROM accounts")).toEqual([{ n: 10 }]);
});

test("many rows come by insert, and all nodes have them", async () => {
  const bench = await Bench.open();
  const sql = bench.sql("first");
  await bench.run(sql`CREATE TABLE numbers (n INTEGER PRIMARY KEY, text TEXT)`);
  const rows = Array.from({ length: 5_000 }, (_, n) => [n, `${n}`.padEnd(140)]);
  expect(await bench.run(sql.insert("numbers", ["n", "text"], rows))).toBe(5_000);
  await bench.bench.world.runFor(20_000);
  expect(await bench.rows("third", "SELECT count(*) AS n, sum(n) AS s FROM numbers")).toEqual([
    { n: 5_000, s: 12_497_500 },
  ]);
});

test("two halves write, and are one when they meet: columns merge, a deletion wins, the later value stays", async () => {
  const bench = await Bench.open();
  const { world } = bench.bench;
  const [sql, other] = [bench.sql("first"), bench.sql("second")];
  await bench.run(sql`CREATE TABLE t (id TEXT PRIMARY KEY, a, b)`);
  await bench.run(sql`INSERT INTO t VALUES ('x', 1, 1), ('y', 1, 1), ('z', 1, 1)`);
  await bench.spread();
  world.partition([[world.node("first")], [world.node("second"), world.node("third")]]);
  await bench.run(sql`UPDATE t SET a = 2`);
  await bench.run(other`UPDATE t SET b = 3`);
  await bench.run(sql`DELETE FROM t WHERE id = 'y'`);
  await bench.run(other`UPDATE t SET a = 4 WHERE id = 'z'`);
  await bench.run(other`INSERT INTO t VALUES ('w', 5, 5)`);
  expect(await bench.rows("first", "SELECT count(*) AS n FROM t")).toEqual([{ n: 2 }]);
  world.heal();
  await bench.bench.world.runFor(60_000);
  for (const name of ["first", "second", "third"]) {
    expect(await bench.rows(name, "SELECT * FROM t ORDER BY id")).toEqual([
      { id: "w", a: 5, b: 5 },
      { id: "x", a: 2, b: 3 },
      { id: "z", a: 4, b: 3 },
    ]);
  }
});

test("a row that has what must be unique is set aside for a later one, and comes back when that goes", async () => {
  const bench = await Bench.open();
  const { world } = bench.bench;
  const [sql, other] = [bench.sql("first"), bench.sql("second")];
  await bench.run(sql`CREATE TABLE people (id TEXT PRIMARY KEY, mail TEXT UNIQUE)`);
  await bench.spread();
  world.partition([[world.node("first")], [world.node("second"), world.node("third")]]);
  await bench.run(sql`INSERT INTO people VALUES ('p', 'a@b')`);
  await bench.bench.world.runFor(1_000);
  await bench.run(other`INSERT INTO people VALUES ('q', 'a@b')`);
  world.heal();
  await bench.bench.world.runFor(60_000);
  for (const name of ["first", "second", "third"]) {
    expect(await bench.rows(name, "SELECT id FROM people")).toEqual([{ id: "q" }]);
    expect(await bench.run(bench.sql(name).conflicts())).toMatchObject([
      { kind: "unique", table: "people", row: { id: "p", mail: "a@b" } },
    ]);
  }
  await bench.run(sql`UPDATE people SET mail = 'q@b' WHERE id = 'q'`);
  await bench.spread();
  for (const name of ["first", "third"]) {
    expect(await bench.rows(name, "SELECT id FROM people ORDER BY id")).toEqual([{ id: "p" }, { id: "q" }]);
    expect(await bench.run(bench.sql(name).conflicts())).toEqual([]);
  }
});

test("a live query tells each new answer, of this node's writes and of others'", async () => {
  const bench = await Bench.open();
  const [sql, other] = [bench.sql("first"), bench.sql("second")];
  await bench.run(sql`CREATE TABLE t (id INTEGER PRIMARY KEY, a)`);
  await bench.spread();
  const seen: unknown[] = [];
  const stop = sql`SELECT sum(a) AS s FROM t`.live().subscribe(({ rows, error }) => seen.push(error ?? rows));
  await bench.spread();
  await bench.run(sql`INSERT INTO t VALUES (1, 2)`);
  await bench.spread();
  await bench.run(other`INSERT INTO t VALUES (2, 3)`);
  await bench.spread();
  stop();
  await bench.run(sql`DELETE FROM t`);
  await bench.spread();
  expect(seen).toEqual([[{ s: null }], [{ s: 2 }], [{ s: 5 }]]);
});

const TEXT = "A text. ".repeat(MEGABYTE / 8);
const LENGTHS = "SELECT id, length(a) AS n FROM t";

test("a value of a megabyte travels by the disk, also to a half that was cut off", async () => {
  const bench = await Bench.open();
  const { world } = bench.bench;
  const [sql, other] = [bench.sql("first"), bench.sql("second")];
  await bench.run(sql`CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)`);
  await bench.run(sql`INSERT INTO t VALUES (1, ${TEXT})`);
  await bench.spread();
  const first = [{ id: 1, n: MEGABYTE }];
  for (const name of ["first", "second", "third"]) expect(await bench.rows(name, LENGTHS)).toEqual(first);
  world.partition([[world.node("first")], [world.node("second"), world.node("third")]]);
  await bench.run(sql`INSERT INTO t VALUES (2, ${TEXT} || 'x')`);
  await bench.run(other`UPDATE t SET a = a || 'more' WHERE id = 1`);
  expect(await bench.rows("first", LENGTHS)).toEqual([...first, { id: 2, n: MEGABYTE + 1 }]);
  world.heal();
  await bench.bench.world.runFor(60_000);
  for (const name of ["first", "second", "third"]) {
    expect(await bench.rows(name, LENGTHS)).toEqual([
      { id: 1, n: MEGABYTE + 4 },
      { id: 2, n: MEGABYTE + 1 },
    ]);
    expect(await bench.run(bench.sql(name).conflicts())).toEqual([]);
  }
});

test.each(longSeeds(1))(
  "a large value goes from the disk some days after its cell, and stays while a cell has it (seed %i)",
  { timeout: 3_600_000 },
  async (seed) => {
    const bench = await Bench.open(seed);
    const sql = bench.sql("first");
    const used = (): number => bench.bench.computer("third").storage.use().usedBytes;
    await bench.run(sql`CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)`);
    await bench.run(sql`INSERT INTO t VALUES (1, ${TEXT}), (2, ${TEXT} || ${TEXT})`);
    await bench.spread();
    const before = used();
    await bench.run(sql`DELETE FROM t WHERE id = 2`);
    // Two days for the entry of the content, and two for its shards.
    await bench.bench.world.runFor(100 * 3_600_000);
    expect(used()).toBeLessThan(before / 2);
    expect(used()).toBeGreaterThan(before / 4);
    expect(await bench.rows("third", LENGTHS)).toEqual([{ id: 1, n: MEGABYTE }]);
  },
);

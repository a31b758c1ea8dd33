/** Values that are too large for the map: they are contents of the disk, and the tables have them all the same. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { equal } from "../base/bytes.ts";
import { exchange } from "../../test/fixtures/replica-map.ts";
import { SqlSwarm } from "../../test/fixtures/sql-swarm.ts";
import { packLarge, readLarge } from "./cells/large.ts";
import { LargeReferences } from "./large-references.ts";
import { CELL_BYTES_MAX, SQL_VALUE_BYTES_MAX } from "./limits.ts";
import { realClock } from "../platform/clock.ts";
import { cellKey, columnId, tableId } from "./schema/names.ts";
import type { SqlDatabase } from "./types.ts";

const LARGE = 90_000;
const TEXT: string = "ä line of text\n".repeat(LARGE / 15);
const BYTES: Uint8Array = Uint8Array.from({ length: LARGE }, (_, i) => (i * i) >> 3);

let swarm: SqlSwarm;
let sql: SqlDatabase;
beforeEach(() => {
  swarm = new SqlSwarm(2);
  sql = swarm.sql(0);
});
afterEach(() => swarm.close());

/** Large values come a moment later than their cells. What would be tried again later is tried now. */
async function expectRows(node: number, text: string, rows: unknown): Promise<void> {
  const seen = async (): Promise<unknown> => {
    await swarm.ring();
    return swarm.sql(node).query(text);
  };
  await expect.poll(seen, { timeout: 10_000 }).toEqual(rows);
}

/** A comparison of such values by the test's own means takes seconds. */
async function has(node: number, text: string, ...values: readonly (string | Uint8Array)[]): Promise<boolean> {
  const [row = {}] = await swarm.sql(node).query(text);
  const found = Object.values(row);
  return values.every((value, i) => {
    const other = found[i];
    if (typeof value === "string" || typeof other === "string") return value === other;
    return other instanceof Uint8Array && equal(value, other);
  });
}

test("a large value is written, changed, read on another node and deleted like any other", async () => {
  await sql`CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT, data BLOB, n INTEGER)`;
  await sql`INSERT INTO notes VALUES (1, ${TEXT}, ${BYTES}, 1), (2, 'short', x'00', 2)`;
  expect(await has(0, "SELECT text, data FROM notes WHERE id = 1", TEXT, BYTES)).toBe(true);
  // The map has a reference, and a transaction counts as small.
  expect(swarm.map(0).stat().bytes).toBeLessThan(2_000);
  await sql`SELECT count(*) FROM notes`;
  await swarm.sql(1)`SELECT 1`;
  exchange(...swarm.maps);
  await expectRows(1, "SELECT id, length(text) AS t, length(data) AS d, n FROM notes", [
    { id: 1, t: TEXT.length, d: LARGE, n: 1 },
    { id: 2, t: 5, d: 1, n: 2 },
  ]);
  expect(await has(1, "SELECT text, data FROM notes WHERE id = 1", TEXT, BYTES)).toBe(true);
  swarm.time.nowMs += 1;
  await swarm.sql(1)`UPDATE notes SET text = text || 'more', data = 'small' WHERE id = 1`;
  await swarm.sql(1)`UPDATE notes SET text = ${TEXT} WHERE id = 2`;
  exchange(...swarm.maps);
  const changed = [
    { id: 1, t: TEXT.length + 4, d: "small" },
    { id: 2, t: TEXT.length, d: Uint8Array.of(0) },
  ];
  for (const node of [0, 1]) await expectRows(node, "SELECT id, length(text) AS t, data AS d FROM notes", changed);
  swarm.time.nowMs += 1;
  await sql`DELETE FROM notes WHERE id = 1`;
  exchange(...swarm.maps);
  const newcomer = swarm.add();
  exchange(...swarm.maps);
  for (const node of [0, 1, newcomer])
    await expectRows(node, "SELECT id, length(text) AS n FROM notes", [{ id: 2, n: TEXT.length }]);
});

test("tables without a key, transactions and unique columns have them too", async () => {
  await sql`CREATE TABLE made (a UNIQUE, b)`;
  await sql.transaction(async (tx) => {
    await tx`INSERT INTO made VALUES (${TEXT}, ${BYTES})`;
    expect(await tx`SELECT length(a) AS n FROM made`).toEqual([{ n: TEXT.length }]);
    await tx`UPDATE made SET a = a || '1'`;
    await tx`INSERT INTO made VALUES ('x', ${BYTES})`;
  });
  await swarm.sql(1)`SELECT 1`;
  exchange(...swarm.maps);
  const rows = [
    { a: TEXT.length + 1, b: LARGE },
    { a: 1, b: LARGE },
  ];
  for (const node of [0, 1]) {
    await expectRows(node, "SELECT length(a) AS a, length(b) AS b FROM made", rows);
    expect(await has(node, "SELECT a, b FROM made", `${TEXT}1`, BYTES)).toBe(true);
  }
  // One content, however many cells refer to it, and the text as it was at the end.
  expect(swarm.contents.size).toBe(2);
  await expect(sql`INSERT INTO made (a) VALUES (${`${TEXT}1`})`.run()).rejects.toMatchObject({ code: "constraint" });
});

test("a row whose content is out of reach is set aside and told, and comes when the content does", async () => {
  await sql`CREATE TABLE t (id INTEGER PRIMARY KEY, a, n)`;
  await swarm.sql(1)`SELECT 1`;
  swarm.unreached.add(1);
  await sql`INSERT INTO t VALUES (1, ${TEXT}, 1), (2, 'b', 1)`;
  exchange(...swarm.maps);
  await expectRows(1, "SELECT id FROM t", [{ id: 2 }]);
  expect(await swarm.sql(1).conflicts()).toMatchObject([{ kind: "content", table: "t", row: { id: 1, n: 1 } }]);
  expect(swarm.sql(1).stat().missing).toBe(1);
  swarm.unreached.clear();
  await expectRows(1, "SELECT id, length(a) AS l FROM t", [
    { id: 1, l: TEXT.length },
    { id: 2, l: 1 },
  ]);
  expect(await swarm.sql(1).conflicts()).toEqual([]);
  // It stays when another column changes, though its content is out of reach by now.
  swarm.unreached.add(1);
  swarm.time.nowMs += 1;
  await sql`UPDATE t SET n = 2`;
  exchange(...swarm.maps);
  await expectRows(1, "SELECT id, length(a) AS l, n FROM t", [
    { id: 1, l: TEXT.length, n: 2 },
    { id: 2, l: 1, n: 2 },
  ]);
});

test("a transaction is seen with its large values, or not at all", async () => {
  await sql`CREATE TABLE t (id INTEGER PRIMARY KEY, a)`;
  exchange(...swarm.maps);
  const other = swarm.sql(1);
  await other`SELECT * FROM t`;
  swarm.unreached.add(1);
  await sql`INSERT INTO t VALUES (1, ${TEXT}), (2, 'b')`;
  exchange(...swarm.maps);
  expect(await other`SELECT id FROM t`).toEqual([]);
  swarm.unreached.clear();
  await expect.poll(() => other`SELECT id FROM t`, { timeout: 10_000 }).not.toEqual([]);
  expect(await other`SELECT id FROM t`).toEqual([{ id: 1 }, { id: 2 }]);
});

test("what is too large for one too, and where no value may be large", async () => {
  await sql`CREATE TABLE t (id TEXT PRIMARY KEY, a, s JSONSET)`;
  const refused = async (query: PromiseLike<unknown>): Promise<unknown> =>
    Promise.resolve(query).then(
      () => "written",
      (error) => error.code,
    );
  expect(await refused(sql`INSERT INTO t (id, a) VALUES ('a', zeroblob(${SQL_VALUE_BYTES_MAX + 1}))`)).toBe(
    "too-large",
  );
  expect(await refused(sql`INSERT INTO t (id) VALUES (${TEXT})`)).toBe("too-large");
  expect(await refused(sql`INSERT INTO t (id, s) VALUES ('s', ${TEXT})`)).toBe("too-large");
  expect(await sql`SELECT * FROM t`).toEqual([]);
  expect(swarm.contents.size).toBe(0);
});

test("cells of a member that refer to what is no value are set aside and told, whatever they claim", async () => {
  await sql`CREATE TABLE t (id INTEGER PRIMARY KEY, a)`;
  await sql`INSERT INTO t VALUES (0, 'mine')`;
  await sql`INSERT INTO t VALUES (1, ${TEXT})`;
  exchange(...swarm.maps);
  const table = tableId("t", 1, ["id"]);
  const cell = (key: string): string => cellKey(`${table}/${key}`, columnId("a", 0));
  const [own] = [...swarm.map(0).entries(`${table}/M0`)].flatMap(({ value }) => {
    const ref = value instanceof Uint8Array ? readLarge(value) : undefined;
    return ref === undefined ? [] : [ref];
  });
  if (own === undefined) throw new Error("The cell refers to its content");
  const cells: [string, Uint8Array][] = [
    ["M1", packLarge({ isText: true, sizeBytes: LARGE, cid: `b${"a".repeat(58)}` })],
    ["M2", packLarge({ ...own, sizeBytes: own.sizeBytes + 1 })],
    ["M3", packLarge({ ...own, sizeBytes: 100_000_000 })],
    ["M4", packLarge({ ...own, sizeBytes: CELL_BYTES_MAX })],
    ["M5", packLarge({ ...own, cid: "no CID" })],
    ["M6", Uint8Array.of(7)],
    ["M7", Uint8Array.of(7, 9, 0x80)],
  ];
  swarm.time.nowMs += 1;
  for (const [key, value] of cells) {
    swarm.map(1).batch([
      { key: `${table}/${key}`, value: new Uint8Array() },
      { key: cell(key), value },
    ]);
  }
  // A row whose own value is a reference is malformed.
  swarm.map(1).set(`${table}/M8`, Uint8Array.of(1, 2, 3, 4, 7, 1));
  exchange(...swarm.maps);
  for (const node of [0, 1]) {
    await expectRows(node, "SELECT id, length(a) AS n FROM t", [
      { id: 0, n: 4 },
      { id: 1, n: TEXT.length },
    ]);
    const kinds = async (): Promise<string[]> => {
      await swarm.ring();
      return (await swarm.sql(node).conflicts()).map(({ kind }) => kind);
    };
    await expect.poll(kinds, { timeout: 10_000 }).toEqual([...Array.from({ length: 7 }, () => "content"), "malformed"]);
  }
});

test("a value that no cell has any more is not waited for", async () => {
  await sql`CREATE TABLE t (id INTEGER PRIMARY KEY, a)`;
  await swarm.sql(1)`SELECT 1`;
  swarm.unreached.add(1);
  await sql`INSERT INTO t VALUES (1, ${TEXT})`;
  exchange(...swarm.maps);
  await expect.poll(async () => (await swarm.sql(1).conflicts()).length, { timeout: 10_000 }).toBe(1);
  expect(swarm.sql(1).stat().missing).toBe(1);
  swarm.time.nowMs += 1;
  await sql`UPDATE t SET a = 'small'`;
  exchange(...swarm.maps);
  await expectRows(1, "SELECT a FROM t", [{ a: "small" }]);
  const missing = async (): Promise<number> => {
    await swarm.ring();
    return swarm.sql(1).stat().missing;
  };
  await expect.poll(missing, { timeout: 10_000 }).toBe(0);
});

test("the collector is told what living cells refer to", async () => {
  await sql`CREATE TABLE t (id INTEGER PRIMARY KEY, a)`;
  await sql`INSERT INTO t VALUES (1, ${TEXT}), (2, ${BYTES})`;
  const references = new LargeReferences(swarm.map(0), realClock);
  const all = (): number => new Set(references.all()).size;
  await expect.poll(all).toBe(2);
  await sql`DELETE FROM t WHERE id = 1`;
  await expect.poll(all).toBe(1);
  references.close();
});

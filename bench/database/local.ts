/** One node's database compared with plain sqlite-wasm: both in threads, in turn, with the same rows and statements. */
import { createSql } from "../../core/db/sql.ts";
import type { SqlDatabase } from "../../core/db/types.ts";
import { ReplicaMap, TestTime } from "../../test/fixtures/replica-map.ts";
import { sqlParts } from "../../test/fixtures/sql-parts.ts";
import { PlainSqlite, type PlainValue } from "./plain.ts";
import { COLUMNS, CREATE, INSERT, INSERT_JSON, rowsOf } from "./rows.ts";

const ROWS = 50_000;
/** Rows of one statement, as JSON. */
const CHUNK = 5_000;
/** Odd: the median is one of them. */
const ROUNDS = 5;

const QUERIES: Readonly<
  Record<string, { readonly sql: string; readonly times: number; readonly bind: (i: number) => PlainValue[] }>
> = {
  "sums of a scan": { sql: "SELECT count(*), sum(n), avg(r) FROM t WHERE n % 7 = 3", times: 10, bind: () => [] },
  groups: { sql: "SELECT g, count(*), max(n), min(name) FROM t GROUP BY g ORDER BY g", times: 5, bind: () => [] },
  "text by pattern": { sql: "SELECT id FROM t WHERE name LIKE '%abc%'", times: 5, bind: () => [] },
  "1,000 rows of a range": {
    sql: "SELECT * FROM t WHERE id BETWEEN ? AND ?",
    times: 20,
    bind: (i) => [i * 1_000, i * 1_000 + 999],
  },
  "10,000 rows sorted": { sql: "SELECT id, name FROM t ORDER BY n LIMIT 10000", times: 3, bind: () => [] },
  "a row by its key": { sql: "SELECT * FROM t WHERE id = ?", times: 300, bind: (i) => [i * 151] },
};

interface Ratio {
  readonly what: string;
  readonly ours: number;
  readonly plain: number;
}

/** The median of each, in milliseconds. */
export async function localRatios(): Promise<Ratio[]> {
  const inserts: Ratio[] = [];
  const one: Ratio[] = [];
  const selects = new Map<string, Ratio[]>();
  for (let round = 0; round < ROUNDS; round++) {
    inserts.push({
      what: `${ROWS.toLocaleString("en")} rows in one transaction`,
      ours: await ours(inOneTransaction),
      plain: await plain(plainInOne),
    });
    one.push({
      what: `${ROWS.toLocaleString("en")} rows by insert()`,
      ours: await ours(byInsert),
      plain: await plain(plainPrepared),
    });
    const both = await queries();
    for (const ratio of both) selects.set(ratio.what, [...(selects.get(ratio.what) ?? []), ratio]);
  }
  return [inserts, one, ...selects.values()].map((all) => median(all));
}

function median(all: readonly Ratio[]): Ratio {
  const sorted = all.toSorted((x, y) => x.plain / x.ours - y.plain / y.ours);
  const middle = sorted[sorted.length >> 1];
  if (middle === undefined) throw new Error("There were no rounds");
  return middle;
}

async function ours(work: (sql: SqlDatabase) => Promise<void>): Promise<number> {
  const made = createSql(sqlParts(new ReplicaMap(1, new TestTime())));
  const { sql } = made;
  await sql.query(CREATE).run();
  const ms = await timed(() => work(sql));
  await made.close();
  return ms;
}

async function plain(work: (db: PlainSqlite) => Promise<void>): Promise<number> {
  await using db = new PlainSqlite();
  await db.run(CREATE);
  return await timed(() => work(db));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function inOneTransaction(sql: SqlDatabase): Promise<void> {
  await sql.transaction(async (tx) => {
    for (let at = 0; at < ROWS; at += CHUNK)
      await tx.query(INSERT_JSON, [JSON.stringify(rowsOf(at, at + CHUNK))]).run();
  });
}

async function plainInOne(db: PlainSqlite): Promise<void> {
  await db.run("BEGIN");
  for (let at = 0; at < ROWS; at += CHUNK) await db.run(INSERT_JSON, [JSON.stringify(rowsOf(at, at + CHUNK))]);
  await db.run("COMMIT");
}

async function byInsert(sql: SqlDatabase): Promise<void> {
  await sql.insert("t", COLUMNS, rowsOf(0, ROWS));
}

async function plainPrepared(db: PlainSqlite): Promise<void> {
  const rows = rowsOf(0, ROWS);
  for (let at = 0; at < ROWS; at += 2_000) {
    await db.run("BEGIN");
    await db.run(INSERT, undefined, rows.slice(at, at + 2_000));
    await db.run("COMMIT");
  }
}

async function queries(): Promise<Ratio[]> {
  const made = createSql(sqlParts(new ReplicaMap(1, new TestTime())));
  const { sql } = made;
  await using db = new PlainSqlite();
  await sql.query(CREATE).run();
  await db.run(CREATE);
  await inOneTransaction(sql);
  await plainInOne(db);
  const ratios: Ratio[] = [];
  for (const [what, query] of Object.entries(QUERIES)) {
    let [ourMs, plainMs] = [0, 0];
    for (let i = 0; i < query.times; i++) {
      const bind = query.bind(i);
      // In turn, so that other work of the machine disturbs both alike.
      plainMs += await timed(() => db.run(query.sql, bind));
      ourMs += await timed(() => sql.query(query.sql, bind).run());
    }
    ratios.push({ what, ours: ourMs / query.times, plain: plainMs / query.times });
  }
  await made.close();
  return ratios;
}

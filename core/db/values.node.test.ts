/** Values reach other nodes as they are, whatever SQLite lets a statement make. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { exchange } from "../../test/fixtures/replica-map.ts";
import { SqlSwarm } from "../../test/fixtures/sql-swarm.ts";

let swarm: SqlSwarm;
beforeEach(() => {
  swarm = new SqlSwarm(2);
});
afterEach(() => swarm.close());

const VALUES = [
  "1.0",
  "-0.0",
  "9e999",
  "-9e999",
  "5e-324",
  "9007199254740993",
  "-9223372036854775808",
  "9223372036854775807",
  "1e15",
  "''",
  "x''",
  "x'ff'",
  "'1'",
  "' 1 '",
  "'1.0'",
  "'1e2'",
  "'0x10'",
  "'a' || char(0) || 'b'",
  "char(0)",
  "char(65279) || 'bom'",
  "char(128512)",
  "'é' || char(769)",
];
const TYPES = ["", "TEXT", "REAL", "NUMERIC"];

test.each([
  ["in a key", "a TYPE PRIMARY KEY"],
  ["in a table without a key", "a TYPE"],
  ["in a cell that is written later", "id INTEGER PRIMARY KEY, a TYPE"],
])("a value is the same on all nodes, %s", async (_, columns) => {
  const isLater = columns.startsWith("id");
  for (const [i, type] of TYPES.entries()) {
    const table = `t${i}`;
    await swarm.run(0, `CREATE TABLE ${table} (${columns.replace("TYPE", type)}, b)`);
    exchange(...swarm.maps);
    await swarm.sql(1).query(`SELECT * FROM ${table}`);
    const all = VALUES.map((value, at) => (isLater ? `(${at}, 0)` : `(${value}, ${at})`));
    await swarm.run(0, `INSERT OR IGNORE INTO ${table} (${isLater ? "id" : "a"}, b) VALUES ${all.join(", ")}`);
    exchange(...swarm.maps);
    const cases = VALUES.map((value, at) => `WHEN ${at} THEN ${value}`);
    if (isLater) await swarm.run(0, `UPDATE ${table} SET a = CASE id ${cases.join(" ")} END`);
  }
  exchange(...swarm.maps);
  swarm.add();
  exchange(...swarm.maps);
  for (const i of TYPES.keys()) {
    const query = `SELECT typeof(a) AS t, hex(a) AS h, quote(a) AS q, b FROM t${i}`;
    const seen = await swarm.sql(0).query(query);
    expect(seen.length).toBeGreaterThan(10);
    for (const node of [1, 2]) expect(await swarm.sql(node).query(query)).toEqual(seen);
  }
});

test.each(["CAST(x'ff41' AS TEXT)", "'long ' || hex(zeroblob(50)) || CAST(x'c3' AS TEXT)", "char(55357)"])(
  "text that is not UTF-8 is refused, since others would read another text (%s)",
  async (text) => {
    const sql = swarm.sql(0);
    await sql`CREATE TABLE t (id TEXT PRIMARY KEY, a)`;
    await sql`INSERT INTO t VALUES ('k', 1)`;
    for (const statement of [
      `INSERT INTO t VALUES ('x', ${text})`,
      `INSERT INTO t VALUES (${text}, 1)`,
      `UPDATE t SET a = ${text}`,
      `UPDATE t SET id = ${text}`,
    ]) {
      await expect(sql.query(statement).run()).rejects.toMatchObject({ code: "unsupported", message: /UTF-8/ });
    }
    expect(await sql`SELECT * FROM t`).toEqual([{ id: "k", a: 1 }]);
  },
);

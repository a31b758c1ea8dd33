/**
 * Nodes run any statements, and their changes reach the others in any order. In the end all have the same tables, rows
 * and conflicts, and so has a node that reads everything from the map at once. Real maps and real SQLite, without a
 * network.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { deliver, exchange, stampsOf } from "../../test/fixtures/replica-map.ts";
import { SqlSwarm } from "../../test/fixtures/sql-swarm.ts";
import { COUNT_FOLD_AFTER_MS } from "./limits.ts";

const NODES = 3;

const id = fc.constantFrom("1", "2", "3", "4");
const value = fc.constantFrom("0", "1", "2", "NULL", "'a'", "'A'", "1.0", "x'01'", "-5", "9007199254740993");
const table: fc.Arbitrary<keyof typeof CREATE> = fc.constantFrom("t", "u", "made", "child", "folded", "sums");
const column = fc.constantFrom("a", "b", "c");
const text = fc.constantFrom("'[1]'", "'[1,2]'", `'["x",2]'`, "'[]'", "'no list'");

const CREATE = {
  t: [
    "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b TEXT DEFAULT 'd')",
    "CREATE TABLE t (id INTEGER PRIMARY KEY, c INTEGER DEFAULT 7, a)",
    "CREATE TABLE t (id TEXT PRIMARY KEY, a)",
  ],
  u: [
    "CREATE TABLE u (id INTEGER PRIMARY KEY, a UNIQUE, b, c CHECK (c IS NULL OR c <> b), UNIQUE (b, c))",
    "CREATE TABLE u (id INTEGER PRIMARY KEY, a UNIQUE, b NOT NULL DEFAULT 1, c)",
  ],
  made: ["CREATE TABLE made (id, a, b)", "CREATE TABLE made (id, a, c UNIQUE)"],
  child: ["CREATE TABLE child (id INTEGER PRIMARY KEY, a REFERENCES t (id) ON DELETE CASCADE, b REFERENCES u (id), c)"],
  sums: [
    "CREATE TABLE sums (id INTEGER PRIMARY KEY, a COUNTER, b JSONSET, c COUNTER DEFAULT 3)",
    "CREATE TABLE sums (id INTEGER PRIMARY KEY, a COUNTER NOT NULL DEFAULT 0, b JSONSET)",
  ],
  folded: ["CREATE TABLE folded (id TEXT COLLATE NOCASE PRIMARY KEY, a, b)"],
};

const statement: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: table.chain((name) => fc.constantFrom(...CREATE[name])) },
  {
    weight: 8,
    arbitrary: fc
      .record({ table, id, a: value, column, or: fc.constantFrom("", "OR REPLACE", "OR IGNORE") })
      .map(
        ({ table: name, id: key, a, column: to, or }) => `INSERT ${or} INTO ${name} (id, ${to}) VALUES (${key}, ${a})`,
      ),
  },
  {
    weight: 6,
    arbitrary: fc
      .record({ table, id, a: value, column })
      .map(({ table: name, id: key, a, column: to }) => `UPDATE ${name} SET ${to} = ${a} WHERE id = ${key}`),
  },
  {
    weight: 3,
    arbitrary: fc.record({ table, id }).map(({ table: name, id: key }) => `DELETE FROM ${name} WHERE id = ${key}`),
  },
  {
    weight: 1,
    arbitrary: fc.record({ table, id, to: id }).map((x) => `UPDATE ${x.table} SET id = ${x.to} WHERE id = ${x.id}`),
  },
  {
    weight: 3,
    arbitrary: fc.record({ table, column }).map((x) => `ALTER TABLE ${x.table} ADD COLUMN ${x.column} DEFAULT 5`),
  },
  { weight: 1, arbitrary: fc.record({ table, column }).map((x) => `ALTER TABLE ${x.table} DROP COLUMN ${x.column}`) },
  { weight: 1, arbitrary: table.map((name) => `DROP TABLE ${name}`) },
  {
    weight: 1,
    arbitrary: fc
      .record({ table, column, to: column })
      .map((x) => `ALTER TABLE ${x.table} RENAME COLUMN ${x.column} TO ${x.to}`),
  },
  {
    weight: 1,
    arbitrary: fc.record({ table, to: fc.oneof(table, fc.constant("other")) }).chain((x) =>
      // And back, since most statements use the old name.
      fc.constantFrom(`ALTER TABLE ${x.table} RENAME TO ${x.to}`, `ALTER TABLE other RENAME TO ${x.to}`),
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ table, column, unique: fc.boolean() })
      .map((x) => `CREATE ${x.unique ? "UNIQUE " : ""}INDEX i_${x.table} ON ${x.table} (${x.column})`),
  },
  { weight: 2, arbitrary: id.map((key) => `UPDATE sums SET a = coalesce(a, 0) + ${key}, c = c - 1`) },
  { weight: 2, arbitrary: fc.record({ id, text }).map((x) => `UPDATE sums SET b = ${x.text} WHERE id = ${x.id}`) },
  { weight: 1, arbitrary: table.map((name) => `DELETE FROM ${name}`) },
  { weight: 1, arbitrary: table.map((name) => `DROP INDEX i_${name}`) },
  { weight: 1, arbitrary: table.map((name) => `CREATE VIEW v_${name} AS SELECT id, a FROM ${name}`) },
);

type Step =
  | { readonly node: number; readonly run: string }
  | { readonly from: number; readonly to: number }
  /** A node runs these. Another one gets the newest of its batches, but not the one before, and looks at it. */
  | { readonly node: number; readonly all: readonly string[]; readonly to: number }
  | { readonly rests: true };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ node: fc.nat(NODES - 1), run: statement }) },
  { weight: 1, arbitrary: fc.record({ from: fc.nat(NODES - 1), to: fc.nat(NODES - 1) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      node: fc.nat(NODES - 1),
      all: fc.oneof(
        fc.tuple(statement, statement),
        fc
          .record({ table, column, id })
          .map((x) => [
            `ALTER TABLE ${x.table} ADD COLUMN ${x.column} DEFAULT 5`,
            `INSERT OR REPLACE INTO ${x.table} (id, ${x.column}) VALUES (${x.id}, 0)`,
          ]),
      ),
      to: fc.nat(NODES - 1),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ rests: true } as const) },
);

const RUNS = Number(process.env["LONG"] ?? 0) > 0 ? 2_000 : 60;

test("all nodes come to the same tables, rows and conflicts", { timeout: 20 * 60_000 }, async () => {
  const property = fc.asyncProperty(
    fc.array(step, { minLength: 5, maxLength: 60 }),
    fc.integer({ min: 1, max: 1_000_000 }),
    async (steps, seed) => {
      const swarm = new SqlSwarm(NODES, seed);
      try {
        for (const one of steps) {
          if ("run" in one) await swarm.run(one.node, one.run);
          else if ("all" in one) {
            for (const text of one.all) await swarm.run(one.node, text);
            const stamp = stampsOf(swarm.map(one.node)).at(-1);
            if (stamp !== undefined) deliver(swarm.map(one.node), swarm.map(one.to), stamp);
            await swarm.sql(one.to).conflicts();
          } else if ("from" in one) exchange(swarm.map(one.from), swarm.map(one.to));
          else swarm.time.nowMs += COUNT_FOLD_AFTER_MS;
        }
        exchange(...swarm.maps);
        const newcomer = swarm.add();
        exchange(swarm.map(0), swarm.map(newcomer));
        const seen = await swarm.see(newcomer);
        for (let node = 0; node < NODES; node++) expect(await swarm.see(node)).toEqual(seen);
      } finally {
        await swarm.close();
      }
    },
  );
  await fc.assert(property, { numRuns: RUNS });
});

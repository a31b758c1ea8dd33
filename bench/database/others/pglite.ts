/** PGlite: Postgres as WebAssembly, in memory and in this thread. It does not replicate. */
import { PGlite } from "@electric-sql/pglite";
import type { Other } from "../other.ts";
import { rowsOf } from "../rows.ts";

const INSERT = `INSERT INTO t SELECT (value ->> 0)::int, value ->> 1, (value ->> 2)::int, (value ->> 3)::int,
  (value ->> 4)::float FROM json_array_elements($1::json)`;

export const other: Other = {
  async measure(rows) {
    const db = await PGlite.create();
    await db.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, g INTEGER, n INTEGER, r FLOAT)");
    const start = performance.now();
    await db.transaction(async (tx) => {
      for (let at = 0; at < rows; at += 5_000) {
        await tx.query(INSERT, [JSON.stringify(rowsOf(at, Math.min(rows, at + 5_000)))]);
      }
    });
    const insertMs = performance.now() - start;
    const asked = performance.now();
    for (let i = 0; i < 10; i++) await db.query("SELECT count(*), sum(n), avg(r) FROM t WHERE n % 7 = 3");
    const scanMs = (performance.now() - asked) / 10;
    await db.close();
    return { insertMs, scanMs, secondMs: undefined };
  },
};

/** sql: the shared database by SQL. What runs it is loaded when it is first called. */
import type { Command } from "../types.ts";

export const sql: Command = {
  name: "sql",
  summary: "the shared database: SQL on every node",
  help: `
usage: sql [--json | --csv] STATEMENT [VALUE...]

Runs one statement of SQL (SQLite's) on the shared database, which all nodes hold and write, also while they are cut off.
Each VALUE takes the place of a ? in the statement, as text. Rows are shown as a table, as CSV (--csv), or as an object a
line (--json).

  sql "CREATE TABLE IF NOT EXISTS notes (id UUID PRIMARY KEY, text TEXT)"
  sql "INSERT INTO notes (text) VALUES (?)" "buy milk"
  sql "SELECT * FROM notes"
  sql "SELECT type, name FROM sqlite_schema"
`,
  async run(context) {
    const { runSql } = await import("../sql/sql-run.ts");
    return await runSql(context);
  },
};

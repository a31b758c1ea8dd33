/** sql: the shared database. Its code is loaded when it is first called. */
import { getopt } from "../getopt.ts";
import type { Command } from "../types.ts";

const VALUE = { value: true } as const;
const SPECS = {
  f: { long: "file", ...VALUE },
  csv: {},
  json: {},
  line: {},
  list: {},
  param: VALUE,
  watch: {},
  import: VALUE,
  export: VALUE,
  open: VALUE,
  at: VALUE,
  delimiter: VALUE,
  "no-header": {},
};

export const sql: Command = {
  name: "sql",
  summary: "the shared database, in SQL",
  help: `
usage: sql [--csv|--json|--line|--list] ["STATEMENT; …" [PARAM…] | -f FILE]
       sql --watch "SELECT …"
       sql --import FILE.csv TABLE | --export FILE QUERY|TABLE | --export FILE.sqlite
       sql --open FILE.sqlite … | --at '10 minutes ago' …

SQLite's SQL on tables that all nodes share. A PARAM replaces a '?' (--param NAME=VALUE replaces :NAME). Without
arguments it is a prompt. The computer is in tables too: members, files, jobs, processes, mem, mail. See docs/database.md.

  sql "CREATE TABLE IF NOT EXISTS birds (name, legs)"
  sql "INSERT INTO birds VALUES (?, ?)" "barn owl" 2
  sql --export /b.csv birds && sql --import /b.csv copies
  sql --json "SELECT name, size FROM files"
`,
  async run(context) {
    // Among the words, `-5` is a parameter.
    const options = getopt(context.args, SPECS, { operand: /^-[\d.]/ });
    const { runSql } = await import("../sql/sql-run.ts");
    return await runSql(options, context);
  },
};

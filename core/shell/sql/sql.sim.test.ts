/** The command sql on whole computers: statements, files, output and messages; and keys at a terminal. */
import { beforeEach, describe, expect, test } from "vitest";
import { memoryHost } from "../../../test/fixtures/host.ts";
import { ShellBench, TERMINAL } from "../../../test/sim/shell-bench.ts";
import { text, utf8 } from "../../base/bytes.ts";
import { createSession } from "../interactive.ts";
import { createPipe } from "../pipe.ts";
import { createShell } from "../shell.ts";
// Loaded when it is first called; virtual time waits for no module.
import "../terminal/less/less.ts";

const BIRDS = `sql "CREATE TABLE birds (name TEXT PRIMARY KEY, legs INT); INSERT INTO birds VALUES ('barn owl', 2), ('漢字', NULL)"`;

let bench: ShellBench;
beforeEach(async () => {
  bench = new ShellBench();
  await bench.up("first");
});

/** The output of a line. It must give no messages besides. */
async function out(line: string, stdin = ""): Promise<string> {
  const { status, stdout, stderr } = await bench.run(line, { stdin });
  expect({ line, status, stderr }).toEqual({ line, status: 0, stderr: "" });
  return stdout;
}

describe("statements", () => {
  beforeEach(async () => {
    expect(await out(BIRDS)).toBe("");
  });

  test("answer as tables, and in the other ways", async () => {
    expect(await out('sql "SELECT * FROM birds ORDER BY name; SELECT 1 AS one"')).toBe(
      "name      legs\n--------  ----\nbarn owl     2\n漢字      NULL\none\n---\n  1\n",
    );
    expect(await out('sql --csv "SELECT * FROM birds ORDER BY name"')).toBe("name,legs\nbarn owl,2\n漢字,\n");
    expect(JSON.parse(await out('sql --json "SELECT * FROM birds ORDER BY name"'))).toEqual([
      { name: "barn owl", legs: 2 },
      { name: "漢字", legs: null },
    ]);
    expect(await out('sql --line "SELECT * FROM birds WHERE legs = 2"')).toBe("name = barn owl\nlegs = 2\n");
    expect(await out('echo "[$(sql --list "SELECT count(*) FROM birds")]"')).toBe("[2]\n");
  });

  test("take parameters by place and by name, which are never a part of the SQL", async () => {
    const name = "x'; DROP TABLE birds; --";
    await out(`sql "INSERT INTO birds VALUES (?, ?)" "${name}" -4`);
    expect(await out('sql --list "SELECT name, legs FROM birds WHERE legs < :most" --param most=0')).toBe(
      `${name}\t-4\n`,
    );
    expect(await bench.run('sql "SELECT ?, ?" 1')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("2 parameters"),
    });
    expect(await bench.run('sql "SELECT ?; SELECT ?" 1')).toMatchObject({ status: 64 });
  });

  test("come from standard input and from files, with lines where they fail", async () => {
    expect(await out("sql --list", "SELECT 1; -- ;\nSELECT ';\n';")).toBe("1\n;\n\n");
    await out("cat > /s.sql", "SELECT 1;\n\nSELECT name,\n  legss FROM birds;\nSELECT 2;\n");
    expect(await bench.run("sql --list -f /s.sql")).toEqual({
      status: 1,
      stdout: "1\n",
      stderr: "sql: line 4: no such column: legss\n    legss FROM birds;\n    ^^^^^\n",
    });
    expect(await bench.run('sql "SELECT * FORM birds"')).toEqual({
      status: 1,
      stdout: "",
      stderr: 'sql: near "FORM": syntax error\n  SELECT * FORM birds\n           ^^^^\n',
    });
    // SQLite tells which of several places it is, also after characters of several bytes.
    expect((await bench.run(`sql "SELECT '漢字', name, , legs FROM birds"`)).stderr).toBe(
      `sql: near ",": syntax error\n  SELECT '漢字', name, , legs FROM birds\n                       ^\n`,
    );
    expect(await bench.run("sql -f /nowhere.sql")).toMatchObject({ status: 1, stdout: "" });
  });

  test("BEGIN and COMMIT hold together; what is left open is rolled back and said", async () => {
    await out(`sql "BEGIN; INSERT INTO birds VALUES ('a', 1); ROLLBACK"`);
    await out(`sql "BEGIN; INSERT INTO birds VALUES ('b', 1); INSERT INTO birds VALUES ('c', 1); COMMIT"`);
    const { status, stderr } = await bench.run(`sql "BEGIN; INSERT INTO birds VALUES ('d', 1)"`);
    expect([status, stderr]).toEqual([1, expect.stringContaining("COMMIT is missing")]);
    expect(await out('sql --list "SELECT name FROM birds WHERE legs = 1 ORDER BY name"')).toBe("b\nc\n");
    const failed = await bench.run(
      `sql "BEGIN; INSERT INTO birds VALUES ('e', 1); INSERT INTO birds VALUES ('b', 1); COMMIT"`,
    );
    expect(failed).toMatchObject({ status: 1, stderr: expect.stringMatching(/line 1: UNIQUE/) });
    expect(await out(`sql --list "SELECT count(*) FROM birds WHERE name = 'e'"`)).toBe("0\n");
  });

  test("with a dot: tables, schema, dump, and what there is none of", async () => {
    await out('sql "CREATE INDEX by_legs ON birds (legs)"');
    expect((await out("sql .tables")).split("\n")[0]).toBe("birds");
    expect(await out("sql .schema birds")).toBe(
      "CREATE TABLE birds (name TEXT PRIMARY KEY, legs INT);\nCREATE INDEX by_legs ON birds (legs);\n",
    );
    const dump = await out("sql .dump");
    await out('sql "DROP TABLE birds"');
    expect(await out("cat > /d.sql; sql --import /d.sql", dump)).toBe("4 statements.\n");
    expect(await out("sql .dump")).toBe(dump);
    expect((await bench.run("sql .tabels")).stderr).toContain("did you mean '.tables'?");
    expect((await bench.run("sql .schema brids")).stderr).toContain("did you mean birds?");
    expect(await out("sql .conflicts")).toBe("No conflicts.\n");
    expect(await out("sql .stat")).toMatch(/^tables +1\n/);
  });

  test("a long one ends with Ctrl-C", async () => {
    const stop = new AbortController();
    const endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c";
    let lines = 0;
    const stdout = {
      write: async (bytes: Uint8Array) => {
        lines += text(bytes).split("\n").length - 1;
        if (lines > 5_000) stop.abort();
      },
      bytes: () => new Uint8Array(),
      text: () => "",
    };
    expect((await bench.run(`sql "${endless}"`, { signal: stop.signal, stdout })).status).toBe(130);
    expect(await out('sql --list "SELECT 1"')).toBe("1\n");
  });
});

describe("files", () => {
  test("CSV makes a table with types, and comes out as it went in", async () => {
    const csv = 'id,name,two words,price\r\n1,otter,"a ""b"",\nc",1.5\r\n2,,"",2\r\n';
    await out("cat > /in.csv", csv);
    expect(await out("sql --import /in.csv things")).toBe("2 rows into things, which is new.\n");
    expect(await out("sql .schema things")).toBe(
      'CREATE TABLE things (id INTEGER, name TEXT, "two words" TEXT, price REAL);\n',
    );
    expect(await out(`sql --json "SELECT name, \\"two words\\" FROM things WHERE id = 2"`)).toBe(
      '[{"name":null,"two words":""}]\n',
    );
    expect(await out("sql --export /out.csv things")).toMatch(/^\/out.csv: 2 rows, \d+ B\.\n$/);
    expect(await out("cat /out.csv")).toBe(csv);
    expect(await out("sql --import /in.csv things")).toBe("2 rows into things.\n");
    expect(await out('sql --export /q.json "SELECT id FROM things WHERE id = ?" 1 && cat /q.json')).toMatch(
      /\[\{"id":1\},\n\{"id":1\}\]\n$/,
    );
  });

  test("CSV with a field of a megabyte, which becomes a content of the disk", async () => {
    expect(await out("sql --import - large", `id,text\n1,${"x".repeat(1_000_000)}\n2,y\n`)).toBe(
      "2 rows into large, which is new.\n",
    );
    expect(await out('sql --list "SELECT id, length(text) FROM large"')).toBe("1\t1000000\n2\t1\n");
  });

  test("CSV with semicolons, without a heading, and what is wrong with it", async () => {
    expect(await out("sql --import - people --no-header", "otter;3\nowl;4\n")).toBe(
      "2 rows into people, which is new.\n",
    );
    expect(await out('sql --list "SELECT c1, c2 + 1 FROM people ORDER BY c1"')).toBe("otter\t4\nowl\t5\n");
    const wrong = async (line: string, stdin: string): Promise<string> => (await bench.run(line, { stdin })).stderr;
    expect(await wrong("sql --import - people", "c1,other\na,b\n")).toContain("people has no column other");
    expect(await wrong("sql --import - x", "a,b\n1,2\n3\n")).toContain("line 3 has 1 field, and the first 2");
    expect(await wrong("sql --import - y", 'a,b\n"1,2\n')).toContain("line 2: a quote is not closed");
    expect(await wrong("sql --import - z", "")).toContain("is empty");
    expect(await wrong("sql --export /x.pdf people", "")).toContain("FILE ends with .csv");
    expect(await wrong("sql --export /x.csv poeple", "")).toContain("there is no table poeple; did you mean people?");
    expect(await wrong('sql --export /x.csv "SELECT nope"', "")).toContain("no such column: nope");
  });

  test("a dump of SQLite's own shell", async () => {
    const dump =
      "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE t(a INTEGER PRIMARY KEY, b);\n" +
      "INSERT INTO t VALUES(1,'x;y');\nINSERT INTO t VALUES(2,'it''s');\nDELETE FROM sqlite_sequence;\n" +
      "INSERT INTO sqlite_sequence VALUES('t',2);\nCOMMIT;\n";
    await out("cat > /dump.sql", dump);
    expect(await out("sql --import /dump.sql")).toBe("3 statements; 3 about SQLite itself skipped.\n");
    expect(await out('sql --list "SELECT a, b FROM t ORDER BY a"')).toBe("1\tx;y\n2\tit's\n");
    await out("cat > /wrong.sql", "INSERT INTO t VALUES (3, 'z');\nINSERT INTO nowhere VALUES (1);\n");
    expect((await bench.run("sql --import /wrong.sql")).stderr).toMatch(
      /line 2: no such table: nowhere \(nothing of it was/,
    );
    expect(await out('sql --list "SELECT count(*) FROM t"')).toBe("2\n");
  });

  test("a file of SQLite is made, opened and only read", async () => {
    await out(BIRDS);
    expect(await out("sql --export /all.sqlite")).toMatch(/^\/all.sqlite: [\d.]+ kB\.\n$/);
    expect(await out("sql --open /all.sqlite .tables")).toBe("birds\n");
    expect(await out('sql --open /all.sqlite --list "SELECT legs FROM birds WHERE name = ?" "barn owl"')).toBe("2\n");
    expect(await bench.run('sql --open /all.sqlite "DELETE FROM birds"')).toMatchObject({ status: 1 });
    await out("echo this is no database at all > /no.sqlite");
    expect(await bench.run("sql --open /no.sqlite .tables")).toMatchObject({ status: 1, stdout: "" });
  });
});

test("--at reads what was, also what is gone since, and says what it does not know", async () => {
  await out(BIRDS);
  await bench.world.runFor(60_000);
  await out(
    `sql "UPDATE birds SET legs = 3 WHERE legs = 2; ALTER TABLE birds ADD COLUMN wings; DELETE FROM birds WHERE legs IS NULL"`,
  );
  await bench.world.runFor(60_000);
  expect(await out("sql --csv 'SELECT * FROM birds'")).toBe("name,legs,wings\nbarn owl,3,\n");
  expect(await out("sql --csv --at '90 seconds ago' 'SELECT * FROM birds ORDER BY name'")).toBe(
    "name,legs\nbarn owl,2\n漢字,\n",
  );
  expect(await out("sql --at 90s .dump birds")).toContain("('漢字', NULL)");
  const history = (await out('sql .history birds "barn owl"'))
    .split("\n")
    .map((line) => line.replace(/^since [-0-9]{10} [0-9:]{8}: /, ""));
  expect(history).toEqual(["name = barn owl, legs = 3", "name = barn owl, legs = 2", ""]);
  expect(await out("sql .history birds 漢字")).toMatch(/^since .*: deleted\nsince .*: name = 漢字\n$/);
  expect(await out("sql .history birds nobody")).toBe("Nothing is known of such a row.\n");
  expect(await bench.run("sql --at 90s 'DELETE FROM birds'")).toMatchObject({ status: 1 });
  expect((await bench.run("sql --at '2 days ago' 'SELECT 1'")).stderr).toContain("remembers what was replaced since");
  expect(await bench.run("sql --at soon 'SELECT 1'")).toMatchObject({ status: 64 });
  expect(await bench.run("sql --at 90s --watch 'SELECT 1'")).toMatchObject({ status: 1 });
});

test("--watch prints anew what another node has changed", async () => {
  await out(BIRDS);
  await bench.company();
  const stop = new AbortController();
  let seen = "";
  const stdout = {
    write: async (bytes: Uint8Array) => void (seen += text(bytes)),
    bytes: () => new Uint8Array(),
    text: () => seen,
  };
  const watching = bench.start('sql --watch --json "SELECT count(*) AS n FROM birds"', { signal: stop.signal, stdout });
  await bench.world.runUntil(() => seen === '[{"n":2}]\n', { withinMs: 30_000, what: "the first answer" });
  const { sql } = bench.computer("second");
  const hasTable = async (): Promise<boolean> => (await sql.schema()).some(({ name }) => name === "birds");
  while (!(await bench.world.settle(hasTable(), { withinMs: 10_000 }))) await bench.world.runFor(100);
  const ran = await bench.run(`sql "INSERT INTO birds VALUES ('crane', 2)"`, { on: "second" });
  expect(ran).toEqual({ status: 0, stdout: "", stderr: "" });
  await bench.world.runUntil(() => seen === '[{"n":2}]\n[{"n":3}]\n', { withinMs: 30_000, what: "the next one" });
  stop.abort();
  expect((await bench.world.settle(watching, { withinMs: 10_000 })).status).toBe(130);
  expect((await bench.run('sql --watch "SELECT nope"')).stderr).toContain("no such column: nope");
  expect((await bench.run('sql --watch "DELETE FROM birds"')).status).not.toBe(0);
});

describe("the computer as tables", () => {
  test("is read, and joined with one's own", async () => {
    await bench.company();
    await out("mkdir /d && echo hello > /d/a.txt && echo hi > /d/b.txt && mem set greeting hello");
    expect(await out('sql --list "SELECT name, is_self FROM members ORDER BY name"')).toBe(
      "first\t1\nsecond\t0\nthird\t0\n",
    );
    expect(
      await out(`sql --list "SELECT directory, count(*), sum(size) FROM files WHERE kind = 'file' GROUP BY directory"`),
    ).toBe("/d\t2\t9\n");
    expect(await out('sql --list "SELECT value, writer FROM mem WHERE key = ?" greeting')).toBe("hello\tfirst\n");
    expect(await out(`sql --list "SELECT count(*) FROM processes WHERE command LIKE 'sql%'"`)).toBe("1\n");
    await out(`sql "CREATE TABLE tags (path TEXT, tag TEXT); INSERT INTO tags VALUES ('/d/b.txt', 'short')"`);
    expect(await out('sql --list "SELECT tag, size FROM tags JOIN files USING (path)"')).toBe("short\t3\n");
    expect(await out('sql --list "SELECT count(*) FROM jobs"')).toBe("0\n");
    expect(await bench.run('sql "DELETE FROM files"')).toMatchObject({ status: 1 });
  });
});

describe("at a terminal", () => {
  const size = { columns: 60, rows: 10, pictures: "blocks" } as const;

  class Person {
    readonly #keys = createPipe();
    log = "";

    constructor(colours = false) {
      const write = async (bytes: Uint8Array): Promise<void> => void (this.log += text(bytes));
      const shell = createShell(bench.computer("first"), memoryHost(new Map()));
      const terminal = { input: this.#keys.input, output: { write }, info: () => ({ ...size, colours }) };
      const session = createSession(shell, terminal, { prompt: () => "$ ", canEnd: false });
      void session.run({ signal: new AbortController().signal });
    }

    presses(keys: string): void {
      void this.#keys.output.write(utf8(keys));
    }

    /** Types, and waits until the end of everything shown matches. */
    async types(keys: string, expected: RegExp): Promise<void> {
      const from = this.log.length;
      this.presses(keys);
      const isThere = (): boolean => expected.test(this.log.slice(from));
      await bench.world.runUntil(isThere, { withinMs: 60_000, what: String(expected) }).catch((error: unknown) => {
        throw new Error(JSON.stringify(this.log.slice(from)), { cause: error });
      });
    }
  }

  test("lines until ';', completion, faults, transactions, less, history", async () => {
    const person = new Person();
    await person.types("", /\$ $/);
    await person.types("sql\r", /Ctrl-D leaves.\r\nsql> $/);
    await person.types("CREATE TABLE people (name TEXT,\r", /\.\.\.> /);
    await person.types("age INT);\r", /sql> $/);
    await person.types("INSERT INTO people VALUES ('a', 1), ('b', 2);\r", /2 rows changed\.\r\nsql> $/);
    await person.types(
      "SELECT nam\t, ag\t FROM pe\t;\r",
      /name {2}age\r\n----  ---\r\na {7}1\r\nb {7}2\r\n2 rows\.\r\nsql> $/,
    );
    await person.types("SELECT nope;\r", /no such column: nope\r\n {2}SELECT nope;\r\n {9}\^{4}\r\nsql> $/);
    await person.types(".mode li\t.tables\x03", /\^C\r\nsql> $/);
    await person.types("BEGIN;\r", /sql\*> $/);
    await person.types("DELETE FROM people;\r", /sql\*> $/);
    await person.types("ROLLBACK;\r", /sql> $/);
    await person.types("SELECT count(*) AS n FROM people;\r", /\r\n2\r\n1 row\.\r\nsql> $/);
    const endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)";
    await person.types(`${endless} SELECT n FROM c LIMIT 500;\r`, /1049h[^]*\r\n {2}1[^]*q: quit/);
    await person.types("G", /\r\n500[^]*500 rows\.[^]*END/);
    await person.types("q", /1049l[^]*sql> $/);
    // The arrow up shows what was typed before; Ctrl-D leaves.
    await person.types("\x1b[A", /SELECT n FROM c LIMIT 500;/);
    await person.types("\x03", /sql> $/);
    await person.types("\x04", /\$ $/);
    // The prompt has a history of its own, which outlives the command.
    await person.types("\x1b[A", /\$ sql/);
    await person.types("\r", /sql> $/);
    await person.types("\x1b[A", /LIMIT 500/);
    await person.types("\x03.quit\r", /\$ $/);
  });

  test("what is leafed through has no colours, which less would show as text", async () => {
    const person = new Person(true);
    await person.types("", /\$ $/);
    const hundred = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 100)";
    await person.types(`sql "${hundred} SELECT n FROM c"\r`, /1049h[^]*---[^]*q: quit/);
    await person.types("q", /1049l[^]*\$ $/);
    expect(person.log).not.toContain("␛");
  });

  test("a transaction stays open while somebody types, and is rolled back when nobody does", async () => {
    await out(BIRDS);
    const person = new Person();
    await person.types("", /\$ $/);
    // Typed while the command is being started, so it is input of the command.
    person.presses("sql\r");
    await person.types("BEGIN;\r", /sql\*> $/);
    for (const key of "DELETE FROM birds") {
      await person.types(key, /./);
      await bench.world.runFor(4_000);
    }
    await person.types(";\rCOMMIT;\r", /2 rows changed\.[^]*sql> $/);
    await person.types("BEGIN;\r", /sql\*> $/);
    await bench.world.runFor(15_000);
    await person.types("SELECT 1;\r", /left alone for 10 s and was rolled back[^]*sql> $/);
    await person.types("SELECT count(*) AS n FROM birds;\r", /\r\n0\r\n/);
  });

  test("--watch has the screen until q", async () => {
    await out(BIRDS);
    const person = new Person();
    await person.types("", /\$ $/);
    await person.types('sql --watch "SELECT count(*) AS n FROM birds"\r', /1049h[^]*q leaves[^]*n[^]*-[^]*2$/);
    await out(`sql "INSERT INTO birds VALUES ('crane', 2)"`);
    await person.types("", /n[^]*-[^]*3$/);
    await person.types("q", /1049l[^]*\$ $/);
  });

  test("what it is shown is cut to the screen, and steers nothing", async () => {
    const { stdout } = await bench.run("sql \"SELECT printf('%0200d', 1) AS long, char(27) || '[2J' AS nasty\"", {
      terminal: { ...TERMINAL, colours: false },
    });
    expect(stdout).not.toContain("\x1b");
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(TERMINAL.columns);
  });
});

/**
 * The command sql over real processes: files in and out that SQLite's own program reads, Ctrl-C, and a real terminal.
 */
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sql } from "../../core/shell/commands/sql.ts";
import { type Lab, type Node, openLab } from "./processes.ts";

const ROWS = 10_000;

let lab: Lab;
let node: Node;
beforeAll(async () => {
  lab = await openLab();
  node = await lab.up({ args: ["--cores", "0"] });
});
afterAll(() => lab?.[Symbol.asyncDispose]());

/** What the line prints; it may write nothing to standard error. */
async function out(line: string): Promise<string> {
  const { status, stdout, stderr } = await lab.sh(node, line);
  expect({ line, status, stderr }).toEqual({ line, status: 0, stderr: "" });
  return stdout;
}

test("10,000 rows come in, and go out to a file that sqlite3 finds sound, with the same rows", async () => {
  const lines = Array.from({ length: ROWS }, (_, i) => {
    const note = i % 7 === 0 ? "" : i % 5 === 0 ? `"says ""${i}"",\nand goes on"` : `naïve 漢字 ${i}`;
    return `${i},${(i * 37) % 1_000},${i / 8 + 0.0625},${note}`;
  });
  await writeFile(join(lab.folder, "people.csv"), `id,age,score,note\n${lines.join("\n")}\n`);
  expect(await out("sql --import /host/people.csv people")).toBe(`${ROWS} rows into people, which is new.\n`);
  expect(
    await out('sql "CREATE INDEX by_age ON people (age)" && sql --list "SELECT count(*), sum(age) FROM people"'),
  ).toBe(`${ROWS}\t${(ROWS / 1_000) * 499_500}\n`);
  expect(await out("sql --export /host/all.sqlite")).toMatch(/^\/host\/all.sqlite: [\d.]+ kB\.\n$/);
  const sqlite3 = (query: string): string =>
    execFileSync("sqlite3", ["-csv", "-header", join(lab.folder, "all.sqlite"), query], {
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    }).replaceAll("\r\n", "\n");
  expect(sqlite3("PRAGMA integrity_check")).toBe("integrity_check\nok\n");
  const query = "SELECT id, age, score, note FROM people ORDER BY id";
  const rows = sqlite3(query).split("\n");
  expect(rows.length).toBeGreaterThan(ROWS);
  expect((await out(`sql --csv "${query}"`)).split("\n").map(unquoted)).toEqual(rows.map(unquoted));
  // And back: the same file, opened without being imported.
  expect(await out('sql --open /host/all.sqlite --list "SELECT count(*) FROM people WHERE note IS NULL"')).toBe(
    `${Math.ceil(ROWS / 7)}\n`,
  );
});

/** Our command and SQLite's program do not agree on which values need quotes. */
function unquoted(line: string): string {
  return line.replaceAll('"', "");
}

test("Ctrl-C ends a statement that would never end, and the next one is answered", async () => {
  const endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) FROM c";
  const running = lab.starfish(["sh", "--data", node.data, "-c", `echo begun; sql "${endless}"`]);
  await running.output(/begun/);
  expect(await running.end("SIGINT")).toMatchObject({ status: 130 });
  expect(await out('sql --list "SELECT 1 + 1"')).toBe("2\n");
});

test("the examples of its help work, pasted in a row", async () => {
  const lines = sql.help.split("\n").filter((line) => /^ {2}sql /.test(line));
  expect(lines.length).toBe(4);
  await out(lines.map((line) => line.trim()).join(" && "));
});

test("typed in a real terminal", async () => {
  // `script` (util-linux) runs it in a terminal of its own.
  const within = ["bash", "-c", 'exec script -qfec "$(printf "%q " "$@")" /dev/null', "terminal"];
  const terminal = lab.starfish(["sh", "--data", node.data], { within, keepStdin: true, env: { TERM: "xterm" } });
  const types = async (keys: string, expected: RegExp): Promise<void> => {
    terminal.child.stdin?.write(keys);
    await terminal.output(expected);
  };
  await terminal.output(/\$ /);
  await types("sql\r", /sql> /);
  await types("CREATE TABLE typed (word TEXT,\r", /\.\.\.> /);
  await types("n INTEGER);\r", /INTEGER\);[\r\n]+sql> /);
  await types("INSERT INTO typed VALUES ('one', 1);\r", /1 row changed\./);
  await types("SELECT wor\t, n FROM typ\t;\r", /SELECT word[^]*one {3}1[\r\n]/);
  await types(".quit\r", /\.quit[\r\n][^]*\$ /);
  terminal.child.stdin?.write("\x04");
  expect((await terminal.finished).status).toBe(0);
});

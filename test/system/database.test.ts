/**
 * The shared database over real processes: rows from all sides, a network that is really cut, a node that is killed.
 */
import { expect, test } from "vitest";
import { eventually, type Lab, type Node, openLab } from "./processes.ts";
import { openSites } from "./sites.ts";

const ROWS = 10_000;
/** A link that was cut is given up after seconds; two busy cores may double that. */
const NOTICED_MS = 60_000;
const ALL = "SELECT count(*) AS n, sum(a) AS a, sum(b) AS b, group_concat(DISTINCT c) AS c FROM t";

/** The first row. */
async function ask(lab: Lab, node: Node, text: string): Promise<unknown> {
  const [row] = (await lab.shJson(node, `sql --json "${text}"`)) as readonly unknown[];
  return row;
}

async function equal(lab: Lab, nodes: readonly Node[], answer: unknown, text = ALL): Promise<void> {
  const what = `${nodes.length} nodes answer alike`;
  for (const node of nodes) {
    const isRight = (seen: unknown): boolean => JSON.stringify(seen) === JSON.stringify(answer);
    expect(await eventually(what, () => ask(lab, node, text), isRight, NOTICED_MS)).toEqual(answer);
  }
}

async function run(lab: Lab, node: Node, text: string): Promise<void> {
  expect(await lab.sh(node, `sql "${text}"`)).toMatchObject({ status: 0, stderr: "" });
}

async function sees(lab: Lab, node: Node, count: number): Promise<void> {
  const peers = async (): Promise<number> => ((await lab.shJson(node, "peers --json")) as unknown[]).length;
  await eventually(`${node.data} sees ${count} nodes`, peers, (seen) => seen === count, NOTICED_MS);
}

const numbers = (from: number, to: number): string =>
  `WITH RECURSIVE i(n) AS (SELECT ${from} UNION ALL SELECT n + 1 FROM i WHERE n < ${to}) SELECT`;

test("10,000 rows, changed on both sides of a cut, are equal once the halves meet", async () => {
  await using sites = await openSites(3);
  await using lab = await openLab();
  const up = (site: number, join: readonly string[]): Promise<Node> =>
    lab.up({ within: sites.enter(site), args: ["--host", sites.address(site), "--cores", "0", ...join] });
  const a = await up(0, []);
  const [b, c] = [await up(1, ["--join", a.invite]), await up(2, ["--join", a.invite])];
  const all = [a, b, c];
  for (const node of all) await sees(lab, node, 3);
  await run(lab, a, "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER, c TEXT)");
  await run(lab, a, `INSERT INTO t ${numbers(1, ROWS)} n, 1, 1, 'first' FROM i`);
  await equal(lab, all, { n: ROWS, a: ROWS, b: ROWS, c: "first" });

  await sites.cut([2]);
  await sees(lab, c, 1);
  await run(lab, a, "UPDATE t SET a = 2 WHERE id % 10 = 0");
  await run(lab, c, "UPDATE t SET b = 3 WHERE id % 5 = 0");
  await run(lab, b, "DELETE FROM t WHERE id <= 100");
  await run(lab, c, `INSERT INTO t ${numbers(ROWS + 1, ROWS + 500)} n, 0, 0, 'first' FROM i`);
  await sites.heal();
  // A row that one side changed and the other deleted is gone.
  const merged = { n: ROWS - 100 + 500, a: ROWS - 100 + 990, b: ROWS - 100 + 2 * 1_980, c: "first" };
  await equal(lab, all, merged);
  expect(await ask(lab, c, ALL)).toEqual(merged);
});

test("a node that is killed in the middle of its transactions leaves none of them in part", async () => {
  await using lab = await openLab();
  const a = await lab.up({ args: ["--cores", "0"] });
  const [b, c] = await Promise.all([1, 2].map(() => lab.up({ args: ["--cores", "0", "--join", a.invite] })));
  if (b === undefined || c === undefined) throw new Error("They are not up");
  for (const node of [a, b, c]) await sees(lab, node, 3);
  await run(lab, a, "CREATE TABLE t (id UUID PRIMARY KEY, part INTEGER)");
  await equal(lab, [b], { n: 0 }, "SELECT count(*) AS n FROM t");
  const line = `for i in $(seq 1000); do sql "INSERT INTO t (part) ${numbers(1, 500)} $i FROM i"; done`;
  const writing = lab.sh(b, line).catch(() => {});
  const parts = "SELECT count(DISTINCT part) AS n FROM t";
  const isEnough = (seen: unknown): boolean => (seen as { n: number }).n >= 5;
  await eventually("some transactions have come", () => ask(lab, c, parts), isEnough, NOTICED_MS);
  await b.process.end("SIGKILL");
  await writing;
  const torn = "SELECT count(*) AS n FROM (SELECT part FROM t GROUP BY part HAVING count(*) <> 500)";
  for (const node of [a, c]) expect(await ask(lab, node, torn)).toEqual({ n: 0 });
  const again = await lab.up({ data: b.data, args: ["--cores", "0"] });
  await sees(lab, again, 3);
  const whole = "SELECT count(*) AS n, count(DISTINCT part) AS parts FROM t";
  const same = async (): Promise<unknown[]> => Promise.all([a, again, c].map((node) => ask(lab, node, whole)));
  const isSame = (seen: readonly unknown[]): boolean => new Set(seen.map((one) => JSON.stringify(one))).size === 1;
  const [seen] = await eventually("all have the same", same, isSame, NOTICED_MS);
  const { n, parts: count } = seen as { n: number; parts: number };
  expect(n).toBe(500 * count);
  expect(await ask(lab, again, torn)).toEqual({ n: 0 });
});

/** Runs records of our own with the runner of sqllogictest: all pass on two nodes, and wrong ones are noticed. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openPair } from "./pair.ts";
import { play } from "./play.ts";
import { recordsOf } from "./records.ts";

async function own(): Promise<string> {
  return readFile(join(import.meta.dirname, "own.slt"), "utf8");
}

test("statements do and queries answer what the records say, on the second node too", async () => {
  const records = recordsOf(await own());
  expect(records.length).toBeGreaterThan(30);
  await using pair = openPair();
  expect((await play(records, pair)).failures).toEqual([]);
});

test("each kind of failure is noticed", async () => {
  const wrong = `statement ok
CREATE TABLE t (a INTEGER, b TEXT)

statement ok
INSERT INTO t VALUES (1, 'x'), (2, 'y')

statement error
INSERT INTO t VALUES (3, 'z')

statement ok
SELECT nothing FROM t

query I nosort
SELECT a FROM t ORDER BY a
----
1
2

query I nosort
SELECT a FROM t ORDER BY a
----
3 values hashing to 00000000000000000000000000000000

query T nosort
SELECT a, b FROM t

query T nosort
SELECT b FROM t ORDER BY b
----
y
x
z
`;
  await using pair = openPair();
  const { failures } = await play(recordsOf(wrong), pair);
  expect(failures.map(({ line, message }) => [line, message])).toEqual([
    [7, "It succeeded, and was to fail"],
    [10, expect.stringContaining("nothing")],
    [13, "value 3 of 3 is 3 instead of undefined"],
    [19, "values that have another hash"],
    [24, "2 columns instead of 1"],
    [27, "value 1 of 3 is x instead of y"],
  ]);
});

test("a second node that has not all of it is noticed", async () => {
  await using pair = openPair();
  await using other = openPair();
  const records = recordsOf("query I nosort\nSELECT count(*) FROM t\n----\n1\n");
  for (const { first } of [pair, other]) {
    await first`CREATE TABLE t (a INTEGER)`;
    await first`INSERT INTO t VALUES (1)`;
  }
  await other.first`INSERT INTO t VALUES (2)`;
  const { failures } = await play(records, { first: pair.first, second: other.second });
  expect(failures.map(({ kind }) => kind)).toEqual(["the second node answers otherwise"]);
});

/**
 * diff, cmp, du and xxd in cases that can't be recorded from other tools: sizes of the tree, bounds, and endless
 * inputs.
 */
import { expect, test } from "vitest";
import { runCase } from "./case.ts";

async function resultOf(code: string): Promise<{ status: number; stdout: string; stderr: string }> {
  const { status, stdout, stderr } = await runCase({ name: "files", code, status: 0 }, { timeMs: 60_000 });
  return { status, stdout, stderr };
}

const TREE = "mkdir -p t/d/e t/empty; seq 1000 > t/a; seq 300 > t/d/b; echo x > t/d/e/c; ";

test.each([
  ["du t", "1\tt/d/e\n2\tt/d\n0\tt/empty\n5\tt\n"],
  ["du -s t", "5\tt\n"],
  ["du -b t/d t/a", "2\tt/d/e\n1094\tt/d\n3893\tt/a\n"],
  ["du -ab t", "3893\tt/a\n1092\tt/d/b\n2\tt/d/e/c\n2\tt/d/e\n1094\tt/d\n0\tt/empty\n4987\tt\n"],
  ["du -h -d 1 t", "1.1K\tt/d\n0\tt/empty\n4.9K\tt\n"],
  ["du -sch t/a t/d", "3.9K\tt/a\n1.1K\tt/d\n4.9K\ttotal\n"],
  ["cd t; du -s", "5\t.\n"],
  ["du -ab /work/t/d/e/", "2\t/work/t/d/e/c\n2\t/work/t/d/e/\n"],
])("%s", async (line, stdout) => {
  expect(await resultOf(TREE + line)).toEqual({ status: 0, stdout, stderr: "" });
});

test("du tells what is not there, and goes on", async () => {
  const { status, stdout, stderr } = await resultOf(`${TREE}du -s nosuch t`);
  expect({ status, stdout }).toEqual({ status: 1, stdout: "5\tt\n" });
  expect(stderr).toBe("du: cannot access 'nosuch': No such file or directory\n");
});

test("diff refuses what does not fit, and says so", async () => {
  const { status, stderr } = await resultOf("yes | head -c 34000000 > a; echo > b; diff a b; echo $?");
  expect(stderr).toMatch(/^diff: a: it is larger than 33\.6 MB\n$/);
  expect(status).toBe(0);
});

test("diff -q and cmp end at the first difference of inputs that have no end", async () => {
  expect(await resultOf("diff -q <(yes) <(yes no); echo $?")).toMatchObject({
    stdout: expect.stringMatching(/ differ\n1\n$/),
  });
  expect(await resultOf("yes | cmp -s - <(yes no); echo $?; cmp -n 1000000 <(yes) <(yes); echo $?")).toMatchObject({
    stdout: "1\n0\n",
  });
  expect(await resultOf("yes | xxd | head -n 1; yes | xxd -p -c 0 -l 3")).toMatchObject({
    stdout: "00000000: 790a 790a 790a 790a 790a 790a 790a 790a  y.y.y.y.y.y.y.y.\n790a79\n",
  });
});

test("xxd -r bounds the zeros that a place asks for", async () => {
  const { stdout, stderr } = await resultOf("echo 'fffffffff: 41' | xxd -r | wc -c; echo ${PIPESTATUS[1]}");
  expect(stdout).toBe("0\n2\n");
  expect(stderr).toContain("a gap of more than");
});

/** Jobs over several processes: the answers are right, also when a node dies in the middle. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { decode } from "fast-png";
import { expect, test } from "vitest";
import { eventually, openLab } from "./processes.ts";

const PRIMES_BELOW_20_MILLION = "1270607\n";

test("the words of a text are counted as coreutils count them", async () => {
  // Debian has the GPL in every installation; elsewhere this project's own licence is as good a text.
  const debian = "/usr/share/common-licenses/GPL-3";
  const path = existsSync(debian) ? debian : join(import.meta.dirname, "../../LICENSE");
  const count = "tr -cs A-Za-z '\\n' | tr A-Z a-z | grep . | sort | uniq -c | sort -k1,1nr -k2 | sed 's/^ *//'";
  const expected = execFileSync("sh", ["-c", count], {
    input: readFileSync(path),
    env: { ...process.env, LC_ALL: "C" },
  });
  await using lab = await openLab();
  const first = await lab.up();
  await lab.up({ args: ["--join", first.invite] });
  const { status, stdout } = await lab.sh(first, "map wordcount", { stdin: await readFile(path) });
  expect(status).toBe(0);
  expect(stdout).toBe(expected.toString());
});

test("primes are counted right while one of three nodes is killed", async () => {
  await using lab = await openLab();
  const first = await lab.up({ args: ["--cores", "1"] });
  const second = await lab.up({ args: ["--cores", "1", "--join", first.invite] });
  await lab.up({ args: ["--cores", "1", "--join", first.invite] });
  const lenders = async (): Promise<number> => ((await lab.shJson(first, "peers --json")) as unknown[]).length;
  await eventually("three nodes lend", lenders, (present) => present === 3);
  const job = lab.starfish(["sh", "--data", first.data, "-c", "map primes --range 0..20000000 --chunks 5000"]);
  await eventually(
    "the second node computes",
    async () => (await lab.shJson(second, "peers --json")) as { self: boolean; coresBusy: number }[],
    (rows) => rows.some((row) => row.self && row.coresBusy > 0),
  );
  await second.process.end("SIGKILL");
  expect(job.child.exitCode).toBeNull();
  expect(await job.finished).toMatchObject({ status: 0, stdout: PRIMES_BELOW_20_MILLION });
});

test("primes are counted right beside a node that is ten times slower", async () => {
  await using lab = await openLab();
  const first = await lab.up({ args: ["--cores", "1"] });
  const slow = await lab.up({ args: ["--cores", "1", "--join", first.invite] });
  const rows = async (): Promise<{ self: boolean; coresLent: number }[]> =>
    (await lab.shJson(first, "peers --json")) as { self: boolean; coresLent: number }[];
  await eventually("both lend", rows, (both) => both.length === 2 && both.every(({ coresLent }) => coresLent === 1));
  // The node may run for 10 of every 100 ms.
  const brake = setInterval(() => {
    slow.process.child.kill("SIGSTOP");
    setTimeout(() => slow.process.child.kill("SIGCONT"), 90);
  }, 100);
  try {
    const { status, stdout } = await lab.sh(first, "map primes --range 0..20000000 --chunks 400");
    expect({ status, stdout }).toEqual({ status: 0, stdout: PRIMES_BELOW_20_MILLION });
  } finally {
    clearInterval(brake);
  }
});

test("a picture comes as PNG into a pipe, and as a file where sh was called", async () => {
  await using lab = await openLab();
  const node = await lab.up();
  const line = "map mandelbrot --size 200x150 --at -0.7436,0.1318,200";
  const piped = await lab.sh(node, line);
  const { width, height, data } = decode(piped.stdoutBytes);
  expect([piped.status, width, height]).toEqual([0, 200, 150]);
  expect(new Set(data).size).toBeGreaterThan(50);
  expect(await lab.sh(node, `${line} --out picture.png`)).toMatchObject({ status: 0, stdout: "" });
  expect(await readFile(join(lab.folder, "picture.png"))).toEqual(piped.stdoutBytes);
});

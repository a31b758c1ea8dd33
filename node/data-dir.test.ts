import { once } from "node:events";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { claimDataDir, defaultDataDir } from "./data-dir.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "starfish-data-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

test("one owner at a time, and the next one after it", async () => {
  const data = join(folder, "new", "data");
  {
    await using _claim = await claimDataDir(data);
    await expect(claimDataDir(data)).rejects.toMatchObject({ code: "in-use" });
    expect((await stat(data)).mode & 0o077).toBe(0);
  }
  await using _next = await claimDataDir(data);
});

test.each([
  ["of a process that is dead", JSON.stringify({ pid: 2 ** 22 + 1, started: "" })],
  ["of a process whose number was used again", JSON.stringify({ pid: process.ppid, started: "another boot/1" })],
  ["of this number in a container that was restarted", JSON.stringify({ pid: process.pid, started: "another boot/1" })],
  ["that a crash has left empty", ""],
])("a lock %s is taken over", async (_, content) => {
  await writeFile(join(folder, "lock.stale"), content);
  await using _claim = await claimDataDir(folder);
  await expect(claimDataDir(folder)).rejects.toMatchObject({ code: "in-use" });
});

test("of many that start at once, at most one gets it, also over a stale lock", async () => {
  for (let round = 0; round < 5; round++) {
    await writeFile(join(folder, "lock.stale"), JSON.stringify({ pid: 2 ** 22 + 1, started: "" }));
    const claims = await Promise.allSettled(Array.from({ length: 4 }, () => claimDataDir(folder)));
    const claimed = claims.filter((claim) => claim.status === "fulfilled");
    expect(claimed.length).toBeLessThanOrEqual(1);
    for (const claim of claimed) await claim.value[Symbol.asyncDispose]();
  }
  await using _last = await claimDataDir(folder);
});

test("a node that only its socket shows (in another container) is not disturbed", async () => {
  const other = createServer();
  await once(other.listen(join(folder, "control.sock")), "listening");
  await expect(claimDataDir(folder)).rejects.toMatchObject({ code: "in-use" });
  other.close();
  await once(other, "close");
  await using _claim = await claimDataDir(folder);
});

test("a directory that cannot be made is an io error that names it", async () => {
  const file = join(folder, "file");
  await writeFile(file, "");
  await expect(claimDataDir(join(file, "data"))).rejects.toMatchObject({
    code: "io",
    message: expect.stringContaining("file/data"),
  });
});

test("one in Linux's /proc is refused too: Node itself would try to make it for ever", async () => {
  await expect(claimDataDir("/proc/starfish/data")).rejects.toMatchObject({ code: "io" });
});

test("where things are", () => {
  expect(defaultDataDir({ STARFISH_DATA: "/a/b" })).toBe("/a/b");
  expect(defaultDataDir({ XDG_DATA_HOME: "/x" })).toBe("/x/starfish");
});

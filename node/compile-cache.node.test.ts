/** Which compiled code is kept, where, and when it is not trusted: with real processes. */
import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { compileCacheDir } from "./compile-cache.ts";

const CLI: string = join(import.meta.dirname, "cli.ts");

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "starfish-cache-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Talks to a node that is not there; all of `sh` is loaded for that. */
function runSh(): void {
  const env = { PATH: process.env["PATH"], HOME: folder, XDG_CACHE_HOME: folder };
  expect(() =>
    execFileSync(process.execPath, [CLI, "sh", "--data", folder, "-c", ":"], { env, stdio: "pipe" }),
  ).toThrow(/No node is running/);
}

test("compiled code is kept in a directory of the user's own", async () => {
  runSh();
  const kept = join(folder, "starfish/compiled");
  expect((await stat(kept)).mode & 0o077).toBe(0);
  expect((await readdir(kept, { recursive: true })).length).toBeGreaterThan(20);
});

test("code that others may have put there is not run: nothing is read or kept", async () => {
  await mkdir(join(folder, "starfish/compiled"), { recursive: true });
  await chmod(join(folder, "starfish"), 0o777);
  runSh();
  expect(await readdir(join(folder, "starfish/compiled"))).toEqual([]);
});

test("where it is", () => {
  expect(compileCacheDir({ XDG_CACHE_HOME: "/x" })).toBe("/x/starfish/compiled");
});

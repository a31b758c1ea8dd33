/** Whether anybody can get between `starfish sh` and its node: with real sockets. */
import { once } from "node:events";
import { chmod, lstat, mkdir, mkdtemp, readdir, readlink, rm, stat, symlink } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ownControlPath, placeControl } from "./control-path.ts";

let folder: string;
const servers: Server[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sf-"));
});
afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await rm(folder, { recursive: true });
});

async function listenAt(path: string): Promise<void> {
  const server = createServer();
  servers.push(server);
  await once(server.listen(path), "listening");
  await chmod(path, 0o600);
}

async function longDirectory(): Promise<string> {
  const path = join(folder, "long".repeat(40));
  await mkdir(path, { mode: 0o700 });
  return path;
}

test("the socket lies in the data directory, which is one's own", async () => {
  await using place = await placeControl(folder);
  expect(place.path).toBe(join(folder, "control.sock"));
  expect(await ownControlPath(folder)).toBeUndefined();
  await listenAt(place.path);
  expect(await ownControlPath(folder)).toBe(place.path);
});

test("for a long path it lies in a directory that is new and nobody else's, and goes with the node", async () => {
  const data = await longDirectory();
  const runtime = join(folder, "run");
  await mkdir(runtime, { mode: 0o700 });
  const place = await placeControl(data, runtime);
  expect(dirname(dirname(place.path))).toBe(runtime);
  expect((await stat(dirname(place.path))).mode & 0o077).toBe(0);
  await listenAt(place.path);
  expect(await ownControlPath(data)).toBe(place.path);
  // A killed node leaves its socket, and the next node removes it.
  await using next = await placeControl(data, runtime);
  expect(next.path).not.toBe(place.path);
  expect(await readdir(runtime)).toEqual([basename(dirname(next.path))]);
  expect(await readlink(join(data, "control.sock"))).toBe(next.path);
  await next[Symbol.asyncDispose]();
  expect([await readdir(runtime), await readdir(data)]).toEqual([[], []]);
});

test("no name is the same twice, so that nobody can wait there", async () => {
  const data = await longDirectory();
  const paths = new Set<string>();
  for (let i = 0; i < 5; i++) {
    await using place = await placeControl(data, "");
    paths.add(place.path);
  }
  expect(paths.size).toBe(5);
});

test("a directory that others can write to has no socket in it", async () => {
  await chmod(folder, 0o777);
  await using place = await placeControl(folder, "");
  expect(dirname(place.path)).not.toBe(folder);
  expect((await lstat(join(folder, "control.sock"))).isSymbolicLink()).toBe(true);
});

test("a socket that others can open, or replace, is not used", async () => {
  await listenAt(join(folder, "control.sock"));
  await chmod(join(folder, "control.sock"), 0o666);
  await expect(ownControlPath(folder)).rejects.toMatchObject({ code: "unreachable" });
  await chmod(join(folder, "control.sock"), 0o600);
  await chmod(folder, 0o777);
  await expect(ownControlPath(folder)).rejects.toMatchObject({ code: "unreachable" });
});

test("neither is one of another user, nor another user's link to it", async () => {
  const socket = join(folder, "control.sock");
  await listenAt(socket);
  const data = await longDirectory();
  await symlink(socket, join(data, "control.sock"));
  // Only an administrator can give files to others, so here this user pretends to be another one.
  const owner = process.getuid?.();
  const who = vi.spyOn(process, "getuid").mockReturnValue(12_345);
  try {
    await expect(ownControlPath(folder)).rejects.toMatchObject({
      code: "unreachable",
      message: expect.stringContaining(`user ${owner}'s`),
    });
    await expect(ownControlPath(data)).rejects.toMatchObject({ code: "unreachable" });
  } finally {
    who.mockRestore();
  }
});

/** Nodes that programs start: two in one process share their memory, and a start that fails releases its directory. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openComputer, startNode } from "./index.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "starfish-program-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

test("a program founds a swarm and serves an app, another joins by its link, and what one sets the other has", async () => {
  await writeFile(join(folder, "app.html"), "<title>Ours</title>");
  await using founder = await startNode({ dataDir: join(folder, "a"), name: "founder", app: join(folder, "app.html") });
  founder.computer.memory.set("before", 1);
  const link = `${founder.url}app/#${founder.computer.net.invite()}`;
  expect(await (await fetch(link)).text()).toBe("<title>Ours</title>");
  await using guest = await openComputer({ dataDir: join(folder, "b"), invite: link });
  expect(guest.net.swarm).toBe(founder.computer.net.swarm);
  // It may write at once.
  guest.memory.set("after", 2);
  await expect.poll(() => guest.memory.get("before"), { timeout: 10_000 }).toBe(1);
  await guest.memory.sync();
  expect(founder.computer.memory.get("after")).toBe(2);
});

test("the same directory is the same node again, and one at a time", async () => {
  const dataDir = join(folder, "a");
  const first = await startNode({ dataDir });
  await expect(startNode({ dataDir })).rejects.toMatchObject({ code: "in-use" });
  const { self } = first.computer.net;
  await first[Symbol.asyncDispose]();
  await using again = await startNode({ dataDir });
  expect(again.computer.net.self).toBe(self);
});

test("a bad invite is said, and the directory is free again", async () => {
  const dataDir = join(folder, "a");
  await expect(startNode({ dataDir, join: "http://127.0.0.1:1/#v1.nonsense" })).rejects.toMatchObject({
    code: "bad-invite",
  });
  await using node = await startNode({ dataDir });
  expect(node.computer.memory.count()).toBe(0);
});

/** Nodes of programs: two in one process share their memory, and what fails gives its directory back. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startNode } from "./index.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "starfish-program-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

test("a program founds a swarm, another joins, and what one sets the other has", async () => {
  await using founder = await startNode({ dataDir: join(folder, "a"), name: "founder" });
  founder.computer.memory.set("before", 1);
  const invite = `${founder.url}#${founder.computer.net.invite()}`;
  await using guest = await startNode({ dataDir: join(folder, "b"), join: invite });
  expect(guest.computer.net.swarm).toBe(founder.computer.net.swarm);
  await expect.poll(() => guest.computer.memory.get("before"), { timeout: 10_000 }).toBe(1);
  guest.computer.memory.set("after", 2);
  await guest.computer.memory.sync();
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

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { freeBytesAt, storageOffer } from "./storage.ts";

test("a node offers a tenth of what is free, up to 2 GB", () => {
  const free = [0, 1e9, 2e9, 5e9, 50e9, 5e12];
  expect(free.map(storageOffer)).toEqual([0, 0.1e9, 0.2e9, 0.5e9, 2e9, 2e9]);
});

test("the free bytes of a directory's disk are asked of the system, and the directory is made", async () => {
  const directory = await mkdtemp(join(tmpdir(), "starfish-storage-"));
  expect(await freeBytesAt(join(directory, "a", "b"))).toBeGreaterThan(0);
  await expect(freeBytesAt("/dev/null/a")).rejects.toMatchObject({ code: "io" });
  await rm(directory, { recursive: true });
});

/** The file store of shards: its contract, what its files look like after faults, and how fast it opens. */
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isStarfishError } from "../core/base/errors.ts";
import { shardStoreContract } from "../core/ports/shard-store.contract.ts";
import type { ShardStore } from "../core/ports/shard-store.ts";
import { openFileShardStore } from "./shard-store.ts";

const scratch = (): Promise<string> => mkdtemp(join(tmpdir(), "starfish-shards-"));
const openStore = (directory: string): Promise<ShardStore> => openFileShardStore(directory, { quotaBytes: Infinity });

async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
}

async function fileOf(directory: string, id: string): Promise<string> {
  return (await filesIn(directory)).find((path) => path.includes(`/${id}.`)) ?? "";
}

shardStoreContract("files", async () => {
  const directory = await scratch();
  return {
    open: () => openStore(join(directory, "shards")),
    tamper: async (id, change) => {
      const path = await fileOf(directory, id);
      const changed = change(new Uint8Array(await readFile(path)));
      await (changed === undefined ? unlink(path) : writeFile(path, changed));
    },
    destroy: () => rm(directory, { recursive: true }),
  };
});

describe("file store of shards", () => {
  let directory: string;

  beforeEach(async () => {
    directory = await scratch();
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  it("is for its owner's eyes only", async () => {
    const inner = join(directory, "inner");
    await using store = await openStore(inner);
    await store.put("a", new Uint8Array(10));
    const entries = await readdir(inner, { recursive: true });
    expect(entries).toHaveLength(257);
    for (const name of ["", ...entries]) expect((await stat(join(inner, name))).mode & 0o077).toBe(0);
  });

  it("clears away what a crash has left: what is unfinished, and what has been replaced", async () => {
    {
      await using store = await openStore(directory);
      await store.put("a", new Uint8Array(10).fill(1));
    }
    const file = await fileOf(directory, "a");
    const old = await readFile(file);
    {
      await using store = await openStore(directory);
      await store.put("a", new Uint8Array(20).fill(2));
    }
    await writeFile(file, old);
    await writeFile(`${file}.part`, "half");
    {
      await using store = await openStore(directory);
      const [shard] = [...store.ids()];
      expect(shard?.id).toBe("a");
      const bytes = await store.get("a");
      expect(bytes).toEqual(shard?.bytes === 10 ? new Uint8Array(10).fill(1) : new Uint8Array(20).fill(2));
    }
    expect(await filesIn(directory)).toHaveLength(1);
  });

  it("leaves files alone that are not its own", async () => {
    await mkdir(join(directory, "07"));
    for (const name of ["lock", "07/note.txt", "07/A.12"]) await writeFile(join(directory, name), "x");
    await using store = await openStore(directory);
    expect([...store.ids()]).toEqual([]);
    expect(await filesIn(directory)).toHaveLength(3);
  });

  it("says what to do when its directory is a file", async () => {
    const file = join(directory, "file");
    await writeFile(file, "x");
    await expect(openStore(file)).rejects.toThrow("use another data directory");
    await expect(openStore(join(file, "below"))).rejects.toSatisfy((error) => isStarfishError(error, "io"));
  });

  it("keeps what was there and says that the disk is full", async () => {
    // /dev/full fails every write with ENOSPC. A link with the name of the temporary file makes the store write there.
    await using store = await openStore(directory);
    await store.put("a", new Uint8Array(10).fill(1));
    await symlink("/dev/full", `${await fileOf(directory, "a")}.part`);
    const full = store.put("a", new Uint8Array(10).fill(2));
    await expect(full).rejects.toSatisfy((error) => isStarfishError(error, "full"));
    await expect(full).rejects.toThrow("The disk is full: free some space.");
    expect(await store.get("a")).toEqual(new Uint8Array(10).fill(1));
    await store.put("a", new Uint8Array(10).fill(3));
    expect(await store.get("a")).toEqual(new Uint8Array(10).fill(3));
  });

  it("does not take a file that it cannot read for damage", async () => {
    await using store = await openStore(directory);
    await store.put("a", new Uint8Array(10).fill(1));
    const file = await fileOf(directory, "a");
    // A link that leads to itself: not even root can open it.
    await rename(file, `${file}.away`);
    await symlink(file, file);
    await expect(store.get("a")).rejects.toSatisfy((error) => isStarfishError(error, "io"));
    await rename(`${file}.away`, file);
    expect(await store.get("a")).toEqual(new Uint8Array(10).fill(1));
    expect(store.usage().damaged).toBe(0);
  });

  it("counts what it cannot flush as damaged", async () => {
    await using store = await openStore(directory);
    for (const id of ["a", "b"]) await store.put(id, new Uint8Array(10).fill(1));
    const file = await fileOf(directory, "a");
    await unlink(file);
    await symlink(file, file);
    const damaged: string[] = [];
    store.onDamaged((id) => damaged.push(id));
    await expect(store.sync()).rejects.toSatisfy((error) => isStarfishError(error, "io"));
    expect(damaged).toEqual(["a"]);
    expect([...store.ids()]).toEqual([{ id: "b", bytes: 10 }]);
    await store.sync();
  });

  it("takes a thousand puts at once, many to a directory", async () => {
    await using store = await openStore(directory);
    const ids = Array.from({ length: 1000 }, (_, i) => `s-${i}`);
    await Promise.all(ids.map((id) => store.put(id, new Uint8Array(5))));
    await store.delete("s-7");
    expect(await filesIn(directory)).toHaveLength(999);
  });
});

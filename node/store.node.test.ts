/** The file store: its contract, and what its files look like after faults. */
import { mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { utf8 } from "../core/base/bytes.ts";
import { isStarfishError } from "../core/base/errors.ts";
import { storeContract } from "../core/ports/store.contract.ts";
import { openFileStore } from "./store.ts";

const scratch = (): Promise<string> => mkdtemp(join(tmpdir(), "starfish-store-"));

storeContract("files", async () => {
  const directory = await scratch();
  return {
    open: () => openFileStore(join(directory, "store")),
    destroy: () => rm(directory, { recursive: true }),
  };
});

describe("file store", () => {
  let directory: string;

  beforeEach(async () => {
    directory = await scratch();
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  it("is for its owner's eyes only", async () => {
    const inner = join(directory, "inner");
    await using store = await openFileStore(inner);
    await store.set("key", utf8("secret"));
    expect((await stat(inner)).mode & 0o077).toBe(0);
    for (const name of await readdir(inner)) expect((await stat(join(inner, name))).mode & 0o077).toBe(0);
  });

  it("clears away what a crash has left unfinished, and keeps the old value", async () => {
    {
      await using store = await openFileStore(directory);
      await store.set("a", utf8("old"));
    }
    const [name = ""] = await readdir(directory);
    await writeFile(join(directory, `${name}.part`), "ne");
    await using store = await openFileStore(directory);
    expect(await store.get("a")).toEqual(utf8("old"));
    expect(await store.keys("")).toEqual(["a"]);
    expect(await readdir(directory)).toEqual([name]);
  });

  it("leaves files alone that are not its own", async () => {
    await writeFile(join(directory, "lock"), "x");
    await using store = await openFileStore(directory);
    expect(await store.keys("")).toEqual([]);
    expect(await readdir(directory)).toEqual(["lock"]);
  });

  it("says what to do when its directory is a file, or gone", async () => {
    const file = join(directory, "file");
    await writeFile(file, "x");
    await expect(openFileStore(file)).rejects.toThrow("use another data directory");
    await expect(openFileStore(join(file, "below"))).rejects.toSatisfy((error) => isStarfishError(error, "io"));
    const gone = join(directory, "gone");
    await using store = await openFileStore(gone);
    await rm(gone, { recursive: true });
    await expect(store.set("a", utf8("x"))).rejects.toThrow("The directory was removed");
  });

  it("keeps the old value and says that the disk is full", async () => {
    // /dev/full fails every write with ENOSPC. A link with the name of the temporary file makes the store write there.
    await using store = await openFileStore(directory);
    await store.set("a", utf8("old"));
    const [name = ""] = await readdir(directory);
    await symlink("/dev/full", join(directory, `${name}.part`));
    await expect(store.set("a", utf8("new"))).rejects.toThrow("The disk is full: free some space.");
    expect(await store.get("a")).toEqual(utf8("old"));
    await store.set("a", utf8("newer"));
    expect(await store.get("a")).toEqual(utf8("newer"));
  });
});

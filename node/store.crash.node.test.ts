/**
 * The file store of a process that is killed in the middle of its writes: every value is whole, either the last one or
 * the one before.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, it } from "vitest";
import { openFileStore } from "./store.ts";

const KILLS = 8;
const VALUE_BYTES = 200_000;

/** Writes a value of one repeated byte, again and again, and prints each number when its value is durable. */
const WRITER = `
  const { openFileStore } = await import(${JSON.stringify(new URL("./store.ts", import.meta.url).href)});
  const store = await openFileStore(process.argv[1]);
  for (let i = Number(process.argv[2]); ; i++) {
    await store.set("key", new Uint8Array(${VALUE_BYTES}).fill(i));
    console.log(i);
  }
`;

it("keeps whole values when the process is killed", async () => {
  const directory = await mkdtemp(join(tmpdir(), "starfish-crash-"));
  let last = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const args = ["--input-type=module", "--eval", WRITER, directory, String(last + 1)];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const exited = once(child, "exit");
    // Killed at a different point each time: right after some line, while the next write is under way.
    let left = 2 + kill;
    for await (const line of createInterface(child.stdout)) {
      last = Number(line);
      if (--left === 0) child.kill("SIGKILL");
    }
    await exited;
    await using store = await openFileStore(directory);
    const value = (await store.get("key")) ?? new Uint8Array(0);
    const first = value[0] ?? -1;
    expect(value.length).toBe(VALUE_BYTES);
    expect(value.every((byte) => byte === first)).toBe(true);
    expect([last & 0xff, (last + 1) & 0xff]).toContain(first);
    expect(await readdir(directory)).toHaveLength(1);
    last = first;
  }
  await rm(directory, { recursive: true });
});

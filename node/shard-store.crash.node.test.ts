/**
 * The file store of shards in a process that is killed while it puts: everything that it reported is there, and nothing
 * is there in part.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, it } from "vitest";
import { openFileShardStore } from "./shard-store.ts";

const KILLS = 8;
const SHARD_BYTES = 200_000;
/** Ids in use: each is put again after this many puts, with another length. */
const IDS = 10;
const AT_ONCE = 4;

/** Puts shards of one repeated byte, several at once, and prints each number when its shard is durable. */
const WRITER = `
  const { openFileShardStore } = await import(${JSON.stringify(new URL("./shard-store.ts", import.meta.url).href)});
  const store = await openFileShardStore(process.argv[1], { quotaBytes: Infinity });
  let next = Number(process.argv[2]);
  const writer = async () => {
    for (;;) {
      const i = next++;
      await store.put("shard-" + (i % ${IDS}), new Uint8Array(${SHARD_BYTES} + i).fill(i));
      console.log(i);
    }
  };
  for (let i = 0; i < ${AT_ONCE}; i++) writer();
`;

it("keeps whole shards when the process is killed", async () => {
  const directory = await mkdtemp(join(tmpdir(), "starfish-shard-crash-"));
  const written = new Map<number, number>();
  let next = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const args = ["--input-type=module", "--eval", WRITER, directory, String(next)];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const exited = once(child, "exit");
    // Killed at a different point each time: right after some line, while the next puts are under way.
    let left = 9 + kill;
    for await (const line of createInterface(child.stdout)) {
      const i = Number(line);
      written.set(i % IDS, Math.max(i, written.get(i % IDS) ?? 0));
      next = Math.max(next, i + 1);
      if (--left === 0) child.kill("SIGKILL");
    }
    await exited;
    await using store = await openFileShardStore(directory, { quotaBytes: Infinity });
    for (const [slot, last] of written) {
      const shard = await store.get(`shard-${slot}`);
      const i = (shard?.length ?? 0) - SHARD_BYTES;
      expect(i).toBeGreaterThanOrEqual(last);
      expect(shard?.every((byte) => byte === (i & 0xff))).toBe(true);
      next = Math.max(next, i + 1);
    }
    expect(store.usage().damaged).toBe(0);
    const files = await readdir(directory, { recursive: true });
    expect(files.filter((name) => name.endsWith(".part"))).toEqual([]);
  }
  await rm(directory, { recursive: true });
});

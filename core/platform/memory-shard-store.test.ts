/** The shard store in memory, held to its contract. */
import type { Bytes } from "../base/bytes.ts";
import { shardStoreContract } from "../ports/shard-store.contract.ts";
import { memoryShardStore } from "./memory-shard-store.ts";
import { webSha256 } from "./sha256.ts";

shardStoreContract("memory", async () => {
  const disk = new Map<string, Bytes>();
  return {
    open: async () => memoryShardStore({ disk, quotaBytes: 0, sha256: webSha256 }),
    tamper: async (id, change) => {
      const name = [...disk.keys()].find((key) => key.startsWith(`${id}.`)) ?? "";
      const changed = change(disk.get(name) ?? new Uint8Array(0));
      if (changed === undefined) disk.delete(name);
      else disk.set(name, changed);
    },
  };
});

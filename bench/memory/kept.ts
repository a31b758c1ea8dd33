/** Starfish's map if it is kept in the store: each batch of writes is awaited until it is acknowledged. */
import { openMemory } from "./node.ts";
import { mapNode, system as starfish } from "./starfish.ts";
import type { MapNode, OpenOptions, System } from "./system.ts";

/** Writes that are acknowledged together. */
const BATCH = 10_000;

async function open(options: OpenOptions): Promise<MapNode> {
  const { net, memory } = await openMemory(options);
  const map = await memory.map("kept", { isKept: true });
  return {
    ...mapNode(map),
    address: net.invite(),
    async set(entries) {
      for (let at = 0; at < entries.length; at += BATCH) {
        for (const { key, value } of entries.slice(at, at + BATCH)) map.set(key, value);
        await map.sync();
      }
    },
  };
}

export const system: System = { ...starfish, open };

/**
 * Shards in memory: for private windows and for browsers that keep nothing. The simulator uses it over a disk of its
 * own.
 */
import { type Bytes, concat } from "../base/bytes.ts";
import type { ShardStore } from "../ports/shard-store.ts";
import { type FrameStore, ShardShelf, type ShelfOptions } from "./shard-shelf.ts";

export interface MemoryShardStoreOptions extends Pick<ShelfOptions, "quotaBytes" | "sha256"> {
  /**
   * Frames by name. Stores that share a disk have the same content, like one node's store before and after a restart.
   */
  readonly disk?: Map<string, Bytes>;
}

export function memoryShardStore(options: MemoryShardStoreOptions): ShardStore {
  const { disk = new Map<string, Bytes>(), quotaBytes, sha256 } = options;
  return new ShardShelf({ frames: memoryFrames(disk), names: disk.keys(), quotaBytes, sha256 });
}

export function memoryFrames(disk: Map<string, Bytes>): FrameStore {
  return {
    // A copy, because the caller owns what it gets.
    read: async (name) => disk.get(name)?.slice(),
    write: async (name, head, bytes, replaced) => {
      disk.set(name, concat([head, bytes]));
      if (replaced !== undefined) disk.delete(replaced);
    },
    flush: async () => [],
    remove: async (name) => void disk.delete(name),
    close: async () => {},
  };
}

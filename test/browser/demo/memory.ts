/** A memory that only looks shared: one map in this page, whose entries say that the made-up members wrote them. */
import { Listeners } from "../../../core/base/events.ts";
import type { MapChange, MapEntry, ReplicatedMap } from "../../../core/memory/types.ts";
import { stampAt } from "../../../core/memory/version.ts";

export interface DemoMemory {
  readonly memory: ReplicatedMap;
  /** As `writer` would. */
  set(key: string, value: unknown, writer: number): void;
}

export function demoMemory(): DemoMemory {
  const entries = new Map<string, MapEntry>();
  const changed = new Listeners<MapChange>();
  let stamp = 0;
  const set = (key: string, value: unknown, writer: number): void => {
    stamp = Math.max(stamp + 1, stampAt(Date.now()));
    const entry = { key, value, version: { stamp, writer }, expiresAtMs: undefined };
    entries.set(key, entry);
    changed.emit({ key, entry, isLocal: false });
  };
  const memory: Partial<ReplicatedMap> = {
    entry: (key) => entries.get(key),
    entries: () => entries.values(),
    count: () => entries.size,
    now: () => Date.now(),
    watch: (_prefix, listener) => changed.add(listener),
    stat: () => ({
      name: "mem",
      entries: entries.size,
      tombstones: 0,
      bytes: entries.size * 220,
      bytesMax: 64 * 1024 * 1024,
      fingerprint: "0".repeat(16),
      quarantined: 0,
      isKept: false,
      reconciliations: {
        complete: 1,
        divergent: 0,
        brokenOff: 0,
        entriesReceived: 0,
        lastAtMs: 0,
        lastPeer: undefined,
      },
      refused: 0,
      tombstoneBytes: 0,
      forgottenEarly: 0,
      unionedOld: 0,
    }),
  };
  return { memory: memory as ReplicatedMap, set };
}

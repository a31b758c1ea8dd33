/**
 * Checks that batches are whole on every node at every moment: if one entry of a batch is seen, no key of the batch may
 * have an older entry, nor be missing unless a deletion or an expiry explains it. It checks the batches of a key in
 * each call of the key's watcher; after each turn, the state that a watcher has put together from the changes; and
 * whole maps at once.
 */
import type { MapEntry, MapWrite, ReplicatedMap, Version } from "../../core/memory/types.ts";
import type { MapNode } from "./maps.ts";

interface Batch {
  readonly version: Version;
  readonly keys: readonly string[];
}

const LATEST: Version = { stamp: Infinity, writer: 0 };

type Seen = (key: string) => Version | undefined;

export class BatchChecker {
  readonly faults: string[] = [];
  /** The number of checks of a batch of which something was seen. */
  looks = 0;
  readonly #byKey = new Map<string, Batch[]>();
  /** Versions of a key after which it may be gone: deletions, and writes that expire. */
  readonly #ends = new Map<string, Version[]>();

  /** Writes, and records what was written. Throws as the map does. At least one key is set without an expiry. */
  write(map: ReplicatedMap, writes: readonly MapWrite[]): void {
    const set = writes.find((write) => "value" in write && write.expiresInMs === undefined);
    if (set === undefined) throw new Error("Such a batch sets a key for good");
    // Watchers look while the batch is being written, when its version is not known yet.
    const ends = writes.filter((write) => !("value" in write) || write.expiresInMs !== undefined);
    for (const { key } of ends) this.#ends.set(key, [...(this.#ends.get(key) ?? []), LATEST]);
    let version: Version | undefined;
    try {
      map.batch(writes);
      version = map.entry(set.key)?.version;
    } finally {
      for (const { key } of ends) {
        const before = this.#ends.get(key)?.slice(0, -1) ?? [];
        this.#ends.set(key, version === undefined ? before : [...before, version]);
      }
    }
    if (version === undefined) throw new Error(`${set.key} was written and is not there`);
    const batch = { version, keys: writes.map(({ key }) => key) };
    for (const { key } of writes) this.#byKey.set(key, [...(this.#byKey.get(key) ?? []), batch]);
  }

  /** Watches one life of a node, and checks the entries that it has from before. */
  watch(node: MapNode): void {
    const { map, machine } = node;
    const mirror = new Map<string, Version>();
    for (const { key, version } of map.entries()) mirror.set(key, version);
    this.lookAtAll(node);
    let changed: string[] = [];
    map.watch("", ({ key, entry }) => {
      this.#lookAt(machine.name, [key], (other) => map.entry(other)?.version);
      if (entry === undefined) mirror.delete(key);
      else mirror.set(key, entry.version);
      changed.push(key);
      if (changed.length > 1) return;
      queueMicrotask(() => {
        const keys = changed;
        changed = [];
        this.#lookAt(`a watcher of ${machine.name}`, keys, (other) => mirror.get(other));
      });
    });
  }

  /** Checks a whole map, as its list shows it. */
  lookAtAll({ map, machine }: MapNode): void {
    const listed = new Map([...map.entries()].map((entry: MapEntry) => [entry.key, entry.version]));
    this.#lookAt(machine.name, listed.keys(), (key) => listed.get(key));
  }

  #lookAt(who: string, keys: Iterable<string>, seen: Seen): void {
    const batches = new Set<Batch>();
    for (const key of keys) for (const batch of this.#byKey.get(key) ?? []) batches.add(batch);
    for (const batch of batches) {
      const shown = batch.keys.find((key) => isSame(seen(key), batch.version));
      if (shown === undefined) continue;
      this.looks++;
      const lacking = batch.keys.find((key) => !this.#isSuperseded(key, batch, seen(key)));
      if (lacking === undefined) continue;
      const { stamp, writer } = batch.version;
      this.faults.push(`${who} shows ${shown} of batch ${stamp}/${writer}, but not ${lacking}`);
    }
  }

  #isSuperseded(key: string, batch: Batch, version: Version | undefined): boolean {
    if (version !== undefined) return !isNewer(batch.version, version);
    return (this.#ends.get(key) ?? []).some((end) => !isNewer(batch.version, end));
  }
}

function isSame(x: Version | undefined, y: Version): boolean {
  return x?.stamp === y.stamp && x.writer === y.writer;
}

function isNewer(x: Version, y: Version): boolean {
  return x.stamp > y.stamp || (x.stamp === y.stamp && x.writer > y.writer);
}

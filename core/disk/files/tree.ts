/**
 * The tree on this node: the directories and their entries, updated with the map's changes. A directory exists because
 * something is in it, or by an entry of its own, or both. The tree holds names and keys; the contents of entries are
 * read from the map.
 */
import { Listeners, type Unsubscribe } from "../../base/events.ts";
import type { MapEntry, ReplicatedMap } from "../../memory/types.ts";
import { ENTRY_COST_BYTES } from "../../memory/limits.ts";
import { SetAside } from "../../memory/set-aside.ts";
import { type Log, silentLog } from "../../ports/log.ts";
import { KeyHeap } from "./key-heap.ts";
import { LIVING_VERSIONS_MAX } from "./limits.ts";
import { join, placeOf } from "./path.ts";
import { isInTime, parseTreeKey, stampOf, type TreeKey, versionOf } from "./tree-key.ts";
import { type FileValue, parseFileValue } from "./tree-value.ts";

export class Directory {
  readonly name: string;
  readonly parent: Directory | undefined;
  /** Keys of living files by name, the latest first, a bounded number of each. */
  readonly files: Map<string, readonly string[]> = new Map();
  /** The further keys of names that have more. */
  readonly others: Map<string, KeyHeap> = new Map();
  readonly children: Map<string, Directory> = new Map();
  /** Keys of its own living entries. */
  readonly own: Set<string> = new Set();
  /** The stamp of the latest entry in it; undefined: not computed yet. */
  latest: number | undefined = 0;

  constructor(name: string, parent: Directory | undefined) {
    this.name = name;
    this.parent = parent;
  }

  get path(): string {
    return this.parent === undefined ? "" : join(this.parent.path, this.name);
  }

  get isEmpty(): boolean {
    return this.files.size === 0 && this.children.size === 0;
  }
}

/** An earlier version as far as the shares of space need to know it. */
export interface Past {
  readonly contentBytes: number;
  readonly entryBytes: number;
  readonly expiresAtMs: number;
}

export class Tree {
  readonly root: Directory = new Directory("", undefined);
  /** Earlier versions by key. */
  readonly past: Map<string, Past> = new Map();
  pastContentBytes = 0;
  pastEntryBytes = 0;
  readonly #map: ReplicatedMap;
  readonly #setAside: SetAside;
  readonly #changed = new Listeners<TreeKey>();
  readonly #unsubscribe: Unsubscribe;

  constructor(map: ReplicatedMap, log: Log = silentLog) {
    this.#map = map;
    this.#setAside = new SetAside(map.name, log);
    for (const entry of map.entries()) this.#take(entry.key, entry);
    this.#unsubscribe = map.watchAll((changes) => {
      // A listener that is told of one change may look at the others.
      const taken = changes.flatMap(({ key, entry }) => this.#take(key, entry) ?? []);
      for (const key of taken) this.#changed.emit(key);
    });
  }

  /** Called after each change, once for each entry. Changes that happened together are all visible by then. */
  onChange(listener: (key: TreeKey) => void): Unsubscribe {
    return this.#changed.add(listener);
  }

  close(): void {
    this.#unsubscribe();
  }

  directory(path: string): Directory | undefined {
    let found: Directory | undefined = this.root;
    if (path === "") return found;
    for (const name of path.split("/")) found = found?.children.get(name);
    return found;
  }

  /** What the entry of a file says; undefined if it is gone. */
  value(key: string): FileValue | undefined {
    return parseFileValue(this.#map.get(key));
  }

  /** Entries that are not shown, because they are impossible, or too many for one name. */
  get setAside(): number {
    return this.#setAside.size;
  }

  /** The versions of a name besides the shown ones. */
  others(path: string): string[] {
    const place = placeOf(path);
    const heap = place && this.directory(place.directory)?.others.get(place.name);
    return heap === undefined ? [] : [...heap.keys()];
  }

  /** When the latest entry in it was written. */
  latest(directory: Directory): number {
    if (directory.latest !== undefined) return directory.latest;
    let latest = 0;
    const see = (key: string): void => void (latest = Math.max(latest, stampOf(versionOf(key))));
    for (const [key] of directory.files.values()) if (key !== undefined) see(key);
    for (const key of directory.own) see(key);
    for (const child of directory.children.values()) latest = Math.max(latest, this.latest(child));
    directory.latest = latest;
    return latest;
  }

  #take(key: string, entry: MapEntry | undefined): TreeKey | undefined {
    const parsed = parseTreeKey(key);
    this.#setAside.delete(key);
    if (parsed === undefined) {
      if (entry !== undefined) this.#setAside.add(key, "no key of the tree");
      return undefined;
    }
    this.#forgetPast(key);
    const isTimely = entry !== undefined && isInTime(parsed.version, entry.version.stamp);
    const value = isTimely && parsed.kind === "file" ? parseFileValue(entry.value) : undefined;
    if (entry !== undefined && !isTimely) this.#setAside.add(key, "its key is from later than its entry");
    else if (entry !== undefined && parsed.kind === "file" && value === undefined) this.#setAside.add(key, "no file");
    if (value?.past === true) this.#addPast(key, value, entry?.expiresAtMs ?? 0);
    const isLiving = parsed.kind === "file" ? value !== undefined && value.past !== true : isTimely;
    if (isLiving) this.#add(key, parsed);
    else this.#remove(key, parsed);
    return parsed;
  }

  #add(key: string, { directory, name, kind, version }: TreeKey): void {
    const place = this.#make(kind === "file" ? directory : join(directory, name));
    if (kind === "directory") {
      place.own.add(key);
    } else {
      if (!this.#addFile(place, name, key)) return;
    }
    const stamp = stampOf(version);
    for (let at: Directory | undefined = place; at !== undefined; at = at.parent) {
      if (at.latest !== undefined && at.latest < stamp) at.latest = stamp;
    }
  }

  #remove(key: string, { directory, name, kind }: TreeKey): void {
    const place = this.directory(kind === "file" ? directory : join(directory, name));
    if (place === undefined) return;
    if (kind === "directory") {
      if (!place.own.delete(key)) return;
    } else {
      if (!this.#removeFile(place, name, key)) return;
    }
    for (let at: Directory | undefined = place; at !== undefined; at = at.parent) at.latest = undefined;
    this.#prune(place);
  }

  /** Whether it was not there. */
  #addFile(place: Directory, name: string, key: string): boolean {
    const keys = place.files.get(name) ?? [];
    if (keys.includes(key) || place.others.get(name)?.has(key) === true) return false;
    const below = keys.findIndex((other) => other < key);
    const latest = keys.toSpliced(below < 0 ? keys.length : below, 0, key);
    const earliest = latest.length > LIVING_VERSIONS_MAX ? latest.pop() : undefined;
    place.files.set(name, latest);
    if (earliest === undefined) return true;
    const others = place.others.get(name) ?? new KeyHeap();
    others.add(earliest);
    place.others.set(name, others);
    this.#setAside.add(earliest, "too many versions of one name");
    return true;
  }

  /** Returns whether it was there. If it was among the latest, the next one takes its place. */
  #removeFile(place: Directory, name: string, key: string): boolean {
    const others = place.others.get(name);
    const keys = place.files.get(name) ?? [];
    const isLatest = keys.includes(key);
    if (!isLatest && others?.delete(key) !== true) return false;
    const next = isLatest ? others?.takeGreatest() : undefined;
    if (others?.size === 0) place.others.delete(name);
    if (next !== undefined) this.#setAside.delete(next);
    if (!isLatest) return true;
    const left = [...keys.filter((other) => other !== key), ...(next === undefined ? [] : [next])];
    if (left.length === 0) place.files.delete(name);
    else place.files.set(name, left);
    return true;
  }

  #make(path: string): Directory {
    let at = this.root;
    if (path === "") return at;
    for (const name of path.split("/")) {
      let child = at.children.get(name);
      if (child === undefined) {
        child = new Directory(name, at);
        at.children.set(name, child);
      }
      at = child;
    }
    return at;
  }

  /** Takes away directories that nothing holds any more. */
  #prune(directory: Directory): void {
    for (let at = directory; at.parent !== undefined && at.isEmpty && at.own.size === 0; at = at.parent) {
      at.parent.children.delete(at.name);
    }
  }

  #addPast(key: string, { size, inline }: FileValue, expiresAtMs: number): void {
    const entryBytes = key.length + (inline?.length ?? 0) + ENTRY_COST_BYTES;
    const contentBytes = inline === undefined ? size : 0;
    this.past.set(key, { contentBytes, entryBytes, expiresAtMs });
    this.pastContentBytes += contentBytes;
    this.pastEntryBytes += entryBytes;
  }

  #forgetPast(key: string): void {
    const before = this.past.get(key);
    if (before === undefined) return;
    this.past.delete(key);
    this.pastContentBytes -= before.contentBytes;
    this.pastEntryBytes -= before.entryBytes;
  }
}

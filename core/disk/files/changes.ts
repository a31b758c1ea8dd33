/**
 * Writing of the tree. Each change is one batch of the map if it fits, else several, file by file: then at every moment
 * a file that moves is in one place, and a file that is copied or removed is whole or gone. A write makes an entry of
 * its own and turns those that it replaces into earlier versions, which expire after a week. Entries that it has not
 * seen stay, and are a conflict.
 *
 * A rename moves the entries that are there: each is written under its new path, and the old one deleted. If another
 * node writes into a directory while it is being renamed, its file stays under the old name, which exists again then.
 */
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import { inBatches } from "../../memory/in-batches.ts";
import type { MapWrite, ReplicatedMap } from "../../memory/types.ts";
import { conflictsOf } from "./conflicts.ts";
import { BY_CHARS_MAX, RETIRED_AT_ONCE, VERSION_KEEP_MS } from "./limits.ts";
import type { Found, FoundDirectory, FoundFile, Lookup } from "./lookup.ts";
import { absolute, checkLength, isShortEnough, isWithin, join, moved, placeOf } from "./path.ts";
import type { Directory, Tree } from "./tree.ts";
import { isInTime, movedVersion, parseTreeKey, stampOf, treeKey, versionOf, versionText } from "./tree-key.ts";
import { type FileValue, parseFileValue } from "./tree-value.ts";

/** The fields that a content adds to an entry. */
export type NewContent = Pick<FileValue, "size" | "cid" | "inline" | "executable">;

export interface ChangesParts {
  readonly map: ReplicatedMap;
  readonly tree: Tree;
  readonly lookup: Lookup;
  /** This node as a writer, and its name. */
  readonly self: number;
  readonly name: () => string;
}

export class Changes {
  readonly #parts: ChangesParts;

  constructor(parts: ChangesParts) {
    this.#parts = parts;
  }

  /**
   * Puts content under a path. The entries that are shown there become earlier versions. With `seen`, the entries with
   * these keys do instead, as far as they still exist. An executable file stays executable. Throws "is-a-directory",
   * "not-a-directory", "too-large", "full", "clock".
   */
  write(path: string, content: NewContent, seen?: readonly string[]): void {
    const { lookup, tree } = this.#parts;
    const found = lookup.find(path);
    const place = placeOf(path);
    if (place === undefined || found?.kind === "directory") {
      throw new StarfishError("is-a-directory", `${absolute(path)} is a directory`);
    }
    lookup.checkParents(path);
    const keys = seen === undefined ? (found?.shown.keys ?? []) : seen.filter((key) => isLiving(tree.value(key)));
    const key = this.#newKey(place.directory, place.name, "file", keys);
    const executable = content.executable ?? (found?.kind === "file" ? found.value.executable : undefined);
    const writes: MapWrite[] = [{ key, value: this.#value({ ...content, executable }) }];
    for (const old of keys) writes.push(this.#retired(old, content.cid));
    this.#batch([writes]);
  }

  /**
   * Says whether a file may be run. The entry keeps its time and writer. If somebody else replaces the file meanwhile
   * without knowing of this change, both versions stay, as after any two such changes. Throws "not-found",
   * "is-a-directory", "full", "clock".
   */
  setExecutable(path: string, isExecutable: boolean): void {
    const { lookup, tree } = this.#parts;
    const { shown, value } = lookup.file(path);
    if ((value.executable === true) === isExecutable) return;
    const writes = shown.keys.flatMap((key): MapWrite[] => {
      const before = tree.value(key);
      const executable = isExecutable ? true : undefined;
      return before === undefined ? [] : [{ key, value: defined({ ...before, executable }) }];
    });
    this.#batch([writes]);
  }

  /** Throws "exists", "not-found" (of the parent, unless `parents`), "not-a-directory". */
  makeDirectory(path: string, { parents = false }: { readonly parents?: boolean } = {}): void {
    const { lookup } = this.#parts;
    const found = lookup.find(path);
    if (found?.kind === "directory" && parents) return;
    if (found !== undefined) throw new StarfishError("exists", `${absolute(path)} is there already`);
    lookup.checkParents(path);
    const place = placeOf(path);
    if (place !== undefined && !parents && lookup.find(place.directory) === undefined) {
      throw new StarfishError("not-found", `there is no ${absolute(place.directory)}`);
    }
    const writes: MapWrite[] = [];
    for (let at = place; at !== undefined && lookup.find(join(at.directory, at.name)) === undefined;) {
      writes.push(this.#directoryEntry(at.directory, at.name));
      at = placeOf(at.directory);
    }
    this.#batch([writes.reverse()]);
  }

  /** Throws "not-found", "not-empty", and "unsupported" for the root. */
  remove(path: string, { recursive = false }: { readonly recursive?: boolean } = {}): void {
    const found = this.#parts.lookup.get(path);
    if (path === "") throw new StarfishError("unsupported", "the root stays; remove what is in it");
    if (found.kind === "file") {
      if (!found.shown.isConflict) this.#retireOthers([path]);
      return this.#removeFile(found);
    }
    if (!recursive && !found.directory.isEmpty) {
      throw new StarfishError("not-empty", `${absolute(path)} is not empty`);
    }
    this.#retireOthers(crowdedIn(found.directory));
    const files: MapWrite[] = [];
    const directories: MapWrite[] = [];
    for (const directory of below(found.directory)) {
      for (const keys of directory.files.values()) for (const key of keys) files.push(this.#retired(key));
      for (const key of directory.own) directories.push(deleted(key));
    }
    this.#retire([...alone([...files, ...directories]), [...this.#freed(path), ...this.#keptParent(path)]]);
  }

  /**
   * Throws "not-found", "is-a-directory", "not-a-directory", "not-empty", "unsupported", "too-large", "full", "clock".
   */
  rename(from: string, to: string): void {
    const { lookup } = this.#parts;
    const found = lookup.get(from);
    if (from === to) return;
    const replaced = this.#checkTarget(found, to);
    const place = placeOf(to);
    if (place === undefined || placeOf(from) === undefined) throw insideItself(from, to);
    if (found.kind === "directory") this.#retireOthers(crowdedIn(found.directory));
    else if (!found.shown.isConflict) this.#retireOthers([from]);
    const steps =
      found.kind === "file" ? [this.#movedFile(found, place.directory, place.name)] : this.#moved(found, to);
    const last = [...replaced, ...this.#freedBy(found), ...this.#keptParent(from)];
    // A file takes another's place in one step.
    this.#batch(steps.length === 1 ? [[...steps.flat(), ...last]] : [...steps, last]);
  }

  /** Throws as `rename`. */
  copy(from: string, to: string): void {
    const { lookup } = this.#parts;
    const found = lookup.get(from);
    if (found.kind === "file") {
      if (from !== to) this.write(to, found.value);
      return;
    }
    const replaced = this.#checkTarget(found, to);
    const writes: MapWrite[] = [];
    for (const directory of below(found.directory)) {
      const path = moved(directory.path, from, to);
      const place = placeOf(path);
      if (directory.files.size === 0 && place !== undefined && this.#parts.tree.directory(path) === undefined) {
        writes.push(this.#directoryEntry(place.directory, place.name));
      }
      for (const info of lookup.list({ kind: "directory", path: directory.path, directory })) {
        const file = info.kind === "file" ? lookup.find(info.path.slice(1)) : undefined;
        if (file?.kind !== "file") continue;
        const key = this.#newKey(path, checkName(path, file.shown.name), "file", []);
        writes.push({ key, value: this.#value(file.value) });
      }
    }
    this.#batch([...alone(writes), replaced]);
  }

  #removeFile(found: FoundFile): void {
    const retired = found.shown.keys.map((key) => this.#retired(key));
    const freed = found.shown.isConflict ? [] : this.#freed(found.path);
    this.#retire([[...retired, ...freed, ...this.#keptParent(found.path)]]);
  }

  #movedFile({ shown }: FoundFile, directory: string, name: string): MapWrite[] {
    const { map } = this.#parts;
    const [first] = shown.keys;
    const key = this.#movedKey(first, directory, name);
    return [{ key, value: map.get(first) }, ...shown.keys.map(deleted)];
  }

  #freedBy(found: Found): MapWrite[] {
    return found.kind === "file" && found.shown.isConflict ? [] : this.#freed(found.path);
  }

  /** A step for each file and each directory. */
  #moved({ path, directory }: FoundDirectory, to: string): MapWrite[][] {
    const steps: MapWrite[][] = [];
    const { map, tree } = this.#parts;
    for (const at of below(directory)) {
      const target = moved(at.path, path, to);
      const place = placeOf(target);
      const needsEntry = at.own.size > 0 || (at.isEmpty && at.parent !== undefined);
      if (needsEntry && place !== undefined && tree.directory(target)?.own.size !== 1) {
        steps.push([this.#directoryEntry(place.directory, place.name)]);
      }
      for (const [name, keys] of at.files) {
        checkName(target, name);
        const step: MapWrite[] = [];
        for (const key of keys)
          step.push({ key: this.#movedKey(key, target, name), value: map.get(key) }, deleted(key));
        steps.push(step);
      }
    }
    for (const at of below(directory)) for (const key of at.own) steps.push([deleted(key)]);
    return steps;
  }

  /**
   * When the file or directory at a path goes, its conflict copies become files of their own, under the names that they
   * were shown with.
   */
  #freed(path: string): MapWrite[] {
    const { map, tree } = this.#parts;
    const place = placeOf(path);
    const parent = place && tree.directory(place.directory);
    if (place === undefined || parent === undefined) return [];
    return conflictsOf(place.name, parent, (key) => tree.value(key)).flatMap(({ name, keys }) => {
      const [first] = keys;
      // If that name would be too long, the copy becomes an earlier version instead.
      if (!isShortEnough(join(place.directory, name))) return keys.map((key) => this.#retired(key));
      const freed = this.#movedKey(first, place.directory, name);
      return [{ key: freed, value: map.get(first) }, ...keys.map(deleted)];
    });
  }

  /** What is replaced at the target of a rename or copy; throws if it may not be. */
  #checkTarget(found: Found, to: string): MapWrite[] {
    const { lookup } = this.#parts;
    if (found.kind === "directory" && isWithin(to, found.path)) throw insideItself(found.path, to);
    const target = lookup.find(to);
    if (target === undefined) lookup.checkParents(to);
    if (target?.kind === "file" && found.kind === "directory") {
      throw new StarfishError("not-a-directory", `${absolute(to)} is a file, and ${absolute(found.path)} a directory`);
    }
    if (target?.kind === "directory" && found.kind === "file") {
      throw new StarfishError("is-a-directory", `${absolute(to)} is a directory`);
    }
    if (target?.kind === "directory" && !target.directory.isEmpty) {
      throw new StarfishError("not-empty", `${absolute(to)} is there already, and not empty`);
    }
    return target?.kind === "file" ? target.shown.keys.map((key) => this.#retired(key)) : [];
  }

  /** A directory stays when its last file or directory goes, even if it had no entry of its own: then it gets one. */
  #keptParent(path: string): MapWrite[] {
    const place = placeOf(path);
    const parent = place && this.#parts.tree.directory(place.directory);
    const above = place && placeOf(place.directory);
    if (parent === undefined || above === undefined || parent.own.size > 0) return [];
    return parent.files.size + parent.children.size > 1 ? [] : [this.#directoryEntry(above.directory, above.name)];
  }

  #batch(steps: readonly (readonly MapWrite[])[]): void {
    for (const write of steps.flat()) if ("value" in write) this.#checkOwn(write.key, write.value);
    const progress = { steps: 0 };
    try {
      inBatches(this.#parts.map, steps, progress);
    } catch (error) {
      if (!isStarfishError(error, "full")) throw error;
      const changed = progress.steps === 0 ? "nothing" : "only a part";
      throw new StarfishError(
        "full",
        `the file tree is full, which every node holds in memory; ${changed} was changed. Remove files, or pack many small ones into one`,
        { cause: error },
      );
    }
  }

  /** Refuses to write what this node could not read itself: it would silently be lost. */
  #checkOwn(key: string, value: unknown): void {
    const parsed = parseTreeKey(key);
    const isReadable = parsed?.kind === "directory" || parseFileValue(value) !== undefined;
    if (parsed !== undefined && isReadable && isInTime(parsed.version, this.#parts.map.stamp())) return;
    throw new StarfishError(
      "malformed",
      `nobody could read what this would write (${JSON.stringify(key)}); nothing was changed`,
    );
  }

  /** The versions of these names that are not shown become earlier ones too, a bounded number at a time. */
  #retireOthers(paths: Iterable<string>): void {
    const keys = [...paths].flatMap((path) => this.#parts.tree.others(path));
    for (let at = 0; at < keys.length; at += RETIRED_AT_ONCE) {
      this.#retire(alone(keys.slice(at, at + RETIRED_AT_ONCE).map((key) => this.#retired(key))));
    }
  }

  /** Removes even if there is no room to keep earlier versions. */
  #retire(steps: readonly (readonly MapWrite[])[]): void {
    const { map } = this.#parts;
    const progress = { steps: 0 };
    try {
      inBatches(map, steps, progress);
    } catch (error) {
      if (!isStarfishError(error, "full")) throw error;
      const bare = (write: MapWrite): MapWrite =>
        "value" in write && write.expiresInMs !== undefined ? deleted(write.key) : write;
      inBatches(
        map,
        steps.map((step) => step.map(bare)),
        progress,
      );
    }
  }

  /** Makes an entry an earlier version, or deletes it if its content is the same as `cid`, which replaces it. */
  #retired(key: string, cid?: string): MapWrite {
    const value = this.#parts.tree.value(key);
    if (value === undefined || value.cid === cid) return deleted(key);
    return { key, value: { ...defined(value), past: true }, expiresInMs: VERSION_KEEP_MS };
  }

  #directoryEntry(directory: string, name: string): MapWrite {
    return { key: this.#newKey(directory, name, "directory", []), value: { by: this.#by() } };
  }

  #newKey(directory: string, name: string, kind: "file" | "directory", after: readonly string[]): string {
    const { map, self } = this.#parts;
    const stamp = Math.max(map.stamp(), ...after.map((key) => stampOf(versionOf(key)) + 1));
    return treeKey({ directory, name, kind, version: versionText(stamp, self) });
  }

  #movedKey(key: string, directory: string, name: string): string {
    const { map, self } = this.#parts;
    const version = movedVersion(versionOf(key), map.stamp(), self);
    return treeKey({ directory, name, kind: "file", version });
  }

  #value({ size, cid, inline, executable }: NewContent): Partial<FileValue> {
    return defined({ size, cid, by: this.#by(), inline, executable });
  }

  #by(): string {
    return this.#parts.name().slice(0, BY_CHARS_MAX).toWellFormed();
  }
}

/** A directory and all in it, each before what it holds. */
function* below(directory: Directory): Generator<Directory, void, undefined> {
  yield directory;
  for (const child of directory.children.values()) yield* below(child);
}

/** The names in it and below that have more versions than are shown. */
function* crowdedIn(directory: Directory): Generator<string, void, undefined> {
  for (const at of below(directory)) for (const name of at.others.keys()) yield join(at.path, name);
}

function isLiving(value: FileValue | undefined): boolean {
  return value !== undefined && value.past !== true;
}

/** Makes each write a step of its own. */
function alone(writes: readonly MapWrite[]): MapWrite[][] {
  return writes.map((write) => [write]);
}

function deleted(key: string): MapWrite {
  return { key, deleted: true };
}

function checkName(directory: string, name: string): string {
  checkLength(join(directory, name));
  return name;
}

function insideItself(from: string, to: string): StarfishError {
  return new StarfishError("unsupported", `${absolute(to)} is ${absolute(from)} or inside it`);
}

/** CBOR has an undefined of its own, which is no value here. */
function defined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Partial<T>;
}

/** Reads the tree: finds the entry at a path, and its details. Changes nothing. */
import { StarfishError } from "../../base/errors.ts";
import type { MapEntry, ReplicatedMap } from "../../memory/types.ts";
import { timeOf } from "../../memory/version.ts";
import type { ContentRef, FileInfo, FileVersion } from "../types.ts";
import { type Shown, shownAs, shownIn } from "./conflicts.ts";
import { absolute, join, parsePath, placeOf } from "./path.ts";
import type { Directory, Tree } from "./tree.ts";
import { isInTime, namePrefix, parseTreeKey, versionOf, writerOf, writtenAtMs } from "./tree-key.ts";
import { type FileValue, parseFileValue } from "./tree-value.ts";

export interface FoundDirectory {
  readonly kind: "directory";
  readonly path: string;
  readonly directory: Directory;
}

export interface FoundFile {
  readonly kind: "file";
  readonly path: string;
  /** Path of the directory that it is in. */
  readonly parent: string;
  readonly shown: Shown;
  readonly value: FileValue;
}

export type Found = FoundDirectory | FoundFile;

export class Lookup {
  readonly #map: ReplicatedMap;
  readonly #tree: Tree;
  readonly #isKept: (path: string, cid?: string) => boolean;
  readonly #valueOf: (key: string) => FileValue | undefined;

  constructor(map: ReplicatedMap, tree: Tree, isKept: (path: string, cid?: string) => boolean) {
    this.#map = map;
    this.#tree = tree;
    this.#isKept = isKept;
    this.#valueOf = (key) => tree.value(key);
  }

  /** The entry at a path, as `parsePath` gives it. */
  find(path: string): Found | undefined {
    const directory = this.#tree.directory(path);
    if (directory !== undefined) return { kind: "directory", path, directory };
    const place = placeOf(path);
    const parent = place && this.#tree.directory(place.directory);
    if (place === undefined || parent === undefined) return undefined;
    const shown = shownAs(place.name, parent, this.#valueOf);
    const value = shown && this.#valueOf(shown.keys[0]);
    return shown && value && { kind: "file", path, parent: place.directory, shown, value };
  }

  /** Throws "not-found", or "not-a-directory" if a file is in the way. */
  get(path: string): Found {
    const found = this.find(path);
    if (found !== undefined) return found;
    this.checkParents(path);
    throw new StarfishError("not-found", `there is no ${absolute(path)}`);
  }

  /** Throws "not-found", "is-a-directory", "not-a-directory". */
  file(path: string): FoundFile {
    const found = this.get(path);
    if (found.kind === "file") return found;
    throw new StarfishError("is-a-directory", `${absolute(path)} is a directory`);
  }

  /** Throws "not-a-directory" if some directory on the way to the path is a file. */
  checkParents(path: string): void {
    for (let place = placeOf(path); place !== undefined; place = placeOf(place.directory)) {
      const above = this.find(place.directory);
      if (above?.kind === "directory") return;
      if (above?.kind === "file") {
        throw new StarfishError("not-a-directory", `${absolute(above.path)} is a file, no directory`);
      }
    }
  }

  info(found: Found): FileInfo {
    if (found.kind === "file") return this.#fileInfo(found.path, found.shown, found.value);
    return {
      path: absolute(found.path),
      kind: "directory",
      sizeBytes: 0,
      content: undefined,
      modifiedAtMs: timeOf(this.#tree.latest(found.directory)),
      writer: 0,
      writerName: "",
      isExecutable: false,
      isConflict: false,
      isKeptHere: this.#isKept(found.path),
    };
  }

  /** The entries of a directory, by name. */
  list({ path, directory }: FoundDirectory): FileInfo[] {
    const infos: FileInfo[] = [];
    for (const child of directory.children.values()) {
      infos.push(this.info({ kind: "directory", path: join(path, child.name), directory: child }));
    }
    for (const shown of shownIn(directory, this.#valueOf)) {
      const value = this.#valueOf(shown.keys[0]);
      if (value !== undefined) infos.push(this.#fileInfo(join(path, shown.name), shown, value));
    }
    return infos.sort((x, y) => (x.path < y.path ? -1 : 1));
  }

  *walk(found: Found): Generator<FileInfo, void, undefined> {
    yield this.info(found);
    if (found.kind === "file") return;
    for (const info of this.list(found)) {
      if (info.kind === "file") {
        yield info;
        continue;
      }
      // It may have been removed while the caller looked at the entries before it.
      const child = this.find(parsePath(info.path));
      if (child !== undefined) yield* this.walk(child);
    }
  }

  /** The versions of a path that are still there, the latest first. */
  versions(path: string): FileVersion[] {
    const place = placeOf(path);
    if (place === undefined) return [];
    const found = this.find(path);
    const [current, ...same] = found?.kind === "file" ? found.shown.keys : [];
    const base = found?.kind === "file" ? found.shown.base : place.name;
    const versions: FileVersion[] = [];
    for (const entry of this.#map.entries(`${namePrefix(place.directory, base)}f`)) {
      // Two nodes that moved the same file here have made two entries of it.
      const version = same.includes(entry.key) ? undefined : this.#versionOf(entry, path, current);
      if (version !== undefined) versions.push(version);
    }
    return versions.reverse();
  }

  /** Everything that the tree refers to. */
  *references(): Generator<string, void, undefined> {
    for (const { key, value, version } of this.#map.entries()) {
      const parsed = parseTreeKey(key);
      if (parsed?.kind !== "file" || !isInTime(parsed.version, version.stamp)) continue;
      const file = parseFileValue(value);
      if (file !== undefined && file.inline === undefined) yield file.cid;
    }
  }

  #versionOf(entry: MapEntry, path: string, current: string | undefined): FileVersion | undefined {
    const { key, expiresAtMs } = entry;
    const value = parseFileValue(entry.value);
    const parsed = parseTreeKey(key);
    if (value === undefined || parsed === undefined || !isInTime(parsed.version, entry.version.stamp)) return undefined;
    return {
      ...this.#infoOf(path, versionOf(key), value),
      isConflict: value.past !== true && key !== current,
      version: versionOf(key),
      isCurrent: key === current,
      keptUntilMs: expiresAtMs,
    };
  }

  #fileInfo(path: string, shown: Shown, value: FileValue): FileInfo {
    return { ...this.#infoOf(path, versionOf(shown.keys[0]), value), isConflict: shown.isConflict };
  }

  #infoOf(path: string, version: string, value: FileValue): FileInfo {
    return {
      path: absolute(path),
      kind: "file",
      sizeBytes: value.size,
      content: refOf(value),
      modifiedAtMs: writtenAtMs(version),
      writer: writerOf(version),
      writerName: value.by,
      isExecutable: value.executable === true,
      isConflict: false,
      isKeptHere: value.inline !== undefined || this.#isKept(path, value.cid),
    };
  }
}

export function refOf({ cid, size }: FileValue): ContentRef {
  return { cid, sizeBytes: size };
}

/**
 * /mem: a file for each key of the shared memory. A directory is a prefix of keys up to a slash. It exists as long as a
 * key is in it; a directory that a session makes is seen by that session only, until something is in it.
 */
import { concat, utf8, type Bytes } from "../../../base/bytes.ts";
import { isStarfishError, StarfishError, throwIfAborted } from "../../../base/errors.ts";
import type { Computer } from "../../../computer.ts";
import type { MapEntry, MapWrite } from "../../../memory/types.ts";
import { timeOf } from "../../../memory/version.ts";
import { sleep } from "../../../ports/clock.ts";
import { isWithin, nameOf, parentOf } from "../paths.ts";
import type { ReadOptions, Tree, TreeEntry, TreeOptions, WriteOptions } from "../tree.ts";
import { changesOf } from "../watching.ts";
import { KEY_BYTES_MAX, KEYS_A_TURN, LISTED_MAX, MADE_MAX, VALUE_BYTES_MAX } from "./limits.ts";
import { escapePart, keyOfPath, OWN_VALUE, pathOfKey, prefixOfDirectory } from "./names.ts";
import { bytesOfValue, valueOfBytes } from "./text.ts";

export interface MemoryTreeParts extends Pick<Computer, "memory" | "clock"> {
  /** The name of a writer, if that member is known. */
  readonly nameOf: (writer: number) => string | undefined;
}

export class MemoryTree implements Tree {
  readonly makesDirectories = true;
  readonly #parts: MemoryTreeParts;
  /** Empty directories that this session has made. */
  readonly #made = new Set<string>();

  constructor(parts: MemoryTreeParts) {
    this.#parts = parts;
  }

  async stat(path: string): Promise<TreeEntry | undefined> {
    if (!isPossible(path)) return undefined;
    if (await Promise.resolve(this.#isDirectory(path))) {
      return { name: path === "/" ? "" : nameOf(path), kind: "directory" };
    }
    const entry = this.#entryAt(path);
    return entry && this.#fileOf(nameOf(path), entry);
  }

  async list(path: string, { signal }: TreeOptions = {}): Promise<readonly TreeEntry[]> {
    this.#checkDirectory(path);
    const { memory, clock } = this.#parts;
    const prefix = prefixOfDirectory(path);
    const found = new Map<string, TreeEntry>();
    const own = path === "/" ? undefined : memory.entry(prefix.slice(0, -1));
    if (own !== undefined) found.set(OWN_VALUE, this.#fileOf(OWN_VALUE, own));
    let seen = 0;
    for (const entry of memory.entries(prefix)) {
      if (++seen % KEYS_A_TURN === 0) await sleep(clock, 0, { signal });
      const slash = entry.key.indexOf("/", prefix.length);
      const name = escapePart(entry.key.slice(prefix.length, slash < 0 ? undefined : slash));
      if (slash >= 0) found.set(name, { name, kind: "directory" });
      else if (found.get(name)?.kind !== "directory") found.set(name, this.#fileOf(name, entry));
      if (found.size > LISTED_MAX) {
        throw new StarfishError(
          "too-large",
          `more than ${LISTED_MAX} keys begin with '${prefix}'; 'mem ls PREFIX' shows those that begin with more`,
        );
      }
    }
    for (const made of this.#made)
      if (parentOf(made) === path) found.set(nameOf(made), { name: nameOf(made), kind: "directory" });
    return [...found.values()];
  }

  async *read(
    path: string,
    { from = 0, to = Infinity, signal }: ReadOptions = {},
  ): AsyncGenerator<Uint8Array, void, undefined> {
    throwIfAborted(signal);
    const bytes = bytesOfValue(this.#get(path).value).subarray(from, to);
    if (bytes.length > 0) yield await Promise.resolve(bytes);
  }

  async write(path: string, source: AsyncIterable<Bytes>, { isAppend, signal }: WriteOptions = {}): Promise<void> {
    const { memory } = this.#parts;
    this.#checkWritable(path);
    const key = checkKey(keyOfPath(path));
    const before = isAppend === true ? memory.entry(key) : undefined;
    const added = await collect(source, VALUE_BYTES_MAX);
    await memory.ready({ signal });
    throwIfAborted(signal);
    this.#checkWritable(path);
    // The bytes are appended to what others have written meanwhile.
    const now = isAppend === true ? memory.entry(key) : undefined;
    const value = now === undefined ? added : concat([bytesOfValue(now.value), added]);
    const expiresAtMs = (now ?? before)?.expiresAtMs;
    const expiresInMs = expiresAtMs === undefined ? undefined : Math.max(1, expiresAtMs - memory.now());
    try {
      memory.set(key, valueOfBytes(value), { expiresInMs });
    } catch (error) {
      throw isStarfishError(error, "too-large") ? tooLarge() : error;
    }
    this.#forgetAbove(path);
  }

  async makeDirectory(path: string): Promise<void> {
    if (this.#isDirectory(path) || this.#entryAt(path) !== undefined)
      throw new StarfishError("exists", `${path} is there already`);
    this.#checkDirectory(parentOf(path));
    checkKey(keyOfPath(path));
    if (this.#made.size >= MADE_MAX)
      throw new StarfishError("full", `a session makes at most ${MADE_MAX} empty directories in /mem`);
    await Promise.resolve(this.#made.add(path));
  }

  async remove(
    path: string,
    { isRecursive = false, signal }: TreeOptions & { readonly isRecursive?: boolean } = {},
  ): Promise<void> {
    const { memory, clock } = this.#parts;
    if (path === "/") throw new StarfishError("unsupported", "/mem stays; remove what is in it");
    if (!this.#isDirectory(path)) {
      this.#get(path);
      memory.delete(keyOfPath(path));
      return;
    }
    const prefix = prefixOfDirectory(path);
    const own = prefix.slice(0, -1);
    const isEmpty = memory.count(prefix) === 0 && ![...this.#made].some((made) => parentOf(made) === path);
    if (!isEmpty && !isRecursive) throw new StarfishError("not-empty", `${path} is not empty`);
    let seen = 0;
    for (const { key } of memory.entries(prefix)) {
      if (++seen % KEYS_A_TURN === 0) await sleep(clock, 0, { signal });
      memory.delete(key);
    }
    if (isRecursive && memory.entry(own) !== undefined) memory.delete(own);
    for (const made of [...this.#made]) if (isWithin(made, path)) this.#made.delete(made);
  }

  /** One batch, also for a directory: everything moves, or nothing. */
  async rename(from: string, to: string): Promise<void> {
    const { memory } = this.#parts;
    if (from === "/" || to === "/") throw new StarfishError("unsupported", "/mem itself has no other name");
    const isDirectory = this.#isDirectory(from);
    if (!isDirectory) this.#get(from);
    if (from === to) return;
    if (isDirectory && isWithin(to, from)) throw new StarfishError("unsupported", `${to} is within ${from}`);
    this.#checkTarget(to, isDirectory);
    const source = keyOfPath(from);
    const target = checkKey(keyOfPath(to));
    const moved = isDirectory ? [...memory.entries(`${source}/`)] : [];
    const own = memory.entry(source);
    if (own !== undefined) moved.push(own);
    const writes = moved.flatMap((entry): MapWrite[] => [
      { key: checkKey(target + entry.key.slice(source.length)), value: entry.value, ...this.#life(entry) },
      { key: entry.key, deleted: true },
    ]);
    if (writes.length > 0) await Promise.resolve(memory.batch(writes));
    for (const made of [...this.#made]) {
      if (!isWithin(made, from)) continue;
      this.#made.delete(made);
      this.#made.add(to + made.slice(from.length));
    }
    this.#forgetAbove(to);
  }

  watch(path: string, { signal }: { readonly signal: AbortSignal }): AsyncIterable<string> {
    const { memory } = this.#parts;
    const key = path === "/" ? "" : keyOfPath(path);
    const isBelow = (changed: string): boolean => path === "/" || changed === key || changed.startsWith(`${key}/`);
    return changesOf(
      (listener) => memory.watch(key, ({ key: changed }) => isBelow(changed) && listener(pathOfKey(changed))),
      signal,
    );
  }

  #fileOf(name: string, { key, value, version }: MapEntry): TreeEntry {
    return {
      name,
      kind: "file",
      sizeBytes: bytesOfValue(value).length,
      modifiedAtMs: timeOf(version.stamp),
      owner: this.#parts.nameOf(version.writer),
      identity: `mem:${key}`,
    };
  }

  #isDirectory(path: string): boolean {
    if (path === "/" || this.#made.has(path)) return true;
    if (!isPossible(path) || nameOf(path) === OWN_VALUE) return false;
    return this.#parts.memory.entries(prefixOfDirectory(path)).next().done !== true;
  }

  /** The value at a path; undefined if the path is a directory's. */
  #entryAt(path: string): MapEntry | undefined {
    if (path === "/" || !isPossible(path)) return undefined;
    // It exists only in a directory.
    if (nameOf(path) === OWN_VALUE && !this.#isDirectory(parentOf(path))) return undefined;
    return this.#parts.memory.entry(keyOfPath(path));
  }

  #get(path: string): MapEntry {
    if (this.#isDirectory(path)) throw new StarfishError("is-a-directory", `${path} is a directory`);
    const entry = this.#entryAt(path);
    if (entry === undefined) throw new StarfishError("not-found", `there is no ${path}`);
    return entry;
  }

  #checkDirectory(path: string): void {
    if (this.#isDirectory(path)) return;
    if (this.#entryAt(path) !== undefined) throw new StarfishError("not-a-directory", `${path} is no directory`);
    throw new StarfishError("not-found", `there is no ${path}`);
  }

  /** A value can be where there is no directory; but no part of the path before it may be a value. */
  #checkWritable(path: string): void {
    if (this.#isDirectory(path)) throw new StarfishError("is-a-directory", `${path} is a directory`);
    if (nameOf(path) === OWN_VALUE && !this.#isDirectory(parentOf(path)))
      throw new StarfishError("not-found", `there is no ${parentOf(path)}`);
    for (let at = parentOf(path); at !== "/"; at = parentOf(at)) {
      if (this.#isDirectory(at)) return;
      if (this.#entryAt(at) !== undefined)
        throw new StarfishError("not-a-directory", `${at} is a value; 'mem set' can write below it`);
    }
  }

  #checkTarget(to: string, isDirectory: boolean): void {
    if (!this.#isDirectory(to)) {
      if (isDirectory && this.#entryAt(to) !== undefined) throw new StarfishError("not-a-directory", `${to} is a file`);
      this.#checkWritable(to);
      return;
    }
    if (!isDirectory) throw new StarfishError("is-a-directory", `${to} is a directory`);
    if (!this.#made.has(to) || this.#parts.memory.count(prefixOfDirectory(to)) > 0)
      throw new StarfishError("not-empty", `${to} is not empty`);
  }

  #life({ expiresAtMs }: MapEntry): { readonly expiresInMs?: number } {
    return expiresAtMs === undefined ? {} : { expiresInMs: Math.max(1, expiresAtMs - this.#parts.memory.now()) };
  }

  /** Forgets the directories above that are not empty any more. */
  #forgetAbove(path: string): void {
    for (let at = path; at !== "/"; at = parentOf(at)) this.#made.delete(at);
  }
}

function isPossible(path: string): boolean {
  return path.isWellFormed();
}

function checkKey(key: string): string {
  if (utf8(key).length <= KEY_BYTES_MAX) return key;
  throw new StarfishError("too-large", `a key of the shared memory has at most ${KEY_BYTES_MAX} bytes`);
}

function tooLarge(): StarfishError {
  return new StarfishError(
    "too-large",
    `a value of the shared memory has at most ${VALUE_BYTES_MAX / 1024} KiB; put what is larger in a file`,
  );
}

async function collect(source: AsyncIterable<Bytes>, bytesMax: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const bytes of source) {
    length += bytes.length;
    if (length > bytesMax) throw tooLarge();
    parts.push(Uint8Array.from(bytes));
  }
  return concat(parts);
}

/** /tmp: files of this session in memory, gone with it. For scripts, and for what should not be everybody's. */
import { concat, type Bytes } from "../../../base/bytes.ts";
import { StarfishError } from "../../../base/errors.ts";
import { Listeners } from "../../../base/events.ts";
import type { Clock } from "../../../ports/clock.ts";
import { isWithin, join, nameOf, parentOf } from "../paths.ts";
import type { ReadOptions, Tree, TreeEntry, WriteOptions } from "../tree.ts";
import { changesOf } from "../watching.ts";

/** Bytes of all files together. */
const BYTES_MAX: number = 256 * 1024 * 1024;
const ENTRIES_MAX = 100_000;

interface Node {
  readonly kind: "file" | "directory";
  readonly id: number;
  /** A file's pieces; appending adds one. */
  pieces: Uint8Array[];
  sizeBytes: number;
  modifiedAtMs: number;
  mode: number;
}

export class TemporaryTree implements Tree {
  readonly #clock: Clock;
  readonly #nodes = new Map<string, Node>();
  readonly #changed = new Listeners<string>();
  #bytes = 0;
  #ids = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#nodes.set("/", this.#node("directory", 0o755));
  }

  stat(path: string): Promise<TreeEntry | undefined> {
    const node = this.#nodes.get(path);
    return Promise.resolve(node && entryOf(path, node));
  }

  list(path: string): Promise<readonly TreeEntry[]> {
    this.#directory(path);
    const entries: TreeEntry[] = [];
    for (const [other, node] of this.#nodes)
      if (other !== "/" && parentOf(other) === path) entries.push(entryOf(other, node));
    return Promise.resolve(entries);
  }

  async *read(
    path: string,
    { from = 0, to = Infinity }: ReadOptions = {},
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const node = this.#file(path);
    let at = 0;
    for (const piece of [...node.pieces]) {
      const part = piece.subarray(Math.max(0, from - at), Math.max(0, to - at));
      at += piece.length;
      if (part.length > 0) yield await Promise.resolve(part);
    }
  }

  async write(path: string, source: AsyncIterable<Bytes>, { isAppend, mode }: WriteOptions = {}): Promise<void> {
    this.#directory(parentOf(path));
    if (this.#nodes.get(path)?.kind === "directory")
      throw new StarfishError("is-a-directory", `${path} is a directory`);
    const pieces: Uint8Array[] = [];
    let length = 0;
    for await (const bytes of source) {
      length += bytes.length;
      if (this.#bytes + length > BYTES_MAX) {
        throw new StarfishError(
          "full",
          `/tmp holds at most ${BYTES_MAX / 1024 / 1024} MiB; put larger files elsewhere`,
        );
      }
      pieces.push(Uint8Array.from(bytes));
    }
    const node = this.#nodes.get(path) ?? this.#make(path, "file", mode ?? 0o644);
    if (isAppend === true) node.pieces.push(...pieces);
    else {
      this.#bytes -= node.sizeBytes;
      node.sizeBytes = 0;
      node.pieces = pieces;
    }
    // Many small appends would make reading slow.
    if (node.pieces.length > 1024) node.pieces = [concat(node.pieces)];
    node.sizeBytes += length;
    this.#bytes += length;
    node.modifiedAtMs = this.#clock.now();
    this.#changed.emit(path);
  }

  makeDirectory(path: string): Promise<void> {
    if (this.#nodes.has(path)) throw new StarfishError("exists", `${path} is there already`);
    this.#directory(parentOf(path));
    this.#make(path, "directory", 0o755);
    this.#changed.emit(path);
    return Promise.resolve();
  }

  remove(path: string, { isRecursive }: { readonly isRecursive?: boolean } = {}): Promise<void> {
    this.#get(path);
    const below = [...this.#nodes.keys()].filter((other) => isWithin(other, path));
    if (below.length > 1 && isRecursive !== true) throw new StarfishError("not-empty", `${path} is not empty`);
    for (const other of below) this.#delete(other);
    this.#changed.emit(path);
    return Promise.resolve();
  }

  rename(from: string, to: string): Promise<void> {
    const node = this.#get(from);
    this.#directory(parentOf(to));
    if (from === to) return Promise.resolve();
    if (node.kind === "directory" && isWithin(to, from))
      throw new StarfishError("unsupported", `${to} is within ${from}`);
    const target = this.#nodes.get(to);
    if (target !== undefined) {
      if (target.kind === "directory" && node.kind === "file")
        throw new StarfishError("is-a-directory", `${to} is a directory`);
      if (target.kind === "file" && node.kind === "directory")
        throw new StarfishError("not-a-directory", `${to} is a file`);
      if ([...this.#nodes.keys()].some((other) => other !== to && isWithin(other, to)))
        throw new StarfishError("not-empty", `${to} is not empty`);
      this.#delete(to);
    }
    for (const [other, moved] of [...this.#nodes]) {
      if (!isWithin(other, from)) continue;
      this.#nodes.delete(other);
      this.#nodes.set(join(to, other.slice(from.length)), moved);
    }
    this.#changed.emit(from);
    this.#changed.emit(to);
    return Promise.resolve();
  }

  setMode(path: string, mode: number): Promise<void> {
    this.#get(path).mode = mode & 0o7777;
    this.#changed.emit(path);
    return Promise.resolve();
  }

  watch(path: string, { signal }: { readonly signal: AbortSignal }): AsyncIterable<string> {
    return changesOf(
      (listener) => this.#changed.add((changed) => isWithin(changed, path) && listener(changed)),
      signal,
    );
  }

  #node(kind: Node["kind"], mode: number): Node {
    return { kind, id: ++this.#ids, pieces: [], sizeBytes: 0, modifiedAtMs: this.#clock.now(), mode };
  }

  #make(path: string, kind: Node["kind"], mode: number): Node {
    if (this.#nodes.size >= ENTRIES_MAX) throw new StarfishError("full", `/tmp holds at most ${ENTRIES_MAX} files`);
    const node = this.#node(kind, mode);
    this.#nodes.set(path, node);
    return node;
  }

  #delete(path: string): void {
    this.#bytes -= this.#nodes.get(path)?.sizeBytes ?? 0;
    // The root of the tree stays.
    if (path !== "/") this.#nodes.delete(path);
  }

  #get(path: string): Node {
    const node = this.#nodes.get(path);
    if (node === undefined) throw new StarfishError("not-found", `there is no ${path}`);
    return node;
  }

  #file(path: string): Node {
    const node = this.#get(path);
    if (node.kind === "directory") throw new StarfishError("is-a-directory", `${path} is a directory`);
    return node;
  }

  #directory(path: string): void {
    const node = this.#get(path);
    if (node.kind !== "directory") throw new StarfishError("not-a-directory", `${path} is no directory`);
  }
}

function entryOf(path: string, { kind, id, sizeBytes, modifiedAtMs, mode }: Node): TreeEntry {
  return { name: nameOf(path), kind, sizeBytes, modifiedAtMs, mode, identity: `tmp:${id}` };
}

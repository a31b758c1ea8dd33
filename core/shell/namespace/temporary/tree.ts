/**
 * /tmp: files of this session in memory, which end with it. For scripts, and for files that not every member should
 * read.
 */
import { concat, type Bytes } from "../../../base/bytes.ts";
import { StarfishError } from "../../../base/errors.ts";
import { Listeners } from "../../../base/events.ts";
import type { Clock } from "../../../ports/clock.ts";
import { isWithin, join, nameOf, parentOf } from "../paths.ts";
import type { ReadOptions, Tree, TreeEntry, TreeLinks, WriteOptions } from "../tree.ts";
import { changesOf } from "../watching.ts";

/** Bytes of all files together. */
const BYTES_MAX: number = 256 * 1024 * 1024;
const ENTRIES_MAX = 100_000;
/** Symbolic links followed in one path, as in Linux. */
const LINKS_MAX = 40;

interface Node {
  readonly kind: "file" | "directory";
  readonly id: number;
  /** The number of paths that lead to it. */
  names: number;
  /** A file's pieces; an append adds one. */
  pieces: Uint8Array[];
  sizeBytes: number;
  modifiedAtMs: number;
  mode: number;
}

export class TemporaryTree implements Tree {
  readonly #clock: Clock;
  readonly #mount: string;
  readonly #nodes = new Map<string, Node>();
  readonly #changed = new Listeners<string>();
  /** The targets of symbolic links, by their paths. */
  readonly #links = new Map<string, { readonly target: string; readonly madeAtMs: number }>();
  #bytes = 0;
  #ids = 0;

  readonly links: TreeLinks = {
    read: (path) => this.#links.get(path),
    make: (path, target) => {
      if (this.#nodes.has(path) || this.#links.has(path)) throw new StarfishError("exists", `${path} is there already`);
      this.#directory(parentOf(path));
      if (this.#links.size >= ENTRIES_MAX) throw new StarfishError("full", `/tmp holds at most ${ENTRIES_MAX} links`);
      this.#links.set(path, { target, madeAtMs: this.#clock.now() });
      this.#changed.emit(path);
    },
    addName: (from, to) => {
      const link = this.#links.get(from);
      if (link !== undefined) return this.links.make(to, link.target);
      if (this.#nodes.has(to) || this.#links.has(to)) throw new StarfishError("exists", `${to} is there already`);
      this.#directory(parentOf(to));
      const node = this.#file(from);
      node.names++;
      this.#nodes.set(to, node);
      this.#changed.emit(to);
    },
  };

  /** `mount`: the path of this tree, by which links that begin with a slash find it. */
  constructor(clock: Clock, { mount = "/" }: { readonly mount?: string } = {}) {
    this.#clock = clock;
    this.#mount = mount;
    this.#nodes.set("/", this.#node("directory", 0o755));
  }

  async stat(path: string): Promise<TreeEntry | undefined> {
    const node = this.#nodes.get(this.#follow(path));
    return await Promise.resolve(node && entryOf(path, node));
  }

  async list(path: string): Promise<readonly TreeEntry[]> {
    const directory = this.#follow(path);
    this.#directory(directory);
    const entries: TreeEntry[] = [];
    for (const [other, node] of this.#nodes)
      if (other !== "/" && parentOf(other) === directory) entries.push(entryOf(other, node));
    for (const link of this.#links.keys()) {
      if (parentOf(link) !== directory) continue;
      const node = this.#nodes.get(this.#follow(link));
      // A link that leads nowhere is listed as a small file.
      entries.push(node === undefined ? { name: nameOf(link), kind: "file" } : entryOf(link, node));
    }
    return await Promise.resolve(entries);
  }

  /** Follows symbolic links in a path. A link that leads out of this tree or in a circle leads nowhere. */
  #follow(path: string): string {
    if (this.#links.size === 0) return path;
    const left = path.split("/").reverse();
    const at: string[] = [];
    for (let followed = 0; left.length > 0;) {
      const part = left.pop() ?? "";
      if (part === "" || part === ".") continue;
      if (part === "..") {
        at.pop();
        continue;
      }
      at.push(part);
      const target = this.#links.get(`/${at.join("/")}`)?.target;
      if (target === undefined) continue;
      const isAbsolute = target.startsWith("/");
      if (++followed > LINKS_MAX || (isAbsolute && !isWithin(target, this.#mount))) return path;
      if (isAbsolute) at.length = 0;
      else at.pop();
      const way = isAbsolute && this.#mount !== "/" ? target.slice(this.#mount.length) : target;
      left.push(...way.split("/").reverse());
    }
    return `/${at.join("/")}`;
  }

  async *read(
    path: string,
    { from = 0, to = Infinity }: ReadOptions = {},
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const node = this.#file(this.#follow(path));
    let at = 0;
    for (const piece of [...node.pieces]) {
      const part = piece.subarray(Math.max(0, from - at), Math.max(0, to - at));
      at += piece.length;
      if (part.length > 0) yield await Promise.resolve(part);
    }
  }

  async write(named: string, source: AsyncIterable<Bytes>, { isAppend, mode }: WriteOptions = {}): Promise<void> {
    const path = this.#follow(named);
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

  async makeDirectory(path: string): Promise<void> {
    if (this.#nodes.has(path) || this.#links.has(path)) throw new StarfishError("exists", `${path} is there already`);
    this.#directory(parentOf(path));
    this.#make(path, "directory", 0o755);
    this.#changed.emit(path);
    await Promise.resolve();
  }

  async remove(path: string, { isRecursive }: { readonly isRecursive?: boolean } = {}): Promise<void> {
    if (this.#links.delete(path)) {
      this.#changed.emit(path);
      return;
    }
    this.#get(path);
    for (const link of this.#links.keys()) {
      if (!isWithin(link, path)) continue;
      if (isRecursive !== true) throw new StarfishError("not-empty", `${path} is not empty`);
      this.#links.delete(link);
    }
    const below = [...this.#nodes.keys()].filter((other) => isWithin(other, path));
    if (below.length > 1 && isRecursive !== true) throw new StarfishError("not-empty", `${path} is not empty`);
    for (const other of below) this.#delete(other);
    this.#changed.emit(path);
    await Promise.resolve();
  }

  async rename(from: string, to: string): Promise<void> {
    const link = this.#links.get(from);
    const node = link === undefined ? this.#get(from) : undefined;
    this.#directory(parentOf(to));
    if (from === to) return;
    this.#links.delete(to);
    if (link !== undefined || node === undefined) {
      if (this.#nodes.has(to)) this.#delete(to);
      this.#links.delete(from);
      if (link !== undefined) this.#links.set(to, link);
      this.#changed.emit(from);
      this.#changed.emit(to);
      return;
    }
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
    for (const [other, target] of [...this.#links]) {
      if (!isWithin(other, from)) continue;
      this.#links.delete(other);
      this.#links.set(join(to, other.slice(from.length)), target);
    }
    this.#changed.emit(from);
    this.#changed.emit(to);
    await Promise.resolve();
  }

  async setMode(path: string, mode: number): Promise<void> {
    this.#get(path).mode = mode & 0o7777;
    this.#changed.emit(path);
    await Promise.resolve();
  }

  watch(path: string, { signal }: { readonly signal: AbortSignal }): AsyncIterable<string> {
    return changesOf(
      (listener) => this.#changed.add((changed) => isWithin(changed, path) && listener(changed)),
      signal,
    );
  }

  #node(kind: Node["kind"], mode: number): Node {
    return { kind, id: ++this.#ids, names: 1, pieces: [], sizeBytes: 0, modifiedAtMs: this.#clock.now(), mode };
  }

  #make(path: string, kind: Node["kind"], mode: number): Node {
    if (this.#nodes.size >= ENTRIES_MAX) throw new StarfishError("full", `/tmp holds at most ${ENTRIES_MAX} files`);
    const node = this.#node(kind, mode);
    this.#nodes.set(path, node);
    return node;
  }

  #delete(path: string): void {
    // The root of the tree can't be removed.
    if (path === "/") return;
    const node = this.#nodes.get(path);
    if (node !== undefined && --node.names === 0) this.#bytes -= node.sizeBytes;
    this.#nodes.delete(path);
    this.#links.delete(path);
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

function entryOf(path: string, { kind, id, names, sizeBytes, modifiedAtMs, mode }: Node): TreeEntry {
  return { name: nameOf(path), kind, sizeBytes, modifiedAtMs, mode, identity: `tmp:${id}`, links: names };
}

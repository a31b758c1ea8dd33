/**
 * All trees of a session as one: `/` is one tree, and the others are mounted below it. Commands and the language reach
 * every file through this file, by absolute path, and know no single tree.
 */
import { StarfishError } from "../../base/errors.ts";
import type { Bytes } from "../../base/bytes.ts";
import type { OpenFile } from "../language/descriptor.ts";
import type { FileAccess, FileStatus, OpenMode } from "../language/world.ts";
import { FileWriter } from "./file-writer.ts";
import { join, parentOf } from "./paths.ts";
import type { ReadOptions, Tree, TreeEntry, TreeLinks, TreeOptions, WriteOptions } from "./tree.ts";

export interface Mount {
  /** "/" or a path of one part ("/mem"). */
  readonly path: string;
  readonly tree: Tree;
}

export class Namespace implements Tree, FileAccess {
  readonly #mounts: readonly Mount[];
  /** Files that this session is writing, so that its readers see what was written so far. */
  readonly #writers = new Map<string, Set<FileWriter>>();

  constructor(mounts: readonly Mount[]) {
    this.#mounts = [...mounts].sort((a, b) => b.path.length - a.path.length);
  }

  get mounts(): readonly Mount[] {
    return this.#mounts;
  }

  async stat(path: string, options: TreeOptions = {}): Promise<(TreeEntry & FileStatus) | undefined> {
    const entry = await this.entry(path, options);
    return entry && statusOf(entry);
  }

  /** The entry at a path, as its tree gives it. */
  async entry(path: string, options: TreeOptions = {}): Promise<TreeEntry | undefined> {
    await this.#settle(path);
    const place = this.#place(path);
    return await place.tree.stat(place.path, options);
  }

  /** The target of a symbolic link; undefined for everything else. */
  readLink(path: string): { readonly target: string; readonly madeAtMs: number } | undefined {
    const place = this.#place(path);
    return place.tree.links?.read(place.path);
  }

  makeLink(path: string, target: string): void {
    const place = this.#place(path);
    this.#linksOf(path).make(place.path, target);
  }

  addName(from: string, to: string): void {
    if (!this.isSameTree(from, to)) throw new StarfishError("unsupported", `${from} and ${to} are in two trees`);
    this.#linksOf(from).addName(this.#place(from).path, this.#place(to).path);
  }

  #linksOf(path: string): TreeLinks {
    const { links } = this.#place(path).tree;
    if (links === undefined) throw new StarfishError("unsupported", `${path}: this tree keeps no links`);
    return links;
  }

  /** The names of mounts are among those of the directory above. */
  async list(path: string, options: TreeOptions = {}): Promise<readonly (TreeEntry & { isDirectory: boolean })[]> {
    await this.#settle(path);
    const place = this.#place(path);
    const entries = new Map((await place.tree.list(place.path, options)).map((entry) => [entry.name, entry]));
    for (const mount of this.#mounts) {
      if (mount.path === "/" || parentOf(mount.path) !== path) continue;
      const name = mount.path.slice(mount.path.lastIndexOf("/") + 1);
      entries.set(name, { name, kind: "directory" });
    }
    return [...entries.values()].map((entry) => Object.assign({ isDirectory: entry.kind === "directory" }, entry));
  }

  async *read(path: string, options: ReadOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    await this.#settle(path);
    const place = this.#place(path);
    yield* place.tree.read(place.path, options);
  }

  async write(path: string, source: AsyncIterable<Bytes>, options: WriteOptions = {}): Promise<void> {
    await this.#settle(path);
    const place = this.#place(path);
    await place.tree.write(place.path, source, options);
  }

  async makeDirectory(path: string, options: TreeOptions = {}): Promise<void> {
    const place = this.#place(path);
    if (place.path === "/") throw new StarfishError("exists", `${path} is there already`);
    await place.tree.makeDirectory(place.path, options);
  }

  async remove(path: string, options: TreeOptions & { readonly isRecursive?: boolean } = {}): Promise<void> {
    const place = this.#place(path);
    this.#checkNoMount(path, "removed");
    await place.tree.remove(place.path, options);
  }

  async rename(from: string, to: string, options: TreeOptions = {}): Promise<void> {
    const [source, target] = [this.#place(from), this.#place(to)];
    this.#checkNoMount(from, "renamed");
    this.#checkNoMount(to, "replaced");
    if (source.tree !== target.tree) {
      throw new StarfishError("unsupported", `${from} and ${to} are in two trees: copy it, then remove it`);
    }
    await source.tree.rename(source.path, target.path, options);
  }

  async copy(from: string, to: string, options: TreeOptions = {}): Promise<void> {
    await this.#settle(from);
    await this.#settle(to);
    const [source, target] = [this.#place(from), this.#place(to)];
    if (source.tree === target.tree && source.tree.copy !== undefined)
      return await source.tree.copy(source.path, target.path, options);
    const entry = await source.tree.stat(source.path, options);
    if (entry?.kind === "directory") throw new StarfishError("is-a-directory", `${from} is a directory`);
    const mode = entry?.mode;
    await target.tree.write(target.path, source.tree.read(source.path, options), { ...options, mode });
  }

  async setMode(path: string, mode: number, options: TreeOptions = {}): Promise<void> {
    const place = this.#place(path);
    if (place.tree.setMode === undefined)
      throw new StarfishError("unsupported", `${path}: this tree keeps no permissions`);
    await place.tree.setMode(place.path, mode, options);
  }

  async *watch(path: string, options: { readonly signal: AbortSignal }): AsyncGenerator<string, void, undefined> {
    const place = this.#place(path);
    for await (const changed of place.tree.watch(place.path, options)) yield join(place.mount, changed);
  }

  /** Whether a directory can be copied in one step. */
  copiesDirectories(from: string, to: string): boolean {
    return this.isSameTree(from, to) && this.#place(from).tree.copy !== undefined;
  }

  /** Whether two paths are in one tree, so that a rename is enough. */
  isSameTree(a: string, b: string): boolean {
    return this.#place(a).tree === this.#place(b).tree;
  }

  async open(path: string, mode: OpenMode, { signal }: { signal: AbortSignal }): Promise<OpenFile> {
    const entry = await this.stat(path, { signal });
    if (entry?.kind === "directory") throw new StarfishError("is-a-directory", `${path} is a directory`);
    if (entry?.kind === "device") {
      const place = this.#place(path);
      const device = await place.tree.open?.(place.path, mode, { signal });
      if (device !== undefined) return { name: path, ...device };
    }
    if (mode === "create" && entry?.kind === "file") throw new StarfishError("exists", `${path} is there already`);
    if (mode === "read") {
      if (entry === undefined) throw new StarfishError("not-found", `there is no ${path}`);
      return this.#reader(path, signal);
    }
    return await this.#writer(path, mode, entry, signal);
  }

  #reader(path: string, signal: AbortSignal): OpenFile {
    const stop = new AbortController();
    const pieces = this.read(path, { signal: AbortSignal.any([signal, stop.signal]) })[Symbol.asyncIterator]();
    return {
      name: path,
      read: async () => {
        const { done, value } = await pieces.next();
        return done === true ? undefined : value;
      },
      close: async () => {
        stop.abort(new StarfishError("closed", "The file is closed"));
        await pieces.return?.(undefined).catch(() => {});
      },
    };
  }

  async #writer(path: string, mode: OpenMode, entry: TreeEntry | undefined, signal: AbortSignal): Promise<OpenFile> {
    const place = this.#place(path);
    if (entry === undefined) await this.#checkParent(path, signal);
    const writer = new FileWriter(place.tree, place.path, { isAppend: mode === "append" || mode === "read-write" });
    const open = this.#writers.get(path) ?? new Set();
    this.#writers.set(path, open.add(writer));
    // `>` creates the file at once, as everybody expects.
    if (entry === undefined || (mode !== "append" && mode !== "read-write" && entry.kind === "file"))
      await writer.begin();
    const file: OpenFile = {
      name: path,
      write: (bytes) => writer.write(bytes),
      close: async () => {
        open.delete(writer);
        if (open.size === 0) this.#writers.delete(path);
        await writer.close();
      },
    };
    if (mode !== "read-write") return file;
    const reader = this.#reader(path, signal);
    return { ...file, read: () => reader.read?.() ?? Promise.resolve(undefined) };
  }

  async #checkParent(path: string, signal: AbortSignal): Promise<void> {
    if (this.#place(path).tree.makesDirectories === true) return;
    const parent = await this.stat(parentOf(path), { signal });
    if (parent === undefined) throw new StarfishError("not-found", `there is no directory ${parentOf(path)}`);
    if (parent.kind !== "directory") throw new StarfishError("not-a-directory", `${parentOf(path)} is no directory`);
  }

  /** Waits until everything that this session has written to the path, or below it, is there. */
  async #settle(path: string): Promise<void> {
    if (this.#writers.size === 0) return;
    for (const [open, writers] of this.#writers) {
      if (open !== path && parentOf(open) !== path) continue;
      for (const writer of writers) await writer.flush();
    }
  }

  #checkNoMount(path: string, what: string): void {
    if (this.#mounts.some((mount) => mount.path === path)) {
      throw new StarfishError("unsupported", `${path} is part of the computer and can't be ${what}`);
    }
  }

  #place(path: string): { tree: Tree; path: string; mount: string } {
    for (const { path: mount, tree } of this.#mounts) {
      if (mount === "/" || path === mount || path.startsWith(`${mount}/`)) {
        return { tree, mount, path: mount === "/" ? path : path.slice(mount.length) || "/" };
      }
    }
    throw new StarfishError("not-found", `there is no ${path}`);
  }
}

function statusOf(entry: TreeEntry): TreeEntry & FileStatus {
  const mode = entry.mode ?? (entry.kind === "directory" ? 0o755 : 0o644);
  return {
    ...entry,
    sizeBytes: entry.sizeBytes ?? 0,
    isExecutable: (mode & 0o111) !== 0,
    isReadable: (mode & 0o444) !== 0,
    isWritable: (mode & 0o222) !== 0,
  };
}

/**
 * `/`: the distributed files. Conflict copies are ordinary files, under the names that all nodes show. Only one
 * permission is kept: that a file may be run. Every member can read and write everything, and modes that say otherwise
 * are refused.
 */
import type { Bytes } from "../../../base/bytes.ts";
import { isStarfishError, StarfishError } from "../../../base/errors.ts";
import type { FileInfo, Files } from "../../../disk/types.ts";
import { nameOf, parentOf } from "../paths.ts";
import type { ReadOptions, Tree, TreeEntry, TreeOptions, WriteOptions } from "../tree.ts";
import { changesOf } from "../watching.ts";

export class FilesTree implements Tree {
  readonly #files: Files;
  /** The name of the writer of a version, if that member is known. */
  readonly #nameOf: (writer: number) => string | undefined;

  constructor(files: Files, nameOf: (writer: number) => string | undefined = () => undefined) {
    this.#files = files;
    this.#nameOf = nameOf;
  }

  async stat(path: string): Promise<TreeEntry | undefined> {
    const info = this.#find(path);
    return await Promise.resolve(info && this.#entry(info));
  }

  async list(path: string): Promise<readonly TreeEntry[]> {
    this.#get(path);
    return await Promise.resolve(this.#files.list(path).map((info) => this.#entry(info)));
  }

  read(path: string, options: ReadOptions = {}): AsyncIterable<Uint8Array> {
    const { from, to, signal } = options;
    return this.#files.read(path, {
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      signal,
    });
  }

  async write(path: string, source: AsyncIterable<Bytes>, options: WriteOptions = {}): Promise<void> {
    const { isAppend, signal, mode = 0 } = options;
    this.#checkDirectory(parentOf(path));
    const all = { signal, ...(canRun(mode) ? { isExecutable: true as const } : {}) };
    await (isAppend === true ? this.#files.append(path, source, all) : this.#files.write(path, source, all));
  }

  async makeDirectory(path: string): Promise<void> {
    if (this.#find(path) !== undefined) throw new StarfishError("exists", `${path} is there already`);
    this.#checkDirectory(parentOf(path));
    this.#files.makeDirectory(path);
    await Promise.resolve();
  }

  async remove(
    path: string,
    { isRecursive = false }: TreeOptions & { readonly isRecursive?: boolean } = {},
  ): Promise<void> {
    this.#files.remove(path, { recursive: isRecursive });
    await Promise.resolve();
  }

  async rename(from: string, to: string): Promise<void> {
    this.#checkDirectory(parentOf(to));
    this.#get(from);
    // An existing file, or an empty directory, is replaced in the same step.
    if (from !== to) this.#files.rename(from, to);
    await Promise.resolve();
  }

  async copy(from: string, to: string): Promise<void> {
    this.#checkDirectory(parentOf(to));
    if (from !== to) this.#files.copy(from, to);
    await Promise.resolve();
  }

  async setMode(path: string, mode: number): Promise<void> {
    const { kind } = this.#get(path);
    if ((mode & 0o444) !== 0o444 || (mode & 0o200) === 0 || (kind === "directory" && (mode & 0o111) !== 0o111)) {
      throw new StarfishError(
        "unsupported",
        "every member of the swarm reads and writes all files; of the permissions only x is kept",
      );
    }
    if (kind === "file") this.#files.setExecutable(path, canRun(mode));
    await Promise.resolve();
  }

  watch(path: string, { signal }: { readonly signal: AbortSignal }): AsyncIterable<string> {
    return changesOf((listener) => this.#files.watch(path, listener), signal);
  }

  #checkDirectory(path: string): void {
    const info = this.#find(path);
    if (info === undefined) throw new StarfishError("not-found", `there is no directory ${path}`);
    if (info.kind !== "directory") throw new StarfishError("not-a-directory", `${path} is no directory`);
  }

  #get(path: string): FileInfo {
    const info = this.#find(path);
    if (info === undefined) throw new StarfishError("not-found", `there is no ${path}`);
    return info;
  }

  /** Undefined if it can't be the path of a file. */
  #find(path: string): FileInfo | undefined {
    try {
      return this.#files.stat(path);
    } catch (error) {
      if (isStarfishError(error, "malformed") || isStarfishError(error, "too-large")) return undefined;
      throw error;
    }
  }

  #entry({ path, kind, sizeBytes, modifiedAtMs, content, writer, writerName, isExecutable }: FileInfo): TreeEntry {
    return {
      name: nameOf(path),
      kind,
      sizeBytes,
      modifiedAtMs,
      identity: content?.cid,
      ...(kind === "file"
        ? { owner: this.#nameOf(writer) ?? writerName, mode: isExecutable ? 0o755 : 0o644 }
        : { mode: 0o755 }),
    };
  }
}

function canRun(mode: number): boolean {
  return (mode & 0o111) !== 0;
}

/** `/`: the distributed files. */
import type { Bytes } from "../../../base/bytes.ts";
import { StarfishError } from "../../../base/errors.ts";
import type { FileInfo, Files } from "../../../disk/types.ts";
import { nameOf, parentOf } from "../paths.ts";
import type { ReadOptions, Tree, TreeEntry, TreeOptions, WriteOptions } from "../tree.ts";
import { changesOf } from "../watching.ts";

export class FilesTree implements Tree {
  readonly #files: Files;
  /** Name of who wrote a version, where that member is known. */
  readonly #nameOf: (writer: number) => string | undefined;

  constructor(files: Files, nameOf: (writer: number) => string | undefined = () => undefined) {
    this.#files = files;
    this.#nameOf = nameOf;
  }

  async stat(path: string): Promise<TreeEntry | undefined> {
    const info = this.#files.stat(path);
    return await Promise.resolve(info && this.#entry(info));
  }

  async list(path: string): Promise<readonly TreeEntry[]> {
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

  async write(path: string, source: AsyncIterable<Bytes>, { isAppend, signal }: WriteOptions = {}): Promise<void> {
    this.#checkDirectory(parentOf(path));
    const written =
      isAppend === true ? this.#files.append(path, source, { signal }) : this.#files.write(path, source, { signal });
    await written;
  }

  async makeDirectory(path: string): Promise<void> {
    if (this.#files.stat(path) !== undefined) throw new StarfishError("exists", `${path} is there already`);
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
    const target = this.#files.stat(to);
    const source = this.#files.stat(from);
    if (from === to) return;
    if (target?.kind === "directory" && source?.kind === "file")
      throw new StarfishError("is-a-directory", `${to} is a directory`);
    if (target?.kind === "file" && source?.kind === "directory")
      throw new StarfishError("not-a-directory", `${to} is a file`);
    // A file that is there gives way; so does an empty directory.
    if (target !== undefined && source !== undefined) this.#files.remove(to);
    this.#files.rename(from, to);
    await Promise.resolve();
  }

  async copy(from: string, to: string): Promise<void> {
    this.#checkDirectory(parentOf(to));
    if (from !== to) this.#files.copy(from, to);
    await Promise.resolve();
  }

  watch(path: string, { signal }: { readonly signal: AbortSignal }): AsyncIterable<string> {
    return changesOf((listener) => this.#files.watch(path, listener), signal);
  }

  #checkDirectory(path: string): void {
    const info = this.#files.stat(path);
    if (info === undefined) throw new StarfishError("not-found", `there is no directory ${path}`);
    if (info.kind !== "directory") throw new StarfishError("not-a-directory", `${path} is no directory`);
  }

  #entry({ path, kind, sizeBytes, modifiedAtMs, content, writer }: FileInfo): TreeEntry {
    return {
      name: nameOf(path),
      kind,
      sizeBytes,
      modifiedAtMs,
      identity: content?.cid,
      ...(kind === "file" ? { owner: this.#nameOf(writer) } : {}),
    };
  }
}

/** A tree whose code is loaded when it is first used. */
import type { Bytes } from "../../base/bytes.ts";
import type { ReadOptions, Tree, TreeEntry, TreeOptions, WriteOptions } from "./tree.ts";

/** For trees without links, devices and permissions. */
export class LazyTree implements Tree {
  readonly #load: () => Promise<Tree>;
  #tree: Promise<Tree> | undefined;

  constructor(load: () => Promise<Tree>) {
    this.#load = load;
  }

  /** If loading fails, it is tried again. */
  #get(): Promise<Tree> {
    this.#tree ??= this.#load().catch((error: unknown) => {
      this.#tree = undefined;
      throw error;
    });
    return this.#tree;
  }

  async stat(path: string, options?: TreeOptions): Promise<TreeEntry | undefined> {
    return await (await this.#get()).stat(path, options);
  }

  async list(path: string, options?: TreeOptions): Promise<readonly TreeEntry[]> {
    return await (await this.#get()).list(path, options);
  }

  async *read(path: string, options?: ReadOptions): AsyncGenerator<Uint8Array, void, undefined> {
    yield* (await this.#get()).read(path, options);
  }

  async write(path: string, source: AsyncIterable<Bytes>, options?: WriteOptions): Promise<void> {
    await (await this.#get()).write(path, source, options);
  }

  async makeDirectory(path: string, options?: TreeOptions): Promise<void> {
    await (await this.#get()).makeDirectory(path, options);
  }

  async remove(path: string, options?: TreeOptions & { readonly isRecursive?: boolean }): Promise<void> {
    await (await this.#get()).remove(path, options);
  }

  async rename(from: string, to: string, options?: TreeOptions): Promise<void> {
    await (await this.#get()).rename(from, to, options);
  }

  async *watch(path: string, options: { readonly signal: AbortSignal }): AsyncGenerator<string, void, undefined> {
    yield* (await this.#get()).watch(path, options);
  }
}

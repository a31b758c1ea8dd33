/**
 * The files of a node: the tree in its replicated map, and the contents that it names. See types.ts for what they
 * promise.
 */
import { StarfishError, throwIfAborted } from "../../base/errors.ts";
import type { Unsubscribe } from "../../base/events.ts";
import type { ReplicatedMap } from "../../memory/types.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Crypto } from "../../ports/crypto.ts";
import type { Log } from "../../ports/log.ts";
import type { Store } from "../../ports/store.ts";
import { Acknowledged } from "../acknowledged.ts";
import type { Contents, ContentRef, ContentStat, FileInfo, Files, FileVersion, WriteOptions } from "../types.ts";
import { Changes, type NewContent } from "./changes.ts";
import { KeptPaths } from "./kept-paths.ts";
import { Lookup, refOf } from "./lookup.ts";
import { absolute, isWithin, join, parsePath, placeOf } from "./path.ts";
import { takeIn } from "./take-in.ts";
import { Tree } from "./tree.ts";
import { isVersion, treeKey } from "./tree-key.ts";
import { trimVersions } from "./trim-versions.ts";

export interface FilesParts {
  /** The map `tree`, kept, with TREE_BYTES_MAX. */
  readonly map: ReplicatedMap;
  readonly contents: Contents;
  readonly store: Store;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly log: Log;
  /** This node as a writer: first 48 bits of the hash of its PeerId. */
  readonly self: number;
  /** This node's name now. */
  readonly name: () => string;
  /** The number of devices that are awake, including this one. Each holds the tree, and the small contents in it. */
  readonly devices: () => number;
  /** The number of machines on which they are. */
  readonly machines: () => number;
  /**
   * Bytes that contents of earlier versions may take in the swarm. Default: this node's part of a share of what is
   * offered.
   */
  readonly versionBytesMax?: () => number;
}

interface Written {
  readonly info: FileInfo;
  readonly safe: Promise<void>;
}

/** Rejects with "io" if the stored data of this node can't be read. */
export async function createFiles(parts: FilesParts): Promise<NodeFiles> {
  const files = new NodeFiles(parts);
  await files.load();
  return files;
}

export class NodeFiles implements Files {
  readonly #parts: FilesParts;
  readonly #tree: Tree;
  readonly #lookup: Lookup;
  readonly #changes: Changes;
  readonly #kept: KeptPaths;
  readonly #acknowledged: Acknowledged;
  readonly #ended = new AbortController();
  readonly #stops: Unsubscribe[];
  /** Appends to one path take turns. */
  readonly #appending = new Map<string, Promise<unknown>>();

  constructor(parts: FilesParts) {
    const { map, contents } = parts;
    this.#parts = parts;
    this.#tree = new Tree(map, parts.log);
    this.#kept = new KeptPaths({ ...parts, contentsUnder: (path) => this.#contentsUnder(path) });
    this.#lookup = new Lookup(map, this.#tree, (path, cid) => this.#kept.has(path, cid));
    this.#changes = new Changes({ ...parts, tree: this.#tree, lookup: this.#lookup });
    this.#acknowledged = new Acknowledged(map, this.#ended.signal);
    this.#stops = [
      contents.addReferences(() => this.#lookup.references()),
      this.#tree.onChange(({ directory, name }) => {
        if (!this.#kept.isNone && this.#kept.has(join(directory, name))) this.#kept.changed();
      }),
    ];
  }

  load(): Promise<void> {
    return this.#kept.load();
  }

  async close(): Promise<void> {
    for (const stop of this.#stops) stop();
    this.#ended.abort(new StarfishError("closed", "The files are closed"));
    this.#tree.close();
    await this.#kept.close();
  }

  get setAside(): number {
    return this.#tree.setAside;
  }

  /** CIDs that the tree and its earlier versions refer to. */
  references(): Iterable<string> {
    return this.#lookup.references();
  }

  stat(path: string): FileInfo | undefined {
    const found = this.#lookup.find(parsePath(path));
    return found && this.#lookup.info(found);
  }

  list(path: string): FileInfo[] {
    const found = this.#lookup.get(parsePath(path));
    if (found.kind === "directory") return this.#lookup.list(found);
    throw new StarfishError("not-a-directory", `${absolute(found.path)} is a file, no directory`);
  }

  walk(path: string): IterableIterator<FileInfo> {
    return this.#lookup.walk(this.#lookup.get(parsePath(path)));
  }

  async *read(
    path: string,
    options: { readonly from?: number; readonly to?: number; readonly signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<Uint8Array, void, undefined> {
    throwIfAborted(options.signal);
    const { value } = this.#lookup.file(parsePath(path));
    if (value.inline === undefined) {
      yield* this.#parts.contents.read(refOf(value), options);
      return;
    }
    const bytes = value.inline.slice(options.from ?? 0, options.to ?? value.size);
    if (bytes.length > 0) yield bytes;
  }

  async write(path: string, source: AsyncIterable<Uint8Array>, options: WriteOptions = {}): Promise<Written> {
    const target = parsePath(path);
    this.#checkWritable(target);
    await this.#parts.map.ready(options);
    const { content, safe } = await takeIn(source, this.#parts, options);
    // Taking in may have taken long. If nothing can be stored any more, the write is refused before others can read it.
    await this.#parts.map.ready(options);
    throwIfAborted(options.signal);
    this.#changes.write(target, withMode(content, options));
    return this.#written(target, content, safe, options);
  }

  append(path: string, source: AsyncIterable<Uint8Array>, options: WriteOptions = {}): Promise<Written> {
    const target = parsePath(path);
    const before = this.#appending.get(target) ?? Promise.resolve();
    const appended = before.then(() => this.#append(target, source, options));
    const settled = appended
      .catch(() => {})
      .finally(() => {
        if (this.#appending.get(target) === settled) this.#appending.delete(target);
      });
    this.#appending.set(target, settled);
    return appended;
  }

  copy(from: string, to: string): FileInfo {
    const target = parsePath(to);
    this.#changes.copy(parsePath(from), target);
    return this.#infoOf(target);
  }

  setExecutable(path: string, isExecutable: boolean): void {
    this.#changes.setExecutable(parsePath(path), isExecutable);
  }

  makeDirectory(path: string, options: { readonly parents?: boolean } = {}): void {
    this.#changes.makeDirectory(parsePath(path), options);
  }

  remove(path: string, options: { readonly recursive?: boolean } = {}): void {
    this.#changes.remove(parsePath(path), options);
    trimVersions(this.#tree, this.#parts);
  }

  rename(from: string, to: string): void {
    this.#changes.rename(parsePath(from), parsePath(to));
    trimVersions(this.#tree, this.#parts);
  }

  versions(path: string): FileVersion[] {
    return this.#lookup.versions(parsePath(path));
  }

  restore(path: string, version?: string): FileInfo {
    const target = parsePath(path);
    const versions = this.#lookup.versions(target);
    const wanted =
      version === undefined
        ? versions.find(({ keptUntilMs }) => keptUntilMs !== undefined)
        : versions.find((one) => one.version === version);
    const place = placeOf(target);
    const key =
      wanted && place && isVersion(wanted.version) && treeKey({ ...place, kind: "file", version: wanted.version });
    const value = key === undefined || key === false ? undefined : this.#tree.value(key);
    if (value === undefined) {
      const which = version === undefined ? "earlier version" : `version ${version}`;
      throw new StarfishError("not-found", `there is no ${which} of ${absolute(target)}`);
    }
    this.#changes.write(target, value);
    trimVersions(this.#tree, this.#parts);
    return this.#infoOf(target);
  }

  async keep(path: string, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    const target = parsePath(path);
    this.#lookup.get(target);
    await this.#kept.keep(target, signal);
  }

  release(path: string): Promise<void> {
    return this.#kept.release(parsePath(path));
  }

  async statContent(path: string, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<ContentStat> {
    const { value } = this.#lookup.file(parsePath(path));
    if (value.inline === undefined) return await this.#parts.contents.stat(refOf(value), options);
    const devices = this.#parts.devices();
    const machines = this.#parts.machines();
    return {
      ...refOf(value),
      safety: devices > 1 ? "safe" : "here",
      code: undefined,
      stripes: 0,
      survivesAny: devices - 1,
      devices,
      machines,
      survivesAnyMachines: machines - 1,
      lossChance: 0,
      holders: [],
      shardHolders: [],
    };
  }

  watch(path: string, listener: (path: string) => void): Unsubscribe {
    const target = parsePath(path);
    return this.#tree.onChange(({ directory, name }) => {
      const changed = join(directory, name);
      if (isWithin(changed, target)) listener(absolute(changed));
    });
  }

  async #append(target: string, source: AsyncIterable<Uint8Array>, options: WriteOptions): Promise<Written> {
    this.#checkWritable(target);
    await this.#parts.map.ready(options);
    const found = this.#lookup.find(target);
    const before = found?.kind === "file" ? found : undefined;
    const { signal } = options;
    const whole = before === undefined ? source : joined(this.read(absolute(target), { signal }), source);
    const { content, safe } = await takeIn(whole, this.#parts, options);
    await this.#parts.map.ready(options);
    throwIfAborted(signal);
    // A version that somebody else wrote meanwhile was not seen here, so it stays as a conflict copy.
    this.#changes.write(target, withMode(content, options), before?.shown.keys ?? []);
    return this.#written(target, content, safe, options);
  }

  /** Checked before anything is taken in, because taking in may take long. */
  #checkWritable(target: string): void {
    const found = this.#lookup.find(target);
    if (found?.kind === "directory") throw new StarfishError("is-a-directory", `${absolute(target)} is a directory`);
    this.#lookup.checkParents(target);
  }

  #written(target: string, { size, inline }: NewContent, safe: Promise<void>, { onProgress }: WriteOptions): Written {
    trimVersions(this.#tree, this.#parts);
    if (inline !== undefined) onProgress?.({ takenBytes: size, safeBytes: 0 });
    const all = Promise.all([safe, this.#acknowledged.wait()]).then(() => {
      if (inline !== undefined) onProgress?.({ takenBytes: size, safeBytes: size });
    });
    // Callers that do not wait for it are not told of errors.
    all.catch(() => {});
    return { info: this.#infoOf(target), safe: all };
  }

  *#contentsUnder(path: string): Generator<ContentRef, void, undefined> {
    const found = this.#lookup.find(path);
    if (found === undefined) return;
    for (const info of this.#lookup.walk(found)) {
      const file = info.kind === "file" ? this.#lookup.find(parsePath(info.path)) : undefined;
      if (file?.kind === "file" && file.value.inline === undefined) yield refOf(file.value);
    }
  }

  #infoOf(target: string): FileInfo {
    return this.#lookup.info(this.#lookup.get(target));
  }
}

function withMode(content: NewContent, { isExecutable }: WriteOptions): NewContent {
  return isExecutable === true ? { ...content, executable: true } : content;
}

async function* joined(...sources: readonly AsyncIterable<Uint8Array>[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const source of sources) yield* source;
}

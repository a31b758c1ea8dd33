/**
 * The files that programs of a session have open, by path. All programs see one state, also after renames and removals.
 */
import type { Clock } from "../ports/clock.ts";
import { Budget } from "./budget.ts";
import { FileNode } from "./file-node.ts";
import { SCRATCH_BYTES_MAX } from "./limits.ts";
import type { Filestat, Filetype, Times } from "./messages.ts";
import type { FileEntry, FileTree } from "./types.ts";

export interface OpenDirectoryNode {
  /** Undefined once the file is removed. */
  path: string | undefined;
}

export class OpenFiles {
  readonly tree: FileTree;
  readonly clock: Clock;
  readonly #nodes = new Map<string, FileNode>();
  readonly #directories = new Set<OpenDirectoryNode>();
  readonly #budget = new Budget(SCRATCH_BYTES_MAX);
  /** Times that programs have set; trees keep only the time of the last change. */
  readonly #times = new Map<string, Times>();

  constructor(tree: FileTree, clock: Clock) {
    this.tree = tree;
    this.clock = clock;
  }

  /** Opens a file, and counts one more user of it. */
  async open(path: string, entry: FileEntry): Promise<FileNode> {
    let node = this.#nodes.get(path);
    if (node === undefined) {
      node = new FileNode(this.tree, this.#budget, {
        path,
        sizeBytes: entry.sizeBytes ?? 0,
        modifiedAtMs: entry.modifiedAtMs ?? this.clock.now(),
        inode: inodeOf(path, entry),
      });
      this.#nodes.set(path, node);
      node.references++;
      if (entry.sizeBytes === undefined) await node.measure();
      return node;
    }
    node.references++;
    return node;
  }

  async release(node: FileNode): Promise<void> {
    if (--node.references > 0) return await node.inTurn(() => node.commit());
    if (node.path !== undefined && this.#nodes.get(node.path) === node) this.#nodes.delete(node.path);
    await node.inTurn(() => node.close());
  }

  addDirectory(path: string): OpenDirectoryNode {
    const directory = { path };
    this.#directories.add(directory);
    return directory;
  }

  removeDirectory(directory: OpenDirectoryNode): void {
    this.#directories.delete(directory);
  }

  stat(path: string, entry: FileEntry): Filestat {
    const node = this.#nodes.get(path);
    const modifiedAtNs = nanoseconds(node?.modifiedAtMs ?? entry.modifiedAtMs ?? 0);
    return {
      type: typeOf(entry.kind),
      sizeBytes: node?.sizeBytes ?? entry.sizeBytes ?? 0,
      modifiedAtNs,
      accessedAtNs: modifiedAtNs,
      inode: node?.inode ?? inodeOf(path, entry),
      links: entry.links ?? 1,
      ...this.#times.get(path),
    };
  }

  /** For this session only: trees don't keep these times. */
  setTimes(path: string, times: Times): void {
    if (this.#times.size > 10_000) this.#times.clear();
    this.#times.set(path, { ...this.#times.get(path), ...times });
  }

  timesOf(path: string | undefined): Times {
    return (path === undefined ? undefined : this.#times.get(path)) ?? {};
  }

  forgetTimes(path: string): void {
    this.#times.delete(path);
  }

  async unlink(path: string): Promise<void> {
    const node = this.#nodes.get(path);
    await node?.inTurn(() => node.unlink());
    await this.tree.remove(path);
    this.#times.delete(path);
    if (node !== undefined) this.#nodes.delete(path);
  }

  async removeFolder(path: string): Promise<void> {
    await this.tree.remove(path);
    for (const directory of this.#directories) if (directory.path === path) directory.path = undefined;
  }

  async rename(from: string, to: string): Promise<void> {
    if (from === to) return;
    for (const [path, node] of this.#nodes) if (isWithin(path, from)) await node.inTurn(() => node.commit());
    const replaced = this.#nodes.get(to);
    await replaced?.inTurn(() => replaced.unlink());
    await this.tree.rename(from, to);
    this.#nodes.delete(to);
    for (const [path, node] of [...this.#nodes]) {
      if (!isWithin(path, from)) continue;
      this.#nodes.delete(path);
      node.path = to + path.slice(from.length);
      this.#nodes.set(node.path, node);
    }
    for (const directory of this.#directories) {
      if (directory.path !== undefined && isWithin(directory.path, from))
        directory.path = to + directory.path.slice(from.length);
    }
    const times = this.#times.get(from);
    this.#times.delete(from);
    this.#times.delete(to);
    if (times !== undefined) this.#times.set(to, times);
  }
}

export function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms * 1000)) * 1000n;
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}

export function typeOf(kind: FileEntry["kind"]): Filetype {
  return kind === "pipe" || kind === "terminal" || kind === "link" || kind === "directory" || kind === "device"
    ? kind
    : "file";
}

/**
 * The inode number of a file: a hash of its path or, if the tree counts names, of what all its names have in common.
 */
export function inodeOf(path: string, { links, identity }: Pick<FileEntry, "links" | "identity">): bigint {
  const text = links === undefined ? path : (identity ?? path);
  let [low, high] = [0x811c9dc5, 0x01000193];
  for (let i = 0; i < text.length; i++) {
    low = Math.imul(low ^ text.charCodeAt(i), 0x01000193) >>> 0;
    high = Math.imul(high ^ (low >>> 13), 0x5bd1e995) >>> 0;
  }
  return (BigInt(high) << 32n) | BigInt(low);
}

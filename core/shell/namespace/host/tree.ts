/**
 * /host: the directory in which `starfish sh` was called, which that process serves. A path never leads out of it:
 * paths that come here have no `..`, and a name that the machine would take for a path is refused.
 */
import type { Bytes } from "../../../base/bytes.ts";
import { isStarfishError, StarfishError, throwIfAborted } from "../../../base/errors.ts";
import type { Clock } from "../../../ports/clock.ts";
import type { Host, HostEntry, HostFile } from "../../types.ts";
import { nameOf, parentOf } from "../paths.ts";
import type { ReadOptions, Tree, TreeEntry, TreeOptions, WriteOptions } from "../tree.ts";
import { changesOf } from "../watching.ts";
import { says, ViewTree, type View } from "../view.ts";
import { LISTING_MS, PIECE_BYTES } from "./limits.ts";
import type { Picked } from "./picked.ts";

type HostWithDirectories = Host & Required<Pick<Host, "listDirectory">>;

/** The tree of a host or, if it has no directories, of the files that were picked there. */
export function hostTree(host: Host, picked: Picked | undefined, clock: Clock): Tree {
  return picked === undefined ? new HostTree(host as HostWithDirectories, clock) : pickedTree(picked);
}

class HostTree implements Tree {
  readonly #host: HostWithDirectories;
  readonly #clock: Clock;
  #listing:
    | { readonly path: string; readonly atMs: number; readonly kinds: ReadonlyMap<string, HostEntry> }
    | undefined;

  constructor(host: HostWithDirectories, clock: Clock) {
    this.#host = host;
    this.#clock = clock;
  }

  async stat(path: string, options: TreeOptions = {}): Promise<TreeEntry | undefined> {
    if (path === "/") return { name: "", kind: "directory" };
    if (!this.#isPossible(path)) return undefined;
    const entry = await this.#entry(path, signalOf(options));
    if (entry?.kind !== "file") return entry && entryOf(entry);
    try {
      const file = await this.#host.openFile(hostPath(path), { signal: signalOf(options) });
      await file.close();
      return { name: entry.name, kind: "file", sizeBytes: file.sizeBytes, modifiedAtMs: file.modifiedAtMs };
    } catch (error) {
      if (isStarfishError(error, "not-found")) return undefined;
      // It exists all the same, for listings.
      if (isStarfishError(error, "io") || isStarfishError(error, "unsupported")) return entryOf(entry);
      throw error;
    }
  }

  async list(path: string, options: TreeOptions = {}): Promise<readonly TreeEntry[]> {
    return [...(await this.#list(path, signalOf(options))).values()].map(entryOf);
  }

  async *read(path: string, options: ReadOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const signal = signalOf(options);
    const entry = path === "/" ? undefined : await this.#entry(path, signal);
    if (path === "/" || entry?.kind === "directory")
      throw new StarfishError("is-a-directory", `/host${path} is a directory`);
    if (entry === undefined) throw new StarfishError("not-found", `there is no /host${path}`);
    if (entry.kind === "other")
      throw new StarfishError("unsupported", `/host${path}: ${entry.why ?? "it is neither a file nor a directory"}`);
    yield* partOf(await this.#host.openFile(hostPath(path), { signal }), options);
  }

  async write(path: string, source: AsyncIterable<Bytes>, options: WriteOptions = {}): Promise<void> {
    const signal = signalOf(options);
    const before = await this.#checkTarget(path, signal);
    const writer = await this.#host.createFile(hostPath(path), { signal });
    try {
      if (options.isAppend === true && before !== undefined)
        for await (const bytes of this.read(path, { signal })) await writer.write(bytes);
      for await (const bytes of source) {
        throwIfAborted(signal);
        await writer.write(bytes);
      }
      await writer.finish();
    } catch (error) {
      await writer.abort();
      throw error;
    } finally {
      this.#listing = undefined;
    }
  }

  async makeDirectory(path: string, options: TreeOptions = {}): Promise<void> {
    const signal = signalOf(options);
    if (path === "/" || (await this.#entry(path, signal)) !== undefined)
      throw new StarfishError("exists", `/host${path} is there already`);
    await this.#checkParent(path, signal);
    if (this.#host.makeDirectory === undefined) throw refused("no directory can be made there");
    this.#checkName(path);
    await this.#host.makeDirectory(hostPath(path), { signal });
    this.#listing = undefined;
  }

  async remove(path: string, options: TreeOptions = {}): Promise<void> {
    await this.#checkThere(path, options);
    throw refused("what is on your machine is removed there");
  }

  async rename(from: string, _to: string, options: TreeOptions = {}): Promise<void> {
    await this.#checkThere(from, options);
    throw refused("what is on your machine is renamed there");
  }

  // eslint-disable-next-line require-yield
  async *watch(_path: string, { signal }: { readonly signal: AbortSignal }): AsyncGenerator<string, void, undefined> {
    await Promise.resolve(throwIfAborted(signal));
    throw refused("your machine does not tell of changes");
  }

  async #checkThere(path: string, options: TreeOptions): Promise<void> {
    if (path !== "/" && (await this.#entry(path, signalOf(options))) === undefined)
      throw new StarfishError("not-found", `there is no /host${path}`);
  }

  async #checkTarget(path: string, signal: AbortSignal): Promise<HostEntry | undefined> {
    const entry = path === "/" ? undefined : await this.#entry(path, signal);
    if (path === "/" || entry?.kind === "directory")
      throw new StarfishError("is-a-directory", `/host${path} is a directory`);
    await this.#checkParent(path, signal);
    this.#checkName(path);
    return entry;
  }

  async #checkParent(path: string, signal: AbortSignal): Promise<void> {
    const parent = parentOf(path);
    const entry = parent === "/" ? undefined : await this.#entry(parent, signal);
    if (parent === "/" || entry?.kind === "directory") return;
    if (entry !== undefined) throw new StarfishError("not-a-directory", `/host${parent} is no directory`);
    throw new StarfishError("not-found", `there is no directory /host${parent}`);
  }

  #checkName(path: string): void {
    const trouble = this.#isPossible(path) ? this.#host.nameTrouble?.(nameOf(path)) : "it would be taken for a path";
    if (trouble !== undefined)
      throw new StarfishError("malformed", `/host${path}: your machine has no such name: ${trouble}`);
  }

  /** Links to directories have the kind "other", because they may lead out of here, and in circles. */
  async #entry(path: string, signal: AbortSignal): Promise<HostEntry | undefined> {
    if (!this.#isPossible(path)) return undefined;
    const parent = parentOf(path);
    try {
      const known = this.#listing;
      const isFresh = known?.path === parent && this.#clock.monotonic() - known.atMs < LISTING_MS;
      const found = isFresh ? known.kinds.get(nameOf(path)) : undefined;
      return found ?? (await this.#list(parent, signal)).get(nameOf(path));
    } catch (error) {
      if (isStarfishError(error, "not-found") || isStarfishError(error, "not-a-directory")) return undefined;
      throw error;
    }
  }

  async #list(path: string, signal: AbortSignal): Promise<ReadonlyMap<string, HostEntry>> {
    if (path !== "/") {
      const entry = await this.#entry(path, signal);
      if (entry === undefined) throw new StarfishError("not-found", `there is no /host${path}`);
      if (entry.kind !== "directory")
        throw new StarfishError("not-a-directory", `/host${path} is no directory, or a link to one`);
    }
    const entries = await this.#host.listDirectory(hostPath(path), { signal });
    // A name that can't be part of a path here can't be reached either.
    const possible = entries.filter(({ name }) => name !== "" && name !== "." && name !== ".." && !/[/\0]/.test(name));
    const kinds = new Map(possible.map((entry) => [entry.name, entry]));
    this.#listing = { path, atMs: this.#clock.monotonic(), kinds };
    return kinds;
  }

  #isPossible(path: string): boolean {
    return (
      !path.includes("\0") && path.isWellFormed() && !(this.#host.hasBackslashPaths === true && /[\\:]/.test(path))
    );
  }
}

function hostPath(path: string): string {
  return path === "/" ? "." : `.${path}`;
}

function entryOf({ name, kind }: HostEntry): TreeEntry {
  return { name, kind: kind === "other" ? "device" : kind };
}

function refused(why: string): StarfishError {
  return new StarfishError("unsupported", why);
}

/** Most commands have a signal. */
function signalOf({ signal }: TreeOptions): AbortSignal {
  return signal ?? new AbortController().signal;
}

async function* partOf(
  file: HostFile,
  { from = 0, to = Infinity, signal }: ReadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for (let at = from; at < to;) {
      throwIfAborted(signal);
      const bytes = await file.read(at, Math.min(PIECE_BYTES, to - at));
      if (bytes.length === 0) return;
      at += bytes.length;
      yield bytes;
    }
  } finally {
    await file.close();
  }
}

const NOTHING = "README";

/** For a browser tab. */
function pickedTree({ files }: Picked): Tree {
  return new ViewTree({
    mount: "/host",
    root: {
      kind: "directory",
      list: () => {
        if (files.size === 0) return new Map([[NOTHING, says(() => NOTHING_WORDS)]]);
        return new Map([...files].map(([name, file]): [string, View] => [name, pickedView(file)]));
      },
    },
    why: "a page reads only what you pick ('put' opens the picker); 'get FILE' downloads a file of the swarm",
    watch: (_path, { signal }) => changesOf(() => () => {}, signal),
  });
}

const NOTHING_WORDS = `Nothing of your machine is here yet: a page sees only the files that you pick.
'put' opens the picker, and what you pick stands here until the page is closed.
With 'starfish sh' this is the directory in which you call it.`;

function pickedView(file: HostFile): View {
  return {
    kind: "file",
    sizeBytes: file.sizeBytes,
    modifiedAtMs: file.modifiedAtMs,
    range: (options) => partOf({ ...file, read: file.read.bind(file), close: () => Promise.resolve() }, options),
  };
}

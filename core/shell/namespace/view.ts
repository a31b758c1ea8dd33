/**
 * Trees whose contents are computed when they are read: members, processes, devices. The author of such a tree says
 * what is there now; paths, ranges, kinds and errors are the same for all and are handled here.
 */
import { utf8, type Bytes } from "../../base/bytes.ts";
import { StarfishError, throwIfAborted } from "../../base/errors.ts";
import type { OpenFile } from "../language/descriptor.ts";
import type { OpenMode } from "../language/world.ts";
import { nameOf } from "./paths.ts";
import type { ReadOptions, Tree, TreeEntry, TreeOptions, WriteOptions } from "./tree.ts";

export interface FileView extends Pick<TreeEntry, "sizeBytes" | "mode" | "owner" | "modifiedAtMs" | "about"> {
  readonly kind: "file" | "device";
  /** The whole text, as it is now. */
  readonly text?: () => string | Promise<string>;
  /** For endless contents, or contents that are not text: all bytes from the beginning. */
  readonly stream?: (options: TreeOptions) => AsyncIterable<Uint8Array>;
  /** For contents that can be read from any position. */
  readonly range?: (options: ReadOptions) => AsyncIterable<Uint8Array>;
  readonly write?: (source: AsyncIterable<Bytes>, options: WriteOptions) => Promise<void>;
  readonly remove?: () => Promise<void>;
  /** For devices, which are used piece by piece. */
  readonly open?: (mode: OpenMode, options: { readonly signal: AbortSignal }) => Promise<OpenFile>;
  /** Why it can't be read or written, if it can't. */
  readonly why?: string;
}

export interface DirectoryView extends Pick<TreeEntry, "modifiedAtMs" | "about"> {
  readonly kind: "directory";
  /** Names that are parts of paths, each once; a bounded number. */
  readonly list: () => ReadonlyMap<string, View> | Promise<ReadonlyMap<string, View>>;
}

export type View = FileView | DirectoryView;

export interface ViewTreeParts {
  /** Where it is mounted, for messages. */
  readonly mount: string;
  readonly root: DirectoryView;
  /** Why nothing can be made, moved or removed here, for people: "members come and go by themselves". */
  readonly why: string;
  readonly watch: (path: string, options: { readonly signal: AbortSignal }) => AsyncIterable<string>;
}

export class ViewTree implements Tree {
  readonly #parts: ViewTreeParts;

  constructor(parts: ViewTreeParts) {
    this.#parts = parts;
  }

  async stat(path: string): Promise<TreeEntry | undefined> {
    const view = await this.#find(path);
    return view && (await entryOf(path === "/" ? "" : nameOf(path), view));
  }

  async list(path: string): Promise<readonly TreeEntry[]> {
    const view = await this.#get(path);
    if (view.kind !== "directory") throw new StarfishError("not-a-directory", `${this.#shown(path)} is no directory`);
    const inside = await view.list();
    return await Promise.all([...inside].map(([name, one]) => entryOf(name, one)));
  }

  async *read(path: string, options: ReadOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const { from = 0, to = Infinity, signal } = options;
    throwIfAborted(signal);
    const view = await this.#file(path);
    if (view.text !== undefined) {
      const bytes = utf8(await view.text()).subarray(from, to);
      if (bytes.length > 0) yield bytes;
      return;
    }
    if (view.range !== undefined) {
      yield* view.range(options);
      return;
    }
    if (view.stream === undefined) throw this.#refused(path, "can't be read", view.why);
    yield* rangeOf(view.stream({ signal }), from, to);
  }

  async write(path: string, source: AsyncIterable<Bytes>, options: WriteOptions = {}): Promise<void> {
    const view = await this.#find(path);
    if (view === undefined) throw this.#refused(path, "can't be made");
    if (view.kind === "directory") throw new StarfishError("is-a-directory", `${this.#shown(path)} is a directory`);
    if (view.write === undefined) throw this.#refused(path, "can't be written", view.why);
    await view.write(source, options);
  }

  async makeDirectory(path: string): Promise<void> {
    if ((await this.#find(path)) !== undefined)
      throw new StarfishError("exists", `${this.#shown(path)} is there already`);
    throw this.#refused(path, "can't be made");
  }

  async remove(path: string): Promise<void> {
    const view = await this.#get(path);
    if (view.kind === "directory" || view.remove === undefined) throw this.#refused(path, "can't be removed");
    await view.remove();
  }

  async rename(from: string): Promise<void> {
    await this.#get(from);
    throw this.#refused(from, "can't be renamed");
  }

  /** Undefined if it is an ordinary file. */
  async open(path: string, mode: OpenMode, options: { readonly signal: AbortSignal }): Promise<OpenFile | undefined> {
    const view = await this.#find(path);
    return view?.kind === "directory" ? undefined : await view?.open?.(mode, options);
  }

  watch(path: string, options: { readonly signal: AbortSignal }): AsyncIterable<string> {
    return this.#parts.watch(path, options);
  }

  async #find(path: string): Promise<View | undefined> {
    let at: View | undefined = this.#parts.root;
    for (const name of path.split("/")) {
      if (name === "") continue;
      at = at?.kind === "directory" ? (await at.list()).get(name) : undefined;
    }
    return at;
  }

  async #get(path: string): Promise<View> {
    const view = await this.#find(path);
    if (view === undefined) throw new StarfishError("not-found", `there is no ${this.#shown(path)}`);
    return view;
  }

  async #file(path: string): Promise<FileView> {
    const view = await this.#get(path);
    if (view.kind === "directory") throw new StarfishError("is-a-directory", `${this.#shown(path)} is a directory`);
    return view;
  }

  #shown(path: string): string {
    return path === "/" ? this.#parts.mount : this.#parts.mount + path;
  }

  #refused(path: string, what: string, why = this.#parts.why): StarfishError {
    return new StarfishError("unsupported", `${this.#shown(path)} ${what}: ${why}`);
  }
}

async function entryOf(name: string, view: View): Promise<TreeEntry> {
  const { kind, modifiedAtMs, about } = view;
  if (kind === "directory") return { name, kind, modifiedAtMs, about, mode: 0o555 };
  const { text, stream, range, open, owner } = view;
  const canRead = [text, stream, range, open].some((way) => way !== undefined);
  const canWrite = view.write !== undefined || open !== undefined;
  const mode = view.mode ?? (canRead ? 0o444 : 0) | (canWrite ? 0o222 : 0);
  const sizeBytes = text === undefined ? view.sizeBytes : utf8(await text()).length;
  return { name, kind, sizeBytes, modifiedAtMs, about, mode, owner };
}

/** The bytes from `from` on and below `to`. */
async function* rangeOf(
  pieces: AsyncIterable<Uint8Array>,
  from: number,
  to: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let at = 0;
  for await (const piece of pieces) {
    const part = piece.subarray(Math.max(0, from - at), Math.max(0, to - at));
    at += piece.length;
    if (part.length > 0) yield part;
    if (at >= to) return;
  }
}

/** A file with one line of text, which ends with a line break, as `cat` needs it. */
export function says(text: () => string): FileView {
  return { kind: "file", text: () => `${text()}\n` };
}

/** A name that anybody may have chosen, as one part of a path; "" if nothing of it is left. */
export function partOfPath(name: string): string {
  const part = name.toWellFormed().replaceAll(UNFIT, "_").slice(0, PART_CHARS_MAX).toWellFormed();
  return part === "." || part === ".." ? "" : part;
}

/** Characters that separate paths, control a terminal, or change the direction of text. */
// eslint-disable-next-line no-control-regex
const UNFIT = /[/\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufff9-\ufffb]/g;
/** Names of members have at most 32 letters. */
const PART_CHARS_MAX = 64;

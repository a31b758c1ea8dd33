/**
 * /inbox: what others have sent to this node. Each sender has a directory, with each transfer under its own name. Its
 * files are read like other files. A transfer is removed as a whole, and nothing can be written here.
 */
import { StarfishError, throwIfAborted } from "../../../base/errors.ts";
import type { Computer } from "../../../computer.ts";
import type { InboxEntry, TransferInfo } from "../../../io/transfer/types.ts";
import { shortId } from "../../who.ts";
import { nameOfMember } from "../net/names.ts";
import { nameOf } from "../paths.ts";
import type { ReadOptions, Tree, TreeEntry, TreeOptions } from "../tree.ts";
import { partOfPath } from "../view.ts";
import { changesOf } from "../watching.ts";

type Parts = Pick<Computer, "transfer" | "net">;

/** A place in the tree. */
type Place =
  | { readonly is: "senders" }
  | { readonly is: "sender"; readonly items: ReadonlyMap<string, TransferInfo> }
  | { readonly is: "item"; readonly item: TransferInfo; readonly inner: string };

/** The contents of a transfer's folders, by the folder's path; "" is the transfer itself. */
type Index = ReadonlyMap<string, ReadonlyMap<string, InboxEntry | undefined>>;

export class InboxTree implements Tree {
  readonly #parts: Parts;
  /** The folders of each list that was looked at, as long as the inbox keeps the list. */
  readonly #indexes = new WeakMap<readonly InboxEntry[], Index>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async stat(path: string): Promise<TreeEntry | undefined> {
    const place = this.#place(path);
    if (place === undefined) return undefined;
    const name = path === "/" ? "" : nameOf(path);
    if (place.is !== "item") return folder(name);
    return await this.#stat(place, name);
  }

  async list(path: string, { signal }: TreeOptions = {}): Promise<readonly TreeEntry[]> {
    const place = this.#get(path);
    if (place.is === "senders") return [...this.#senders().keys()].map((name) => folder(name));
    if (place.is === "sender") {
      return await Promise.all(
        [...place.items].map(async ([name, item]) => (await this.#stat({ item, inner: "" }, name)) ?? folder(name)),
      );
    }
    const { item, inner } = place;
    const index = await this.#index(item);
    throwIfAborted(signal);
    const inside = index.get(await this.#pathIn(item, inner));
    if (inside === undefined) throw await this.#notListed(place, path);
    return [...inside].map(([name, entry]) => entryOf(name, entry, item));
  }

  async *read(path: string, options: ReadOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    throwIfAborted(options.signal);
    const place = this.#get(path);
    const entry = place.is === "item" ? await this.#entry(place) : undefined;
    if (entry === "nothing") throw new StarfishError("not-found", `there is no ${path}`);
    if (place.is !== "item" || entry === undefined || entry.kind === "folder")
      throw new StarfishError("is-a-directory", `${path} is a directory`);
    const { from = 0, to = Infinity, signal } = options;
    yield* this.#parts.transfer.inbox.read(place.item.id, entry, { from, to, signal });
  }

  async write(path: string): Promise<void> {
    const entry = await this.stat(path);
    if (entry?.kind === "directory") throw new StarfishError("is-a-directory", `${path} is a directory`);
    throw refused("what is here was sent by others; 'send' sends to them");
  }

  async makeDirectory(path: string): Promise<void> {
    if ((await this.stat(path)) !== undefined) throw new StarfishError("exists", `${path} is there already`);
    throw refused("what is here was sent by others");
  }

  async remove(path: string, { isRecursive = false }: { readonly isRecursive?: boolean } = {}): Promise<void> {
    const place = this.#get(path);
    if (place.is === "senders") throw refused("/inbox stays; remove what is in it");
    if (place.is === "sender") {
      if (!isRecursive) throw new StarfishError("not-empty", `${path} is not empty`);
      for (const { id } of place.items.values()) await this.#parts.transfer.inbox.remove(id);
      return;
    }
    if (place.inner !== "") {
      if ((await this.stat(path)) === undefined) throw new StarfishError("not-found", `there is no ${path}`);
      throw refused("a transfer is removed as a whole");
    }
    const entry = await this.#entry(place);
    if (!isRecursive && (entry === undefined || (entry !== "nothing" && entry.kind === "folder")))
      throw new StarfishError("not-empty", `${path} is a directory`);
    await this.#parts.transfer.inbox.remove(place.item.id);
  }

  async rename(from: string): Promise<void> {
    if ((await this.stat(from)) === undefined) throw new StarfishError("not-found", `there is no ${from}`);
    throw refused("what is here was sent by others; copy it to where you want it");
  }

  watch(path: string, { signal }: { readonly signal: AbortSignal }): AsyncIterable<string> {
    let before = this.#picture();
    return changesOf(
      (listener) =>
        this.#parts.transfer.onChange(() => {
          const now = this.#picture();
          if (now !== before) listener(path);
          before = now;
        }),
      signal,
    );
  }

  #picture(): string {
    return this.#parts.transfer.inbox
      .items()
      .map(({ id }) => id)
      .join();
  }

  /** By the sender's name and then by the transfer's; each name is used once. */
  #senders(): Map<string, Map<string, TransferInfo>> {
    const { transfer, net } = this.#parts;
    const members = net.members();
    const senders = new Map<string, Map<string, TransferInfo>>();
    for (const item of transfer.inbox.items()) {
      const left = `${partOfPath(item.name) || "somebody"}.${shortId(item.peer)}`;
      const sender = nameOfMember(members, item.peer) ?? left;
      const items = senders.get(sender) ?? new Map<string, TransferInfo>();
      senders.set(sender, items.set(freeName(partOfPath(item.title) || "untitled", items), item));
    }
    return senders;
  }

  #place(path: string): Place | undefined {
    if (path === "/") return { is: "senders" };
    const [, sender = "", name, ...inner] = path.split("/");
    const items = this.#senders().get(sender);
    if (items === undefined || name === undefined) return items && { is: "sender", items };
    const item = items.get(name);
    return item && { is: "item", item, inner: inner.join("/") };
  }

  #get(path: string): Place {
    const place = this.#place(path);
    if (place === undefined) throw new StarfishError("not-found", `there is no ${path}`);
    return place;
  }

  async #stat(
    place: { readonly item: TransferInfo; readonly inner: string },
    name: string,
  ): Promise<TreeEntry | undefined> {
    const entry = await this.#entry(place);
    return entry === "nothing" ? undefined : entryOf(name, entry, place.item);
  }

  /** Undefined for a folder that is not in the list itself. */
  async #entry({
    item,
    inner,
  }: {
    readonly item: TransferInfo;
    readonly inner: string;
  }): Promise<InboxEntry | undefined | "nothing"> {
    const index = await this.#index(item);
    const path = await this.#pathIn(item, inner);
    if (path === "") return undefined;
    const above = index.get(path.slice(0, Math.max(0, path.lastIndexOf("/"))));
    const name = nameOf(path);
    return above?.has(name) === true ? above.get(name) : "nothing";
  }

  /** If only one file or folder was sent, it takes the place of the transfer. */
  async #pathIn(item: TransferInfo, inner: string): Promise<string> {
    const [root, another] = (await this.#index(item)).get("")?.keys() ?? [];
    if (another !== undefined || root === undefined) return inner;
    return inner === "" ? root : `${root}/${inner}`;
  }

  async #index({ id }: TransferInfo): Promise<Index> {
    const entries = await this.#parts.transfer.inbox.entries(id);
    const known = this.#indexes.get(entries);
    if (known !== undefined) return known;
    const index = indexOf(entries);
    this.#indexes.set(entries, index);
    return index;
  }

  async #notListed(place: Place & { is: "item" }, path: string): Promise<StarfishError> {
    const entry = await this.#entry(place);
    if (entry === "nothing") return new StarfishError("not-found", `there is no ${path}`);
    return new StarfishError("not-a-directory", `${path} is no directory`);
  }
}

/** Folders that are not in the list exist because of what is in them. */
function indexOf(entries: readonly InboxEntry[]): Index {
  const index = new Map<string, Map<string, InboxEntry | undefined>>([["", new Map()]]);
  const folderAt = (path: string): Map<string, InboxEntry | undefined> => {
    const known = index.get(path);
    if (known !== undefined) return known;
    const made = new Map<string, InboxEntry | undefined>();
    index.set(path, made);
    const slash = path.lastIndexOf("/");
    const above = folderAt(path.slice(0, Math.max(0, slash)));
    if (!above.has(path.slice(slash + 1))) above.set(path.slice(slash + 1), undefined);
    return made;
  };
  for (const entry of entries) {
    const slash = entry.path.lastIndexOf("/");
    folderAt(entry.path.slice(0, Math.max(0, slash))).set(entry.path.slice(slash + 1), entry);
    if (entry.kind === "folder") folderAt(entry.path);
  }
  return index;
}

/** "photo (2).jpg" if there is a photo.jpg. */
function freeName(name: string, taken: ReadonlyMap<string, unknown>): string {
  if (!taken.has(name)) return name;
  const dot = name.lastIndexOf(".");
  const [stem, end] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
  for (let i = 2; ; i++) if (!taken.has(`${stem} (${i})${end}`)) return `${stem} (${i})${end}`;
}

function folder(name: string): TreeEntry {
  return { name, kind: "directory", mode: 0o555 };
}

function entryOf(name: string, entry: InboxEntry | undefined, item: TransferInfo): TreeEntry {
  const { name: owner, startedAtMs } = item;
  const modifiedAtMs = entry === undefined || entry.modifiedMs === 0 ? startedAtMs : entry.modifiedMs;
  if (entry === undefined || entry.kind === "folder") return { ...folder(name), modifiedAtMs, owner };
  return { name, kind: "file", sizeBytes: entry.sizeBytes, modifiedAtMs, owner, mode: 0o444 };
}

function refused(why: string): StarfishError {
  return new StarfishError("unsupported", why);
}

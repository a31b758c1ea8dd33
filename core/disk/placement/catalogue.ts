/**
 * What the map `layout` says, in the form in which the disk uses it, kept up to date as the map changes:
 *
 *     c/<cid>/<layout id>   a content: its size, its code, and its shard list or the content that holds it
 *     l/<layout id>         a put that is under way
 *     p/<partition>         devices in the order of their slots
 *     d/<peer>              what a node offers, and how much of it is free
 *
 * A layout id is drawn anew for each put, since the CID is known only at its end. Entries that don't parse, or claim
 * what is impossible (layout-entry.ts), are set aside, however old they are: a newer node may have written them, or a
 * malicious member. The shards of such a layout stay.
 */
import { isStarfishError } from "../../base/errors.ts";
import { Listeners, type Unsubscribe } from "../../base/events.ts";
import { SetAside } from "../../memory/set-aside.ts";
import { inBatches } from "../../memory/in-batches.ts";
import type { MapEntry, MapWrite, ReplicatedMap } from "../../memory/types.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import { type Log, silentLog } from "../../ports/log.ts";
import type { PeerId } from "../../ports/network.ts";
import type { Layout } from "../code/layout.ts";
import { type Read, readContent, readSlots, readStorage, type Storage } from "./layout-entry.ts";
import { LEASE_MS, SLOTS_WRITTEN_AFTER_MS, STORAGE_BYTES_MAX } from "../limits.ts";
import type { ContentRef } from "../types.ts";

/** A content under one code. */
export interface Stored {
  readonly cid: string;
  readonly id: string;
  readonly sizeBytes: number;
  readonly code: Layout;
  /** Its shard list, or the content that holds the list. */
  readonly list: Uint8Array | ContentRef;
  /** When its entry was written, ms since 1970. */
  readonly writtenAtMs: number;
}

const STAMPS_PER_MS = 2_048;

export class Catalogue {
  readonly map: ReplicatedMap;
  readonly #byCid = new Map<string, Map<string, Stored>>();
  readonly #byId = new Map<string, Stored>();
  readonly #clock: Clock;
  readonly #slots = new Map<number, readonly string[]>();
  /** Partitions whose slots are chosen but not in the map yet. */
  readonly #unwritten = new Set<number>();
  #writing: Timer | undefined;
  readonly #storage = new Map<PeerId, Storage>();
  /** Layouts whose entry was deleted while their content had another. */
  readonly #replaced = new Set<string>();
  /** Entries that this node does not understand or believe; for each key the layout that it names. */
  readonly #setAside: SetAside;
  readonly #foreign = new Map<string, string>();
  readonly #foreignIds = new Map<string, number>();
  readonly #lost = new Listeners<Stored>();
  readonly #changes = new Listeners<"content" | "slots" | "storage">();
  readonly #stop: Unsubscribe;

  constructor(map: ReplicatedMap, clock: Clock, log: Log = silentLog) {
    this.map = map;
    this.#clock = clock;
    this.#setAside = new SetAside(map.name, log);
    this.#stop = map.watch("", ({ key }) => this.#read(key));
    for (const { key } of map.entries("")) this.#read(key);
  }

  close(): void {
    this.#writeSlots();
    this.#stop();
  }

  onChange(listener: (what: "content" | "slots" | "storage") => void): Unsubscribe {
    return this.#changes.add(listener);
  }

  /** The entry of a content's only layout was deleted. */
  onLost(listener: (stored: Stored) => void): Unsubscribe {
    return this.#lost.add(listener);
  }

  /** The layouts of a content, the newest first. */
  layouts(cid: string): Stored[] {
    return [...(this.#byCid.get(cid)?.values() ?? [])].sort(
      (a, b) => b.writtenAtMs - a.writtenAtMs || (a.id < b.id ? -1 : 1),
    );
  }

  layoutCount(cid: string): number {
    return this.#byCid.get(cid)?.size ?? 0;
  }

  /**
   * The layouts of the content that holds a layout's list, if the layout does not hold it itself. The list has the
   * right length, and the chain of lists ends.
   */
  listLayouts({ list }: Pick<Stored, "list">): Stored[] {
    if (list instanceof Uint8Array) return [];
    return this.layouts(list.cid).filter(({ sizeBytes }) => sizeBytes === list.sizeBytes);
  }

  layout(id: string): Stored | undefined {
    return this.#byId.get(id);
  }

  all(): IterableIterator<Stored> {
    return this.#byId.values();
  }

  get count(): number {
    return this.#byId.size;
  }

  /** Whether an entry names this layout. */
  isNamed(id: string): boolean {
    return this.#byId.has(id) || this.#foreignIds.has(id);
  }

  /** Whether something still needs the shards of this layout. */
  isWanted(id: string): boolean {
    return this.isNamed(id) || this.#isLeased(id);
  }

  /** The number of entries that are not used, because they are impossible or this node does not understand them. */
  get setAside(): number {
    return this.#setAside.size;
  }

  /** This entry has proved wrong: its list belongs to another content. */
  disprove({ cid, id }: Stored, why: string): void {
    const stored = this.#byCid.get(cid)?.get(id);
    if (stored === undefined) return;
    this.#takeOut(stored);
    this.#beForeign(contentKey(cid, id), id, why);
    this.#changes.emit("content");
  }

  isReplaced(id: string): boolean {
    return this.#replaced.has(id);
  }

  slots(partition: number): readonly string[] {
    return this.#slots.get(partition) ?? [];
  }

  storage(peer: PeerId): Storage | undefined {
    return this.#storage.get(peer);
  }

  // Writing. All throw as ReplicatedMap.set does.

  write(stored: Omit<Stored, "writtenAtMs">): void {
    const { cid, id, sizeBytes, code, list } = stored;
    const value = {
      size: sizeBytes,
      code: [code.k, code.n, code.copies, code.wholes],
      list: list instanceof Uint8Array ? list : { cid: list.cid, sizeBytes: list.sizeBytes },
    };
    // The slots are written first, so that whoever sees the content knows where its shards belong, even if all of it
    // does not fit into one batch.
    inBatches(this.map, [
      ...this.#takeSlots().map((write) => [write]),
      [
        { key: contentKey(cid, id), value },
        ...(this.map.get(leaseKey(id)) === undefined ? [] : [{ key: leaseKey(id), deleted: true as const }]),
      ],
    ]);
  }

  remove({ cid, id }: Stored): void {
    this.map.delete(contentKey(cid, id));
  }

  lease(id: string, expiresInMs: number): void {
    this.map.set(leaseKey(id), true, { expiresInMs });
  }

  endLease(id: string): void {
    this.map.delete(leaseKey(id));
  }

  /**
   * The choice counts here at once. Others get it soon, together with further choices: a put chooses slots for each
   * stripe.
   */
  chooseSlots(partition: number, devices: readonly string[]): void {
    this.#slots.set(partition, devices);
    this.#unwritten.add(partition);
    this.#writing ??= this.#clock.timer(SLOTS_WRITTEN_AFTER_MS, () => this.#writeSlots());
  }

  writeStorage(peer: PeerId, { offeredBytes, freeBytes }: Storage, expiresInMs: number): void {
    const said = [offeredBytes, freeBytes].map((bytes) => Math.min(Math.floor(bytes), STORAGE_BYTES_MAX));
    this.map.set(`d/${peer}`, said, { expiresInMs });
  }

  /** Other nodes would choose the same, so it does not matter if the write fails. */
  #writeSlots(): void {
    try {
      inBatches(
        this.map,
        this.#takeSlots().map((write) => [write]),
      );
    } catch (error) {
      if (!isStarfishError(error)) throw error;
    }
  }

  #takeSlots(): MapWrite[] {
    this.#writing?.cancel();
    this.#writing = undefined;
    const writes = [...this.#unwritten].map((partition) => ({
      key: `p/${partition}`,
      value: [...this.slots(partition)],
    }));
    this.#unwritten.clear();
    return writes;
  }

  #read(key: string): void {
    const entry = this.map.entry(key);
    const [kind, name = "", id = "", ...more] = key.split("/");
    if (kind === "c" && more.length === 0) this.#readContent(key, name, id, entry);
    if (kind === "p") this.#readSlots(key, name, entry);
    if (kind === "d") this.#readStorage(key, name, entry);
  }

  #readContent(key: string, cid: string, id: string, entry: MapEntry | undefined): void {
    this.#beForeignNoMore(key);
    const before = this.#byCid.get(cid)?.get(id);
    const read = entry && readContent(cid, id, entry.value);
    if (entry === undefined || read === undefined || "why" in read) {
      if (before !== undefined) this.#takeOut(before);
      const isLast = !this.#byCid.has(cid);
      if (read !== undefined && "why" in read) this.#beForeign(key, id, read.why);
      else if (before !== undefined && !isLast) this.#replaced.add(id);
      else if (before !== undefined) this.#lost.emit(before);
    } else {
      this.#putIn({ cid, id, ...read.value, writtenAtMs: entry.version.stamp / STAMPS_PER_MS });
    }
    this.#changes.emit("content");
  }

  #putIn(stored: Stored): void {
    const { cid, id, writtenAtMs } = stored;
    // An id is drawn for one content. If two contents have it, the first one stays, which is the same on every node.
    const other = this.#byId.get(id);
    if (other !== undefined && other.cid !== cid) {
      const isFirst = other.writtenAtMs < writtenAtMs || (other.writtenAtMs === writtenAtMs && other.cid < cid);
      const later = isFirst ? stored : other;
      if (!isFirst) this.#takeOut(other);
      this.#beForeign(contentKey(later.cid, id), id, "its id is that of another content");
      if (isFirst) return;
    }
    const layouts = this.#byCid.get(cid) ?? new Map<string, Stored>();
    layouts.set(id, stored);
    this.#byId.set(id, stored);
    this.#byCid.set(cid, layouts);
    this.#replaced.delete(id);
  }

  #takeOut({ cid, id }: Stored): void {
    const layouts = this.#byCid.get(cid);
    if (layouts?.delete(id) !== true) return;
    if (layouts.size === 0) this.#byCid.delete(cid);
    this.#byId.delete(id);
  }

  #beForeign(key: string, id: string, why: string): void {
    this.#setAside.add(key, why);
    if (this.#foreign.has(key)) return;
    this.#foreign.set(key, id);
    this.#foreignIds.set(id, (this.#foreignIds.get(id) ?? 0) + 1);
  }

  #beForeignNoMore(key: string): void {
    this.#setAside.delete(key);
    const id = this.#foreign.get(key);
    if (id === undefined) return;
    this.#foreign.delete(key);
    const left = (this.#foreignIds.get(id) ?? 1) - 1;
    if (left > 0) this.#foreignIds.set(id, left);
    else this.#foreignIds.delete(id);
  }

  #readSlots(key: string, name: string, entry: MapEntry | undefined): void {
    const read = this.#understood(key, entry && readSlots(name, entry.value));
    const partition = Number(name);
    this.#unwritten.delete(partition);
    if (read === undefined) this.#slots.delete(partition);
    else this.#slots.set(partition, read);
    this.#changes.emit("slots");
  }

  #readStorage(key: string, peer: PeerId, entry: MapEntry | undefined): void {
    const read = this.#understood(key, entry && readStorage(entry.value));
    if (read === undefined) this.#storage.delete(peer);
    else this.#storage.set(peer, read);
    this.#changes.emit("storage");
  }

  /** A put keeps saying that it is under way. An entry that says so for ever is not a put. */
  #isLeased(id: string): boolean {
    const entry = this.map.entry(leaseKey(id));
    const endsMs = entry?.expiresAtMs ?? Infinity;
    return endsMs - this.map.now() <= 2 * LEASE_MS;
  }

  #understood<T>(key: string, read: Read<T> | undefined): T | undefined {
    if (read !== undefined && "why" in read) {
      this.#setAside.add(key, read.why);
      return undefined;
    }
    this.#setAside.delete(key);
    return read?.value;
  }
}

function contentKey(cid: string, id: string): string {
  return `c/${cid}/${id}`;
}

function leaseKey(id: string): string {
  return `l/${id}`;
}

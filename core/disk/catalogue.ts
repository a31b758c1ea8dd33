/**
 * What the map `layout` says, in the form in which the disk uses it, kept up to date as the map changes:
 *
 *     c/<cid>/<layout id>   a content: its size, its code, and its shard list or the content that holds it
 *     l/<layout id>         a put that is under way
 *     p/<partition>         devices in the order of their slots
 *     d/<peer>              what a node offers, and how much of it is free
 *
 * A layout id is drawn anew for each put, since the CID is known only at its end. Entries that don't parse are passed over, a
 * newer node may have written them; the shards of such a layout stay.
 */
import * as v from "valibot";
import { check, bytesOf, integerOf, type Schema, textOf } from "../base/codec.ts";
import { isStarfishError } from "../base/errors.ts";
import { Listeners, type Unsubscribe } from "../base/events.ts";
import type { MapWrite, ReplicatedMap } from "../memory/types.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { PeerId } from "../ports/network.ts";
import { DATA_SHARDS_MAX, SHARDS_MAX } from "../ports/coder.ts";
import type { Layout } from "./layout.ts";
import { LIST_INLINE_BYTES_MAX, SLOTS_WRITTEN_AFTER_MS } from "./limits.ts";
import type { ContentRef } from "./types.ts";

/** A content under one code. */
export interface Stored {
  readonly cid: string;
  readonly id: string;
  readonly sizeBytes: number;
  readonly code: Layout;
  /** Its shard list, or where that is. */
  readonly list: Uint8Array | ContentRef;
  /** When its entry was written, ms since 1970. */
  readonly writtenAtMs: number;
}

export interface Storage {
  readonly offeredBytes: number;
  readonly freeBytes: number;
}

const CID_CHARS_MAX = 128;
const DEVICE_CHARS_MAX = 128;
const SLOTS_MAX = 128;
const STAMPS_PER_MS = 2_048;

const copiesSchema: v.GenericSchema<unknown, 1 | 2> = v.picklist([1, 2]);
/** What was written before there were any says nothing of them. */
const wholesSchema: v.OptionalSchema<v.GenericSchema<unknown, 0 | 1>, 0> = v.optional(v.picklist([0, 1]), 0);
const codeSchema: v.GenericSchema<unknown, readonly [number, number, 1 | 2, 0 | 1]> = v.pipe(
  v.tuple([integerOf(1, DATA_SHARDS_MAX), integerOf(1, SHARDS_MAX), copiesSchema, wholesSchema]),
  v.check(([k, n]) => n >= k, "Fewer shards than data"),
);
const listSchema: Schema<Uint8Array | ContentRef> = v.union([
  bytesOf(1, LIST_INLINE_BYTES_MAX),
  v.object({ cid: textOf(CID_CHARS_MAX), sizeBytes: integerOf(1) }),
]);
const storedSchema: v.GenericSchema<
  unknown,
  { size: number; code: readonly [number, number, 1 | 2, 0 | 1]; list: Uint8Array | ContentRef }
> = v.object({ size: integerOf(0), code: codeSchema, list: listSchema });
const slotsSchema: Schema<readonly string[]> = v.pipe(v.array(textOf(DEVICE_CHARS_MAX)), v.maxLength(SLOTS_MAX));
const storageSchema: Schema<readonly [number, number]> = v.tuple([integerOf(0), integerOf(0)]);

export class Catalogue {
  readonly map: ReplicatedMap;
  readonly #byCid = new Map<string, Map<string, Stored>>();
  readonly #byId = new Map<string, Stored>();
  readonly #clock: Clock;
  readonly #slots = new Map<number, readonly string[]>();
  /** Partitions whose slots are chosen and not in the map yet. */
  readonly #unwritten = new Set<number>();
  #writing: Timer | undefined;
  readonly #storage = new Map<PeerId, Storage>();
  /** Layouts whose entry was deleted while their content had another. */
  readonly #replaced = new Set<string>();
  /** Layouts whose entry this node does not understand. */
  readonly #foreign = new Set<string>();
  readonly #lost = new Listeners<Stored>();
  readonly #changes = new Listeners<"content" | "slots" | "storage">();
  readonly #stop: Unsubscribe;

  constructor(map: ReplicatedMap, clock: Clock) {
    this.map = map;
    this.#clock = clock;
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
    return this.#byId.has(id) || this.#foreign.has(id);
  }

  /** Whether something still wants the shards of this layout. */
  isWanted(id: string): boolean {
    return this.isNamed(id) || this.map.get(leaseKey(id)) !== undefined;
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
    this.map.batch([
      ...this.#takeSlots(),
      { key: contentKey(cid, id), value },
      ...(this.map.get(leaseKey(id)) === undefined ? [] : [{ key: leaseKey(id), deleted: true as const }]),
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

  /** Counts here at once, and for others soon, together with what else is chosen by then: a put chooses some for each stripe. */
  chooseSlots(partition: number, devices: readonly string[]): void {
    this.#slots.set(partition, devices);
    this.#unwritten.add(partition);
    this.#writing ??= this.#clock.timer(SLOTS_WRITTEN_AFTER_MS, () => this.#writeSlots());
  }

  writeStorage(peer: PeerId, { offeredBytes, freeBytes }: Storage, expiresInMs: number): void {
    this.map.set(`d/${peer}`, [offeredBytes, freeBytes], { expiresInMs });
  }

  /** Others would choose alike, so that what can't be written is no loss. */
  #writeSlots(): void {
    try {
      this.map.batch(this.#takeSlots());
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
    const [kind, name = "", id = ""] = key.split("/");
    const entry = this.map.entry(key);
    if (kind === "c") this.#readContent(name, id, entry?.value, (entry?.version.stamp ?? 0) / STAMPS_PER_MS);
    if (kind === "p") this.#readSlots(Number(name), entry?.value);
    if (kind === "d") this.#readStorage(name, entry?.value);
  }

  #readContent(cid: string, id: string, value: unknown, writtenAtMs: number): void {
    const read = understood(storedSchema, value);
    const layouts = this.#byCid.get(cid) ?? new Map<string, Stored>();
    const isForeign = value !== undefined && read === undefined;
    if (isForeign) this.#foreign.add(id);
    else this.#foreign.delete(id);
    if (read === undefined) {
      const before = layouts.get(id);
      layouts.delete(id);
      this.#byId.delete(id);
      if (layouts.size === 0) this.#byCid.delete(cid);
      else if (!isForeign) this.#replaced.add(id);
      if (layouts.size === 0 && before !== undefined && !isForeign) this.#lost.emit(before);
    } else {
      const [k, n, copies, wholes] = read.code;
      const stored = { cid, id, sizeBytes: read.size, code: { k, n, copies, wholes }, list: read.list, writtenAtMs };
      layouts.set(id, stored);
      this.#byId.set(id, stored);
      this.#byCid.set(cid, layouts);
      this.#replaced.delete(id);
    }
    this.#changes.emit("content");
  }

  #readSlots(partition: number, value: unknown): void {
    const read = understood(slotsSchema, value);
    this.#unwritten.delete(partition);
    if (read === undefined) this.#slots.delete(partition);
    else this.#slots.set(partition, read);
    this.#changes.emit("slots");
  }

  #readStorage(peer: PeerId, value: unknown): void {
    const read = understood(storageSchema, value);
    if (read === undefined) this.#storage.delete(peer);
    else this.#storage.set(peer, { offeredBytes: read[0], freeBytes: read[1] });
    this.#changes.emit("storage");
  }
}

function understood<T>(schema: Schema<T>, value: unknown): T | undefined {
  if (value === undefined) return undefined;
  try {
    return check(schema, value);
  } catch (error) {
    if (isStarfishError(error, "malformed")) return undefined;
    throw error;
  }
}

function contentKey(cid: string, id: string): string {
  return `c/${cid}/${id}`;
}

function leaseKey(id: string): string {
  return `l/${id}`;
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { storedSchema, slotsSchema, storageSchema };

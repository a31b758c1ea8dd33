/**
 * What has arrived at this node, whole or in part: pieces in the shard store, beside the shards of the swarm's files
 * and within the same quota, and a record of each transfer in the node's own store. A piece is stored for good when it
 * is acknowledged. The progress of a transfer follows from the pieces that are stored, so a crash loses nothing.
 */
import { equal, toHex } from "../../base/bytes.ts";
import { decode, encode } from "../../base/codec.ts";
import { messageOf, StarfishError, throwIfAborted } from "../../base/errors.ts";
import { release } from "../../base/owned.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { PeerId } from "../../ports/network.ts";
import { SHARD_OVERHEAD_BYTES, type ShardStore } from "../../ports/shard-store.ts";
import type { Store } from "../../ports/store.ts";
import {
  ASKED_REMEMBERED_MAX,
  ITEMS_MAX,
  JOURNAL_PIECES,
  LISTS_KEPT,
  PARTIAL_KEPT_MS,
  PIECE_BYTES,
  ROOM_LEFT_BYTES,
  TRANSFER_BYTES_MAX,
} from "./limits.ts";
import { decodeManifest, toldOf } from "./manifest.ts";
import { contentBytes } from "./pieces.ts";
import { FIRST_ROOT, type HashParts, nextRoot } from "./pieces.ts";
import type { Inbox, InboxEntry, TransferInfo } from "./types.ts";
import { type InboxRecord, isAsOffered, type OfferMessage, recordSchema } from "./wire.ts";

const RECORDS = "io/inbox/";
/** Names of pieces have four parts, those of contents' shards three (disk/shards/holdings.ts). */
const PIECES = "inbox";
const RADIX = 36;

export interface InboxParts extends HashParts {
  readonly store: Store;
  readonly shards: ShardStore;
  readonly clock: Clock;
  readonly log: Log;
}

/** A transfer in the inbox. */
export interface Item {
  readonly id: string;
  record: InboxRecord;
  /** Pieces that are stored for good, without a gap, and their root. */
  pieces: number;
  root: Uint8Array;
  /** Whether it is coming in now. */
  isOpen: boolean;
}

export class NodeInbox implements Inbox {
  readonly #parts: InboxParts;
  readonly #items = new Map<string, Item>();
  readonly #lists = new Map<string, readonly InboxEntry[]>();
  /** Offers that look like a transfer in the inbox, but are different. */
  readonly #others = new Set<string>();
  readonly #onChange: () => void;

  private constructor(parts: InboxParts, onChange: () => void) {
    this.#parts = parts;
    this.#onChange = onChange;
  }

  /** Records that can't be read, and pieces without a record, are dropped and logged. Rejects with "io". */
  static async load(parts: InboxParts, onChange: () => void): Promise<NodeInbox> {
    const inbox = new NodeInbox(parts, onChange);
    const { store, log } = parts;
    for (const key of await store.keys(RECORDS)) {
      const id = key.slice(RECORDS.length);
      const bytes = await store.get(key);
      try {
        const record = decode(recordSchema, bytes ?? new Uint8Array(0));
        if (toHex(record.id) !== id || inbox.#items.size >= ITEMS_MAX) throw new StarfishError("corrupt", "misplaced");
        inbox.#items.set(id, { id, record, pieces: record.pieces, root: record.root, isOpen: false });
      } catch (error) {
        log.write("warn", "transfer.record-unreadable", { id, error: messageOf(error) });
        await store.delete(key);
      }
    }
    await inbox.#dropStrays();
    return inbox;
  }

  items(): readonly TransferInfo[] {
    return [...this.#items.values()].filter(({ record }) => record.isWhole).map((item) => this.info(item));
  }

  /** The transfers that are not complete. */
  partial(): readonly TransferInfo[] {
    return [...this.#items.values()].filter(({ record }) => !record.isWhole).map((item) => this.info(item));
  }

  info({ id, record, pieces, isOpen }: Item): TransferInfo {
    const { from, name, title, files, folders, totalBytes, isWhole, startedAtMs, manifestBytes } = record;
    return {
      id,
      direction: "in",
      peer: from,
      name,
      title,
      files,
      folders,
      state: isWhole ? "whole" : isOpen ? "receiving" : "interrupted",
      doneBytes: isWhole && totalBytes !== null ? totalBytes : contentBytes(pieces, manifestBytes, totalBytes),
      totalBytes: totalBytes ?? undefined,
      startedAtMs,
    };
  }

  get(id: string): Item | undefined {
    return this.#items.get(id);
  }

  /**
   * The earlier state of the same transfer by the same sender: found by its id or, if it is not complete, by its
   * list of files. A pipe never matches by its list.
   */
  find(from: PeerId, { id, key, totalBytes }: OfferMessage): Item | undefined {
    const same = this.#items.get(toHex(id));
    if (same?.record.from === from && equal(same.record.key, key)) return same;
    if (totalBytes === null) return undefined;
    return [...this.#items.values()].find(
      ({ record }) => !record.isWhole && record.from === from && equal(record.key, key),
    );
  }

  /** A complete transfer of that sender that looks the same: names, sizes and times. A pipe never matches. */
  findWhole(from: PeerId, { id, key, totalBytes }: OfferMessage): Item | undefined {
    if (totalBytes === null || this.#others.has(toHex(id))) return undefined;
    return [...this.#items.values()].find(
      ({ record }) => record.isWhole && record.from === from && equal(record.key, key),
    );
  }

  /** Whether all of it could be stored now, beside what other incoming transfers may need. */
  hasRoomFor({ manifestBytes, totalBytes }: Pick<OfferMessage, "manifestBytes" | "totalBytes">): boolean {
    const { usedBytes, quotaBytes } = this.#parts.shards.usage();
    let promised = 0;
    for (const { record, pieces } of this.#items.values()) {
      if (record.isWhole) continue;
      promised += Math.max(0, storedBytes(record) - pieces * (PIECE_BYTES + SHARD_OVERHEAD_BYTES));
    }
    return usedBytes + promised + storedBytes({ manifestBytes, totalBytes }) + ROOM_LEFT_BYTES <= quotaBytes;
  }

  /** Rejects with "full" if there is no room for it, and with "io". */
  async open(from: PeerId, name: string, offer: OfferMessage): Promise<Item> {
    if (this.#items.size >= ITEMS_MAX)
      throw new StarfishError("full", `An inbox holds ${ITEMS_MAX} transfers, and this one does`);
    if (!this.hasRoomFor(offer)) throw new StarfishError("full", "There is no room for it in the inbox");
    const { is: _, ...told } = offer;
    const nowMs = Math.round(this.#parts.clock.now());
    const progress = { pieces: 0, root: FIRST_ROOT, isWhole: false, startedAtMs: nowMs, touchedAtMs: nowMs };
    const id = toHex(offer.id);
    if (this.#items.has(id)) throw new StarfishError("malformed", "Two transfers under one name");
    const item: Item = { id, record: { from, name, ...told, ...progress }, pieces: 0, root: FIRST_ROOT, isOpen: true };
    this.#items.set(id, item);
    try {
      await this.#write(item);
    } catch (error) {
      this.#items.delete(id);
      throw error;
    }
    this.#onChange();
    return item;
  }

  /** Restores its progress: after a restart the pieces after the last note are hashed again. */
  async recall(item: Item): Promise<void> {
    const { coder, crypto } = this.#parts;
    item.isOpen = true;
    if (item.record.isWhole) return;
    for (;;) {
      const bytes = await this.#piece(item, item.pieces);
      if (bytes === undefined) break;
      const [digest] = await coder.hash([bytes]);
      release(bytes);
      if (digest === undefined) break;
      item.root = nextRoot(crypto, item.root, digest);
      item.pieces++;
    }
  }

  /** Stored for good when it resolves. Rejects with "full", "busy", "io". The bytes belong to the store until then. */
  async put(item: Item, index: number, bytes: Uint8Array, sha256: Uint8Array): Promise<void> {
    await this.#parts.shards.put(pieceId(item.id, index), bytes, { sha256 });
  }

  /** Notes the progress now and then. */
  async advance(item: Item): Promise<void> {
    if (item.pieces % JOURNAL_PIECES === 0) await this.#write(item);
  }

  /**
   * All pieces are here. Checks the transfer, stores its record for good, and shows it. Rejects with "malformed", "io",
   * "corrupt".
   */
  async finish(item: Item, totalBytes: number): Promise<void> {
    const { record } = item;
    if (record.isWhole) return;
    const entries = await this.#readEntries(item, totalBytes);
    const sum = entries.reduce((bytes, entry) => bytes + entry.sizeBytes, 0);
    if (!isAsOffered(toldOf(entries), record) || sum !== totalBytes)
      throw new StarfishError("malformed", "The contents differ from the offer");
    await this.#parts.shards.sync();
    item.record = { ...record, totalBytes, isWhole: true };
    await this.#write(item);
    this.#keepList(item.id, entries);
    this.#onChange();
  }

  /** Stops receiving; the received part is kept for a while. */
  async pause(item: Item): Promise<void> {
    item.isOpen = false;
    if (this.#items.get(item.id) === item && !item.record.isWhole) await this.#write(item);
    this.#onChange();
  }

  /**
   * The source has the same names but different contents: drops everything, and begins anew. A complete transfer stays
   * in the inbox: then this rejects, and the same offer counts as a new one when its sender comes back.
   */
  async restart(item: Item, offer: OfferMessage): Promise<void> {
    if (item.record.isWhole) {
      // The same offer has brought other bytes before.
      if (toHex(offer.id) === item.id) throw new StarfishError("malformed", "It has come whole already");
      this.#others.add(toHex(offer.id));
      const [oldest] = this.#others;
      if (this.#others.size > ASKED_REMEMBERED_MAX && oldest !== undefined) this.#others.delete(oldest);
      throw new StarfishError("link-closed", "It is not what is here: it has to be offered again");
    }
    const { pieces } = item;
    item.pieces = 0;
    item.root = FIRST_ROOT;
    await this.#write(item);
    await this.#dropPieces(item, pieces);
  }

  /** Deletes all of it, unless it is complete. */
  async dropPartial(item: Item): Promise<void> {
    item.isOpen = false;
    if (!item.record.isWhole) await this.drop(item);
  }

  /** Deletes all of it. */
  async drop(item: Item): Promise<void> {
    this.#items.delete(item.id);
    this.#lists.delete(item.id);
    this.#onChange();
    // The record first: pieces without one are dropped at the next start.
    await this.#parts.store.delete(RECORDS + item.id);
    await this.#dropPieces(item, item.pieces);
  }

  async entries(id: string): Promise<readonly InboxEntry[]> {
    const known = this.#lists.get(id);
    if (known !== undefined) return known;
    const item = this.#whole(id);
    const entries = await this.#readEntries(item, item.record.totalBytes ?? 0);
    this.#keepList(id, entries);
    return entries;
  }

  async *read(
    id: string,
    entry: InboxEntry,
    options: { readonly from?: number; readonly to?: number; readonly signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const { from = 0, to = Infinity, signal } = options;
    const item = this.#whole(id);
    if (entry.kind === "folder") throw new StarfishError("is-a-directory", `${entry.path} is a folder`);
    const end = entry.offset + Math.min(to, entry.sizeBytes);
    yield* this.#range(item, entry.offset + from, end, signal);
  }

  async remove(id: string): Promise<void> {
    await this.drop(this.#whole(id));
  }

  /** Deletes parts whose senders have not come back. */
  async sweep(): Promise<void> {
    const beforeMs = this.#parts.clock.now() - PARTIAL_KEPT_MS;
    for (const item of [...this.#items.values()]) {
      const { isWhole, touchedAtMs, title } = item.record;
      if (isWhole || item.isOpen || touchedAtMs > beforeMs) continue;
      this.#parts.log.write("info", "transfer.given-up", { title, pieces: item.pieces });
      await this.drop(item);
    }
  }

  #whole(id: string): Item {
    const item = this.#items.get(id);
    if (item?.record.isWhole !== true) throw new StarfishError("not-found", "That is not in the inbox (any more)");
    return item;
  }

  #keepList(id: string, entries: readonly InboxEntry[]): void {
    this.#lists.delete(id);
    this.#lists.set(id, entries);
    const [oldest] = this.#lists.keys();
    if (this.#lists.size > LISTS_KEPT && oldest !== undefined) this.#lists.delete(oldest);
  }

  async #readEntries(item: Item, totalBytes: number): Promise<InboxEntry[]> {
    const { manifestBytes, key } = item.record;
    const manifest = new Uint8Array(manifestBytes);
    let at = 0;
    for await (const bytes of this.#range(item, 0, manifestBytes, undefined)) {
      manifest.set(bytes, at);
      at += bytes.length;
    }
    const [digest] = await this.#parts.coder.hash([manifest]);
    if (digest === undefined || !equal(digest, key))
      throw new StarfishError("corrupt", "The list of its files is not the one that was offered");
    let offset = manifestBytes;
    return (await decodeManifest(manifest, this.#parts.clock)).map((entry) => {
      const sizeBytes = entry.sizeBytes ?? totalBytes;
      const placed = { ...entry, sizeBytes, offset };
      offset += sizeBytes;
      return placed;
    });
  }

  /** Bytes of the stream. Rejects with "corrupt" if a piece is missing or was changed. */
  async *#range(
    item: Item,
    from: number,
    to: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    for (let at = from; at < to;) {
      throwIfAborted(signal);
      const index = Math.floor(at / PIECE_BYTES);
      const piece = await this.#piece(item, index);
      const start = at - index * PIECE_BYTES;
      const part = piece?.subarray(start, Math.min(PIECE_BYTES, start + to - at));
      if (part === undefined || part.length === 0)
        throw new StarfishError("corrupt", `${item.record.title}: this node's disk has lost a part of it`);
      at += part.length;
      yield part;
    }
  }

  #piece({ id }: Item, index: number): Promise<Uint8Array | undefined> {
    const { shards } = this.#parts;
    const name = pieceId(id, index);
    return shards.has(name) ? shards.get(name) : Promise.resolve(undefined);
  }

  /** Beyond `pieces`, which are known to be stored, there may be pieces that were just being written. They go too. */
  async #dropPieces({ id }: Item, pieces: number): Promise<void> {
    const { shards } = this.#parts;
    for (let index = 0; index < pieces || shards.has(pieceId(id, index)); index++) {
      await shards.delete(pieceId(id, index));
    }
  }

  async #dropStrays(): Promise<void> {
    const { shards } = this.#parts;
    for (const { id } of [...shards.ids()]) {
      const [prefix, item = ""] = id.split("-");
      if (prefix === PIECES && id.split("-").length === 4 && !this.#items.has(item)) await shards.delete(id);
    }
  }

  async #write(item: Item): Promise<void> {
    item.record = {
      ...item.record,
      pieces: item.pieces,
      root: item.root,
      touchedAtMs: Math.round(this.#parts.clock.now()),
    };
    await this.#parts.store.set(RECORDS + item.id, encode(item.record));
  }
}

function pieceId(id: string, index: number): string {
  return `${PIECES}-${id}-p-${index.toString(RADIX)}`;
}

/** The room that it takes in the store; for a pipe the known part of it. */
function storedBytes({ manifestBytes, totalBytes }: Pick<OfferMessage, "manifestBytes" | "totalBytes">): number {
  const bytes = Math.min(TRANSFER_BYTES_MAX, totalBytes ?? 0) + manifestBytes;
  return bytes + Math.ceil(bytes / PIECE_BYTES) * SHARD_OVERHEAD_BYTES;
}

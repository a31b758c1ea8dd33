/**
 * Contents that this node holds whole. Their data shards are stored here beside the shards that belong here anyway,
 * under the same names, so that reading finds them first. A mark in the store names these contents for the next start.
 */
import { text, utf8 } from "../../base/bytes.ts";
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import type { Catalogue, Stored } from "../placement/catalogue.ts";
import { fetchShards } from "../shards/fetch.ts";
import type { GatherParts } from "../shards/gather.ts";
import type { Lists } from "../shards/lists.ts";
import { stripeCount } from "../code/shard-list.ts";
import { dropElsewhere } from "./tidy.ts";
import type { ContentRef } from "../types.ts";

export interface FullReplicaParts extends GatherParts {
  readonly catalogue: Catalogue;
  readonly lists: Lists;
  readonly device: string;
  /** Aborts when this node ends. */
  readonly signal: AbortSignal;
}

const MARK = "keep-";

export class FullReplicas {
  readonly #parts: FullReplicaParts;
  readonly #kept = new Map<string, ContentRef>();
  /** Contents that hold the lists of these contents. */
  readonly #lists = new Set<string>();

  constructor(parts: FullReplicaParts) {
    this.#parts = parts;
  }

  /** Reads the marks, when a node starts. */
  async load(): Promise<void> {
    const { store } = this.#parts.holdings;
    for (const { id } of [...store.ids()]) {
      if (!id.startsWith(MARK)) continue;
      const mark = await store.get(id);
      const sizeBytes = mark === undefined ? NaN : Number(text(mark));
      const cid = id.slice(MARK.length);
      if (Number.isSafeInteger(sizeBytes)) this.#kept.set(cid, { cid, sizeBytes });
    }
  }

  cids(): IterableIterator<string> {
    return this.#kept.keys();
  }

  has(cid: string): boolean {
    return this.#kept.has(cid) || this.#lists.has(cid);
  }

  get bytes(): number {
    return [...this.#kept.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  /**
   * Rejects with "not-found", "lost", "full", "cancelled". What has been fetched by then stays until it is released.
   */
  async keep(ref: ContentRef, signal: AbortSignal | undefined): Promise<void> {
    const { catalogue, holdings } = this.#parts;
    const [stored] = catalogue.layouts(ref.cid);
    if (stored === undefined) throw new StarfishError("not-found", `No content ${ref.cid} is known here`);
    await holdings.store.put(`${MARK}${ref.cid}`, utf8(String(ref.sizeBytes)));
    this.#kept.set(ref.cid, ref);
    await this.#fetch(stored, signal);
  }

  /** Fetches what is missing by now: damaged shards, another code. Never rejects. */
  async refresh(signal: AbortSignal): Promise<void> {
    for (const cid of this.#kept.keys()) {
      const [stored] = this.#parts.catalogue.layouts(cid);
      if (stored === undefined) continue;
      try {
        await this.#fetch(stored, signal);
      } catch (error) {
        if (!isStarfishError(error)) throw error;
      }
    }
  }

  /**
   * Drops the shards of it that are stored on the devices to which they belong. The others are dropped later (tidy.ts).
   */
  async release(ref: ContentRef): Promise<void> {
    const { catalogue, holdings, signal } = this.#parts;
    this.#kept.delete(ref.cid);
    for (const { list } of catalogue.layouts(ref.cid)) if (!(list instanceof Uint8Array)) this.#lists.delete(list.cid);
    await holdings.store.delete(`${MARK}${ref.cid}`);
    for (const stored of catalogue.layouts(ref.cid)) await dropElsewhere(this.#parts, stored, signal);
  }

  async #fetch(stored: Stored, signal: AbortSignal | undefined): Promise<void> {
    const { catalogue } = this.#parts;
    if (!(stored.list instanceof Uint8Array)) {
      this.#lists.add(stored.list.cid);
      const [list] = catalogue.listLayouts(stored);
      if (list !== undefined) await this.#fetch(list, signal);
    }
    for (let stripe = 0; stripe < stripeCount(stored); stripe++) {
      await fetchShards(this.#parts, stored, stripe, stored.code.n, { signal });
    }
  }
}

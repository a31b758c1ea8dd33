/**
 * Fetches to this node the shards of a stripe that it has to hold: from a node that holds them, or the whole stripe, or
 * else from as many nodes as are needed to rebuild them.
 */
import { isStarfishError } from "../../base/errors.ts";
import { release } from "../../base/owned.ts";
import { Semaphore } from "../../base/semaphore.ts";
import type { PeerId } from "../../ports/network.ts";
import type { Catalogue, Stored } from "../placement/catalogue.ts";
import { gather, type GatherParts } from "./gather.ts";
import { shardsOf } from "../code/layout.ts";
import { BULK_HEDGE_MS, FETCHED_BYTES_MAX } from "../limits.ts";
import type { Lists } from "./lists.ts";
import { stripeCount, stripeOf } from "../code/shard-list.ts";
import type { FetchRequest, PutResult } from "./wire.ts";

export interface FetchParts extends GatherParts {
  readonly lists: Lists;
}

export interface FetcherParts extends FetchParts {
  readonly catalogue: Catalogue;
  readonly signal: AbortSignal;
}

/** Fetches shards that a repairer asks this node to hold, a bounded number of bytes at a time. */
export class Fetcher {
  readonly #parts: FetcherParts;
  readonly #window = new Semaphore(FETCHED_BYTES_MAX);

  constructor(parts: FetcherParts) {
    this.#parts = parts;
  }

  /** Never rejects: "busy" also means that it can't be fetched now. */
  async serve({ id, stripe, shard, from }: FetchRequest, asker: AbortSignal): Promise<PutResult> {
    const stored = this.#parts.catalogue.layout(id);
    if (stored === undefined || shard > stored.code.n || stripe >= stripeCount(stored)) return "busy";
    const { shardBytes } = stripeOf(stored, stripe);
    const release = await this.#window.acquire(shardBytes * shardsOf(shard, stored.code).length);
    try {
      const signal = AbortSignal.any([asker, this.#parts.signal]);
      await fetchShards(this.#parts, stored, stripe, shard, { signal, sources: from });
      return "ok";
    } catch (error) {
      if (!isStarfishError(error)) throw error;
      return error.code === "full" || error.code === "io" ? error.code : "busy";
    } finally {
      release();
    }
  }
}

/**
 * Fetches a shard, or by number n all data shards, unless they are here. Rejects as `gather` does, and with "full" or
 * "io".
 */
export async function fetchShards(
  parts: FetchParts,
  stored: Stored,
  stripe: number,
  shard: number,
  options: { readonly signal?: AbortSignal | undefined; readonly sources?: readonly PeerId[] },
): Promise<void> {
  const { id, code } = stored;
  const wanted = shardsOf(shard, code).filter((each) => !parts.holdings.has({ id, stripe, shard: each }));
  if (wanted.length === 0) return;
  const { list } = await parts.lists.of(stored, options);
  const got = await gather(parts, list, id, stripe, wanted, { ...options, hedgeMs: BULK_HEDGE_MS });
  for (const each of wanted) {
    const bytes = got.get(each);
    const sha256 = list.hashOf(stripe, each);
    if (bytes !== undefined) await parts.holdings.putForOthers({ id, stripe, shard: each }, { bytes, sha256 });
  }
  for (const bytes of got.values()) release(bytes);
}

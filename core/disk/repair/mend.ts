/**
 * Brings shards of one stripe to the nodes that have to hold them, in the cheapest way. A node that holds the stripe
 * whole gives them. Or each target fetches its shard from a holder. Or, if several shards have to be rebuilt from k,
 * this node rebuilds them together, which costs little more than one, and passes them on.
 */
import { assert } from "../../base/assert.ts";
import { isStarfishError } from "../../base/errors.ts";
import { release } from "../../base/owned.ts";
import { Semaphore } from "../../base/semaphore.ts";
import type { PeerId } from "../../ports/network.ts";
import type { Found, Unit } from "./census.ts";
import type { Fetcher } from "../shards/fetch.ts";
import { gather, type GatherParts } from "../shards/gather.ts";
import type { Giver } from "../shards/give.ts";
import { shardsOf } from "../code/layout.ts";
import {
  BULK_HEDGE_MS,
  GIVEN_BELIEVED_MS,
  GIVEN_SHARDS_MAX,
  REBUILT_BYTES_MAX,
  REPAIR_ASKED_BYTES_MAX,
} from "../limits.ts";
import type { Lists } from "../shards/lists.ts";
import { stripeOf } from "../code/shard-list.ts";
import { type PutResult, SOURCES_MAX } from "../shards/wire.ts";

export interface MendParts extends GatherParts {
  readonly lists: Lists;
  readonly fetcher: Fetcher;
  readonly giver: Giver;
  readonly signal: AbortSignal;
}

export interface Target {
  /** Number n stands for the whole stripe. */
  readonly shard: number;
  readonly node: PeerId;
}

export interface Mending {
  readonly unit: Unit;
  readonly stripe: number;
  readonly found: Found;
  readonly targets: readonly Target[];
  /** Whether some shards have no holder, and no node holds the whole stripe. */
  readonly isRebuilding: boolean;
}

export class Mender {
  readonly #parts: MendParts;
  readonly #rebuilt = new Semaphore(REBUILT_BYTES_MAX);
  readonly #asked = new Semaphore(REPAIR_ASKED_BYTES_MAX);
  /**
   * Shards that a holder claims to have given, by stripe, shard and node, with the time until which the claim is
   * believed, monotonic ms.
   */
  readonly #given = new Map<string, number>();

  constructor(parts: MendParts) {
    this.#parts = parts;
  }

  /**
   * Waits until there is room, then brings the shards. The inner promise gives the result of each target and never
   * rejects.
   */
  async begin(mending: Mending): Promise<() => Promise<readonly PutResult[]>> {
    const window = mending.isRebuilding ? this.#rebuilt : this.#asked;
    const leave = await window.acquire(bytesOf(mending));
    return () => this.#mend(mending).finally(leave);
  }

  async #mend(mending: Mending): Promise<readonly PutResult[]> {
    try {
      if (mending.isRebuilding) return await this.#rebuild(mending);
      const given = await this.#give(mending);
      const left = mending.targets.filter((target) => !["ok", "full"].includes(given.get(target) ?? ""));
      const fetched = await this.#fetch({ ...mending, targets: left });
      return mending.targets.map((target) => fetched[left.indexOf(target)] ?? given.get(target) ?? "busy");
    } catch (error) {
      if (!isStarfishError(error)) throw error;
      return mending.targets.map(() => "busy");
    }
  }

  /**
   * Asks a holder of the whole stripe to give the targets their shards. Returns the results of the targets that were
   * asked for.
   */
  async #give(mending: Mending): Promise<ReadonlyMap<Target, PutResult>> {
    const { self, peers, giver, signal, clock } = this.#parts;
    const { unit, stripe, targets } = mending;
    const { id, code } = unit.stored;
    const [whole] = code.wholes === 0 || targets.some(({ shard }) => shard === code.n) ? [] : wholesOf(mending);
    const keyOf = ({ shard, node }: Target): string => `${id}-${stripe}-${shard}-${node}`;
    // If the shard is still missing although a holder has just claimed to have given it, the claim may be wrong.
    const to = targets.filter((target) => clock.monotonic() >= (this.#given.get(keyOf(target)) ?? -Infinity));
    if (whole === undefined || to.length === 0) return new Map();
    const request = { id, stripe, to };
    try {
      const results = await (whole === self
        ? giver.serve(request, signal)
        : peers.give(whole, request, bytesOf({ ...mending, targets: to })));
      if (this.#given.size >= GIVEN_SHARDS_MAX) this.#given.clear();
      for (const target of to) this.#given.set(keyOf(target), clock.monotonic() + GIVEN_BELIEVED_MS);
      return new Map(to.map((target, i) => [target, results[i] ?? "busy"]));
    } catch (error) {
      // The holder is away, too slow, or of a version that does not know this request.
      if (isStarfishError(error)) return new Map();
      throw error;
    }
  }

  async #fetch(mending: Mending): Promise<readonly PutResult[]> {
    const { self, peers, fetcher, signal } = this.#parts;
    const { unit, stripe, found, targets } = mending;
    const { stored } = unit;
    const wholes = wholesOf(mending);
    return Promise.all(
      targets.map(async ({ shard, node }) => {
        const from = [...(found.get(shard) ?? []), ...wholes].slice(0, SOURCES_MAX);
        const request = { id: stored.id, stripe, shard, from };
        const bytes = stripeOf(stored, stripe).shardBytes * shardsOf(shard, stored.code).length;
        try {
          return await (node === self ? fetcher.serve(request, signal) : peers.fetch(node, request, bytes));
        } catch (error) {
          // The other targets go on.
          return resultOf(error);
        }
      }),
    );
  }

  async #rebuild({ unit, stripe, found, targets }: Mending): Promise<readonly PutResult[]> {
    const { lists, peers, signal } = this.#parts;
    const { id } = unit.stored;
    const { list } = await lists.of(unit.stored, { signal });
    const wanted = targets.map(({ shard }) => shard);
    const shards = await gather(this.#parts, list, id, stripe, wanted, { signal, found, hedgeMs: BULK_HEDGE_MS });
    let isAnswered = true;
    const results = await Promise.all(
      targets.map(async ({ shard, node }) => {
        const bytes = shards.get(shard);
        assert(bytes !== undefined, "gathering gives what is wanted");
        const content = { bytes, sha256: list.hashOf(stripe, shard) };
        try {
          return await peers.put(node, { id, stripe, shard }, content);
        } catch (error) {
          isAnswered = false;
          return resultOf(error);
        }
      }),
    );
    // What has not been answered may still be on its way out.
    if (isAnswered) for (const bytes of shards.values()) release(bytes);
    return results;
  }
}

/** Nodes that hold all data shards. */
function wholesOf({ unit, found }: Mending): PeerId[] {
  const { code } = unit.stored;
  const all = shardsOf(code.n, code);
  return (found.get(0) ?? []).filter((node) => all.every((shard) => found.get(shard)?.includes(node) === true));
}

/** The bytes that are moved for it. */
export function bytesOf({ unit: { stored }, stripe, targets, isRebuilding }: Mending): number {
  const { code } = stored;
  const moved = targets.flatMap(({ shard }) => shardsOf(shard, code)).length;
  return stripeOf(stored, stripe).shardBytes * (isRebuilding ? code.k + moved : moved);
}

/** A node that is too slow, or of a version that does not know this request, is replaced by another device. */
function resultOf(error: unknown): PutResult {
  if (!isStarfishError(error)) throw error;
  return error.code === "timeout" || error.code === "unknown-protocol" ? "io" : "busy";
}

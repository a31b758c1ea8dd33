/**
 * Gives shards of stripes that this node holds whole to the nodes that have to hold them. The data shards are read
 * once, and the other shards are computed together. If each recipient asked by itself, every shard would be computed
 * separately.
 */
import { assert } from "../../base/assert.ts";
import { equal } from "../../base/bytes.ts";
import { isStarfishError, throwIfAborted } from "../../base/errors.ts";
import { release } from "../../base/owned.ts";
import { Semaphore } from "../../base/semaphore.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Coder } from "../../ports/coder.ts";
import type { Catalogue, Stored } from "../placement/catalogue.ts";
import type { Hash } from "../content/block.ts";
import type { Devices } from "../placement/devices.ts";
import type { Holdings } from "./holdings.ts";
import { shardsOf } from "../code/layout.ts";
import { GIVEN_BYTES_MAX, GIVEN_REMEMBERED_MS } from "../limits.ts";
import type { Lists } from "./lists.ts";
import type { ShardPeers } from "./peers.ts";
import { stripeCount, stripeOf } from "../code/shard-list.ts";
import type { GiveRequest, PutResult } from "./wire.ts";

export interface GiverParts {
  readonly catalogue: Catalogue;
  readonly devices: Devices;
  readonly holdings: Holdings;
  readonly lists: Lists;
  readonly peers: ShardPeers;
  readonly coder: Coder;
  readonly hash: Hash;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

type Recipient = GiveRequest["to"][number];

export class Giver {
  readonly #parts: GiverParts;
  readonly #window = new Semaphore(GIVEN_BYTES_MAX);
  /**
   * Shards that are being given or were given a moment ago, by stripe, shard and node, and until when that is
   * remembered, monotonic ms: several repairers may ask for the same.
   */
  readonly #given = new Map<string, { readonly result: Promise<PutResult>; untilMs: number }>();

  constructor(parts: GiverParts) {
    this.#parts = parts;
  }

  /** The result of each recipient, or "busy" if its shard is not available now. Never rejects. */
  async serve({ id, stripe, to }: GiveRequest, asker: AbortSignal): Promise<PutResult[]> {
    const { catalogue, devices } = this.#parts;
    const stored = catalogue.layout(id);
    const isPossible = ({ shard, node }: Recipient): boolean =>
      stored !== undefined && shard < stored.code.n && devices.deviceOf(node) !== undefined;
    if (stored === undefined || stripe >= stripeCount(stored) || !to.every(isPossible)) return to.map(() => "busy");
    this.#forget();
    const keys = to.map(({ shard, node }) => `${id}-${stripe}-${shard}-${node}`);
    const fresh = [...new Set(keys)].filter((key) => !this.#given.has(key));
    if (fresh.length > 0) {
      const recipients = fresh.flatMap((key) => to[keys.indexOf(key)] ?? []);
      const giving = this.#give(stored, stripe, recipients, AbortSignal.any([asker, this.#parts.signal]));
      for (const [i, key] of fresh.entries()) {
        const result = giving.then((results) => results[i] ?? "busy");
        this.#remember(key, result);
      }
    }
    return Promise.all(keys.map(async (key) => this.#given.get(key)?.result ?? "busy"));
  }

  #remember(key: string, result: Promise<PutResult>): void {
    this.#given.set(key, { result, untilMs: Infinity });
    const done = (said?: PutResult): void => {
      this.#given.delete(key);
      // Failures are not remembered, because the next attempt may succeed.
      if (said === "ok") this.#given.set(key, { result, untilMs: this.#parts.clock.monotonic() + GIVEN_REMEMBERED_MS });
    };
    result.then(done, () => done());
  }

  async #give(stored: Stored, stripe: number, to: readonly Recipient[], signal: AbortSignal): Promise<PutResult[]> {
    const { code, id } = stored;
    const { peers, lists } = this.#parts;
    const { shardBytes } = stripeOf(stored, stripe);
    const leave = await this.#window.acquire((code.k + to.length) * shardBytes);
    try {
      throwIfAborted(signal);
      const { list } = await lists.of(stored, { signal });
      const wanted = [...new Set(to.map(({ shard }) => shard))];
      const sha256 = (shard: number): Uint8Array => list.hashOf(stripe, shard);
      const shards = await this.#shards(stored, stripe, wanted, sha256);
      if (shards === undefined) return to.map(() => "busy");
      let isAnswered = true;
      const results = await Promise.all(
        to.map(async ({ shard, node }) => {
          const bytes = shards.get(shard);
          assert(bytes !== undefined, "all that is wanted is read or computed");
          try {
            return await peers.put(node, { id, stripe, shard }, { bytes, sha256: sha256(shard) });
          } catch (error) {
            isAnswered = false;
            return busyIfOurs(error);
          }
        }),
      );
      // What has not been answered may still be on its way out.
      if (isAnswered) for (const bytes of shards.values()) release(bytes);
      return results;
    } catch (error) {
      const result = busyIfOurs(error);
      return to.map(() => result);
    } finally {
      leave();
    }
  }

  /**
   * Undefined if this node does not hold the whole stripe after all, or if the stripe was coded from other bytes than
   * its list says.
   */
  async #shards(
    { id, code }: Stored,
    stripe: number,
    wanted: readonly number[],
    sha256: (shard: number) => Uint8Array,
  ): Promise<Map<number, Uint8Array> | undefined> {
    const { holdings, coder, hash, signal } = this.#parts;
    const data = new Map<number, Uint8Array>();
    const computed = wanted.filter((shard) => shard >= code.k);
    for (const shard of computed.length === 0 ? wanted : shardsOf(code.n, code)) {
      const bytes = await holdings.get({ id, stripe, shard }, sha256(shard));
      if (bytes === undefined) return undefined;
      data.set(shard, bytes);
    }
    if (computed.length === 0) return data;
    const shards = await coder.reconstruct(code.k, data, wanted, { signal });
    const digests = await hash(computed.map((shard) => shards.get(shard) ?? new Uint8Array(0)));
    const isRight = computed.every((shard, i) => equal(digests[i] ?? new Uint8Array(0), sha256(shard)));
    return isRight ? shards : undefined;
  }

  #forget(): void {
    const nowMs = this.#parts.clock.monotonic();
    for (const [key, { untilMs }] of this.#given) {
      // The map is in the order in which giving began. Gifts that are under way are in it too.
      if (untilMs !== Infinity && untilMs > nowMs) return;
      if (untilMs <= nowMs) this.#given.delete(key);
    }
  }
}

function busyIfOurs(error: unknown): PutResult {
  if (!isStarfishError(error)) throw error;
  return "busy";
}

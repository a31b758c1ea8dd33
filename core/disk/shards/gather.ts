/**
 * Collects shards of one stripe, from this node's store and from others. The wanted shards are asked for first. If a
 * shard fails or is late, another one is asked for. From any k shards the wanted ones are computed. Each shard is
 * checked against its hash. When the nodes that should hold shards don't, all others are asked which they hold.
 */
import { equal } from "../../base/bytes.ts";
import { StarfishError, throwIfAborted } from "../../base/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Coder } from "../../ports/coder.ts";
import type { PeerId } from "../../ports/network.ts";
import type { Hash } from "../content/block.ts";
import type { Devices } from "../placement/devices.ts";
import type { Holdings, ShardName } from "./holdings.ts";
import { HEDGE_MS } from "../limits.ts";
import type { ShardPeers } from "./peers.ts";
import { readHeld } from "./wire.ts";
import { type ShardList, stripeOf } from "../code/shard-list.ts";
import { Slots } from "../placement/slots.ts";

export interface GatherParts {
  readonly self: PeerId;
  readonly devices: Devices;
  readonly slots: Slots;
  readonly peers: ShardPeers;
  readonly holdings: Holdings;
  readonly coder: Coder;
  readonly clock: Clock;
  readonly hash: Hash;
  /** Called if a shard came with wrong bytes, or one that should be there is missing. */
  readonly onDamage: (name: ShardName) => void;
}

export interface GatherOptions {
  readonly signal?: AbortSignal | undefined;
  /** Nodes that are known to hold the wanted shard, or the whole stripe. */
  readonly sources?: readonly PeerId[] | undefined;
  /** The holders of each shard, if all nodes have just been asked. */
  readonly found?: ReadonlyMap<number, readonly PeerId[]> | undefined;
  /** When a shard is late, by default as a reader sees it. */
  readonly hedgeMs?: number | undefined;
}

/**
 * The wanted shards of a stripe by their number. Rejects with "lost" if fewer than k shards are in reach, "cancelled".
 * The shards belong to the caller.
 */
export function gather(
  parts: GatherParts,
  list: ShardList,
  id: string,
  stripe: number,
  wanted: readonly number[],
  options: GatherOptions = {},
): Promise<Map<number, Uint8Array>> {
  return new Gathering(parts, list, id, stripe, wanted, options).run();
}

class Gathering {
  readonly #parts: GatherParts;
  readonly #list: ShardList;
  readonly #id: string;
  readonly #stripe: number;
  readonly #wanted: readonly number[];
  readonly #signal: AbortSignal | undefined;
  readonly #sources: readonly PeerId[];
  readonly #hedgeMs: number;
  readonly #got = new Map<number, Uint8Array>();
  /** Shards that are being fetched. */
  readonly #active = new Set<number>();
  /** Nodes that were asked for a shard. */
  readonly #tried = new Map<number, Set<PeerId>>();
  /** By shard, the nodes that claim to have it. */
  #found: ReadonlyMap<number, readonly PeerId[]> | undefined;
  #isLate = false;
  /** The error that ended it. */
  #broken: { readonly error: unknown } | undefined;
  #wake: () => void = () => {};

  constructor(
    parts: GatherParts,
    list: ShardList,
    id: string,
    stripe: number,
    wanted: readonly number[],
    options: GatherOptions,
  ) {
    this.#parts = parts;
    this.#list = list;
    this.#id = id;
    this.#stripe = stripe;
    this.#wanted = wanted;
    this.#signal = options.signal;
    this.#found = options.found;
    this.#sources = options.sources ?? [];
    this.#hedgeMs = options.hedgeMs ?? HEDGE_MS;
  }

  async run(): Promise<Map<number, Uint8Array>> {
    const hedge = this.#parts.clock.timer(this.#hedgeMs, () => {
      this.#isLate = true;
      this.#wake();
    });
    const wake = (): void => this.#wake();
    this.#signal?.addEventListener("abort", wake, { once: true });
    try {
      return await this.#run();
    } finally {
      hedge.cancel();
      this.#signal?.removeEventListener("abort", wake);
    }
  }

  async #run(): Promise<Map<number, Uint8Array>> {
    const { k } = this.#list.cut.code;
    for (const shard of this.#wanted) this.#start(shard);
    for (;;) {
      throwIfAborted(this.#signal);
      if (this.#broken !== undefined) throw this.#broken.error;
      const missing = this.#wanted.filter((shard) => !this.#got.has(shard));
      if (missing.length === 0) return this.#got;
      if (this.#got.size >= k) return this.#compute();
      const awaited = this.#isLate ? 0 : missing.filter((shard) => this.#active.has(shard)).length;
      if (awaited < missing.length) this.#startOthers();
      if (this.#active.size === 0) {
        if (this.#found !== undefined) throw lost(this.#got.size, k);
        await this.#ask();
        for (const shard of this.#found === undefined ? [] : this.#wanted) this.#start(shard);
        continue;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Asks for as many other shards as are needed to compute the missing ones. */
  #startOthers(): void {
    const { k, n } = this.#list.cut.code;
    // It does not count on the shards that are late.
    const late = this.#isLate ? this.#wanted.filter((shard) => this.#active.has(shard)).length : 0;
    let short = k - this.#got.size - (this.#active.size - late);
    for (let shard = 0; shard < n && short > 0; shard++) if (this.#start(shard)) short--;
  }

  /** Whether there is somebody to ask for the shard. */
  #start(shard: number): boolean {
    if (this.#got.has(shard) || this.#active.has(shard)) return false;
    const node = this.#candidates(shard).find((candidate) => this.#tried.get(shard)?.has(candidate) !== true);
    if (node === undefined) return false;
    this.#active.add(shard);
    this.#tried.set(shard, (this.#tried.get(shard) ?? new Set()).add(node));
    void this.#fetch(node, shard).catch((error: unknown) => {
      this.#broken ??= { error };
      this.#wake();
    });
    return true;
  }

  #candidates(shard: number): PeerId[] {
    const { devices, slots, holdings, self } = this.#parts;
    const partition = slots.partition(this.#id, this.#stripe);
    const bySlot = slots.of(partition);
    const own = holdings.has({ id: this.#id, stripe: this.#stripe, shard }) ? [self] : [];
    const those = Slots.sourcesOf(shard, this.#list.cut.code).flatMap((slot) => {
      const device = bySlot[slot];
      return device === undefined ? [] : devices.nodesOf(device, partition);
    });
    const known = this.#wanted.includes(shard) ? this.#sources : [];
    // Doubtful nodes are asked only when all nodes are asked, because nobody else has the shard.
    const others = [...known, ...those].filter((node) => node !== self && !devices.isDoubtful(node));
    return [...own, ...others, ...(this.#found?.get(shard) ?? [])];
  }

  async #fetch(node: PeerId, shard: number): Promise<void> {
    const name = { id: this.#id, stripe: this.#stripe, shard };
    const { peers, self } = this.#parts;
    const wanted = {
      bytes: stripeOf(this.#list.cut, this.#stripe).shardBytes,
      sha256: this.#list.hashOf(this.#stripe, shard),
    };
    const answer = await peers.get(node, name, wanted).catch(() => "unreachable" as const);
    const bytes = answer === "unreachable" ? undefined : answer;
    // This node's own has been checked as it was read.
    const isRight = bytes !== undefined && (node === self || (await this.#isRight(wanted.sha256, bytes)));
    this.#active.delete(shard);
    if (isRight) this.#got.set(shard, bytes);
    else {
      if (bytes !== undefined) void this.#parts.peers.complain(node, name);
      // A node that can't be reached may still have the shard.
      if (answer !== "unreachable") this.#parts.onDamage(name);
      // Perhaps its twin is there.
      this.#start(shard);
    }
    this.#wake();
  }

  async #isRight(sha256: Uint8Array, bytes: Uint8Array): Promise<boolean> {
    const [digest] = await this.#parts.hash([bytes]);
    return digest !== undefined && equal(digest, sha256);
  }

  async #compute(): Promise<Map<number, Uint8Array>> {
    const { k } = this.#list.cut.code;
    const got = new Map([...this.#got].slice(0, k));
    const want = [...new Set([...this.#wanted, ...got.keys()])];
    const computed = want.filter((shard) => !got.has(shard));
    const shards = await this.#parts.coder.reconstruct(k, got, want, { signal: this.#signal });
    const digests = await this.#parts.hash(computed.map((shard) => shards.get(shard) ?? new Uint8Array(0)));
    for (const [i, shard] of computed.entries()) {
      if (equal(digests[i] ?? new Uint8Array(0), this.#list.hashOf(this.#stripe, shard))) continue;
      throw new StarfishError("corrupt", `Stripe ${this.#stripe} was coded from other bytes than its list says`);
    }
    return shards;
  }

  /** Asks everybody what there is of this stripe. */
  async #ask(): Promise<void> {
    const { devices, peers } = this.#parts;
    const found = new Map<number, PeerId[]>();
    const run = { id: this.#id, from: this.#stripe, to: this.#stripe + 1 };
    const asking = devices.nodes().map(async (node) => {
      const [held] = await peers.have(node, [run], { signal: this.#signal }).catch(() => []);
      if (held === undefined) return;
      readHeld(held, this.#stripe, (_, shard) => found.set(shard, [...(found.get(shard) ?? []), node]));
    });
    await Promise.all(asking);
    this.#found = found;
    // A node that has failed to give a shard, and now says that it has it, is asked once more.
    for (const [shard, nodes] of found) for (const node of nodes) this.#tried.get(shard)?.delete(node);
  }
}

function lost(got: number, k: number): StarfishError {
  return new StarfishError("lost", `Only ${got} of the ${k} shards that are needed are in reach now`, {
    retryable: true,
  });
}

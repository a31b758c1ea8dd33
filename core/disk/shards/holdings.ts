/**
 * The shards that this node holds: an index of them in memory by layout and stripe, and the store behind it. A shard is
 * counted once it is stored, and no longer once it proves damaged.
 */
import type { Bytes } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { Listeners, type Unsubscribe } from "../../base/events.ts";
import { Semaphore } from "../../base/semaphore.ts";
import type { ShardStore } from "../../ports/shard-store.ts";
import { OWN_WRITES_MAX } from "../limits.ts";

/** Names a shard by its layout, stripe and number. */
export interface ShardName {
  readonly id: string;
  readonly stripe: number;
  readonly shard: number;
}

/** A shard, and the hash that its list has for it. */
export interface Shard {
  readonly bytes: Bytes;
  readonly sha256: Bytes;
}

const RADIX = 36;

function shardKey({ id, stripe, shard }: ShardName): string {
  return `${id}-${stripe.toString(RADIX)}-${shard.toString(RADIX)}`;
}

function parseShardKey(key: string): ShardName | undefined {
  const match = /^([a-z0-9]+)-([a-z0-9]+)-([a-z0-9]+)$/.exec(key);
  if (match === null) return undefined;
  const [, id = "", stripe = "", shard = ""] = match;
  return { id, stripe: parseInt(stripe, RADIX), shard: parseInt(shard, RADIX) };
}

export class Holdings {
  readonly store: ShardStore;
  /** By layout and stripe, the numbers of the shards. */
  readonly #held = new Map<string, Map<number, number[]>>();
  readonly #writes = new Semaphore(OWN_WRITES_MAX);
  readonly #changes = new Listeners<void>();
  readonly #damages = new Listeners<ShardName>();
  #count = 0;
  #offeredBytes: number | undefined;

  constructor(store: ShardStore) {
    this.store = store;
    for (const { id } of store.ids()) {
      const name = parseShardKey(id);
      if (name !== undefined) this.#note(name);
    }
    store.onDamaged((id) => {
      const name = parseShardKey(id);
      if (name === undefined) return;
      this.#forget(name);
      this.#damages.emit(name);
    });
  }

  get count(): number {
    return this.#count;
  }

  /** How many bytes of others' shards may be here: all that the store may hold, or less. */
  get offeredBytes(): number {
    const { quotaBytes } = this.store.usage();
    return Math.min(quotaBytes, this.#offeredBytes ?? quotaBytes);
  }

  /** `ownBytes`: what the store may hold of this node's own puts, if that is more. */
  offer(bytes: number, ownBytes: number): void {
    this.#offeredBytes = bytes;
    this.store.setQuota(Math.max(bytes, ownBytes));
  }

  onChange(listener: () => void): Unsubscribe {
    return this.#changes.add(listener);
  }

  /** Called with each shard that was here and has proved damaged. */
  onDamage(listener: (name: ShardName) => void): Unsubscribe {
    return this.#damages.add(listener);
  }

  has({ id, stripe, shard }: ShardName): boolean {
    return this.#held.get(id)?.get(stripe)?.includes(shard) ?? false;
  }

  /** Numbers of the shards of a stripe. */
  of(id: string, stripe: number): readonly number[] {
    return this.#held.get(id)?.get(stripe) ?? [];
  }

  /** The layouts of which something is here. */
  layouts(): string[] {
    return [...this.#held.keys()];
  }

  *shardsOf(id: string): Generator<ShardName> {
    for (const [stripe, shards] of this.#held.get(id) ?? []) for (const shard of shards) yield { id, stripe, shard };
  }

  /** If `sha256` is given, a shard with another hash is dropped, and the result is undefined. */
  async get(name: ShardName, sha256?: Bytes): Promise<Uint8Array | undefined> {
    if (!this.has(name)) return undefined;
    const bytes = await this.store.get(shardKey(name), { sha256 });
    if (bytes === undefined) this.#forget(name);
    return bytes;
  }

  /** Rejects with "full" or "io". */
  async put(name: ShardName, { bytes, sha256 }: Shard): Promise<void> {
    if (this.has(name)) return;
    const release = await this.#writes.acquire(1);
    try {
      await this.store.put(shardKey(name), bytes, { sha256 });
      this.#note(name);
    } finally {
      release();
    }
    this.#changes.emit();
  }

  /** Like `put`, for shards that others place here: only within what is offered. */
  async putForOthers(name: ShardName, shard: Shard): Promise<void> {
    if (!this.has(name) && this.store.usage().usedBytes + shard.bytes.length > this.offeredBytes) {
      throw new StarfishError("full", `The storage that this node offers is used up (${this.offeredBytes} bytes)`);
    }
    await this.put(name, shard);
  }

  async drop(name: ShardName): Promise<void> {
    this.#forget(name);
    await this.store.delete(shardKey(name));
    this.#changes.emit();
  }

  /** Drops all shards of a layout. */
  async dropAll(id: string): Promise<void> {
    for (const name of [...this.shardsOf(id)]) await this.drop(name);
  }

  #note({ id, stripe, shard }: ShardName): void {
    let stripes = this.#held.get(id);
    if (stripes === undefined) this.#held.set(id, (stripes = new Map()));
    const shards = stripes.get(stripe);
    if (shards?.includes(shard) === true) return;
    if (shards === undefined) stripes.set(stripe, [shard]);
    else shards.push(shard);
    this.#count++;
  }

  #forget({ id, stripe, shard }: ShardName): void {
    const stripes = this.#held.get(id);
    const shards = stripes?.get(stripe);
    if (stripes === undefined || shards?.includes(shard) !== true) return;
    this.#count--;
    const left = shards.filter((other) => other !== shard);
    if (left.length > 0) stripes.set(stripe, left);
    else stripes.delete(stripe);
    if (stripes.size === 0) this.#held.delete(id);
  }
}

/** The error that a store's refusal is to others. */
export function refusal(error: unknown): "full" | "io" | "busy" {
  if (!(error instanceof StarfishError)) throw error;
  return error.code === "full" || error.code === "busy" ? error.code : "io";
}

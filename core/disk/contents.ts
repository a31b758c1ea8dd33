/**
 * Contents, wired: the lower half of the disk (types.ts). The map `layout` says what there is and where it belongs;
 * nodes say what they hold; this file says which part does what.
 */
import { messageOf, StarfishError, toStarfishError } from "../base/errors.ts";
import { Listeners, type Unsubscribe } from "../base/events.ts";
import type { Memory } from "../memory/memory.ts";
import type { Net } from "../net/types.ts";
import { type Clock, every, sleep } from "../ports/clock.ts";
import type { Coder } from "../ports/coder.ts";
import type { Crypto } from "../ports/crypto.ts";
import type { Log } from "../ports/log.ts";
import type { Random } from "../ports/random.ts";
import type { ShardStore } from "../ports/shard-store.ts";
import { Acknowledged } from "./acknowledged.ts";
import { Catalogue, type Stored } from "./placement/catalogue.ts";
import { Collect } from "./repair/collect.ts";
import type { Hash } from "./content/block.ts";
import { Devices } from "./placement/devices.ts";
import { Fetcher } from "./shards/fetch.ts";
import { Giver } from "./shards/give.ts";
import { Holdings, type ShardName } from "./shards/holdings.ts";
import { FullReplicas } from "./repair/full-replicas.ts";
import { staleness } from "./code/layout.ts";
import {
  COLLECT_EVERY_MS,
  LAYOUT_MAP_BYTES_MAX,
  SAFE_LOOK_MS,
  SAFE_PATIENCE_MS,
  SAFE_PATIENCE_RETRYABLE_MS,
  UNREFERENCED_KEPT_MS,
} from "./limits.ts";
import { Lists } from "./shards/lists.ts";
import { ShardPeers } from "./shards/peers.ts";
import { putContent, type PutOptions, type PutParts, type PutResult } from "./shards/put.ts";
import { readContent, type ReadOptions, type ReadParts } from "./shards/read.ts";
import { Recode } from "./repair/recode.ts";
import { Repair } from "./repair/repair.ts";
import { Scrubber } from "./repair/scrub.ts";
import { serveShards } from "./shards/serve.ts";
import { Slots } from "./placement/slots.ts";
import { measure, statContent } from "./repair/stat.ts";
import { allHaveTold, type StorageTold, tellStorage } from "./shards/storage-told.ts";
import { tidy } from "./repair/tidy.ts";
import type { Contents, ContentRef, ContentStat, PutProgress, StorageOffer, StorageUse } from "./types.ts";

export interface ContentsParts {
  readonly net: Net;
  readonly memory: Memory;
  readonly store: ShardStore;
  readonly coder: Coder;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly log: Log;
}

export interface ContentsOptions {
  /** How long a device that is gone is awaited; by default as repair/policy.ts has it. */
  readonly graceMs?: number;
  /** How long contents to which nobody refers are kept. */
  readonly unreferencedKeptMs?: number;
}

/** Starts with what the store holds. Rejects with "io" if the store or the map can't be read. */
export async function createContents(parts: ContentsParts, options: ContentsOptions = {}): Promise<Contents> {
  const map = await parts.memory.map("layout", { isKept: true, bytesMax: LAYOUT_MAP_BYTES_MAX });
  const contents = new NodeContents(parts, new Catalogue(map, parts.clock, parts.log), options);
  await contents.start();
  return contents;
}

class NodeContents implements Contents {
  readonly #parts: ContentsParts & ReadParts;
  readonly #device: string;
  readonly #keep: FullReplicas;
  readonly #repair: Repair;
  readonly #recode: Recode;
  readonly #collect: Collect;
  readonly #scrubber: Scrubber;
  readonly #acknowledged: Acknowledged;
  readonly #told: StorageTold;
  readonly #ended = new AbortController();
  readonly #changes = new Listeners<void>();
  readonly #stops: Unsubscribe[] = [];
  /** Puts for which somebody waits. */
  #underWay = 0;

  constructor(parts: ContentsParts, catalogue: Catalogue, options: ContentsOptions) {
    const { net, coder, clock, log } = parts;
    const holdings = new Holdings(parts.store);
    const devices = new Devices(net, catalogue, clock, options.graceMs);
    const slots = new Slots(catalogue, devices, parts.crypto);
    const peers = new ShardPeers(net, holdings);
    const hash: Hash = (pieces) => coder.hash(pieces);
    const lists = new Lists({
      hash,
      read: (ref, { signal }) => readContent(this.#parts, ref, { signal }),
      disprove: (stored, why) => catalogue.disprove(stored, why),
    });
    const onDamage = ({ id }: ShardName): void => this.#repair.nudge(id);
    const signal = this.#ended.signal;
    this.#parts = {
      ...parts,
      self: net.self,
      catalogue,
      holdings,
      devices,
      slots,
      peers,
      hash,
      lists,
      onDamage,
    };
    this.#acknowledged = new Acknowledged(catalogue.map, signal);
    this.#device = net.member(net.self)?.record.device ?? net.self;
    this.#keep = new FullReplicas({ ...this.#parts, device: this.#device, signal });
    const fetcher = new Fetcher({ ...this.#parts, signal });
    const giver = new Giver({ ...this.#parts, signal });
    this.#repair = new Repair({ ...this.#parts, signal, fetcher, giver });
    this.#recode = new Recode({ ...this.#parts, signal, again: (ref) => this.#again(ref) });
    const { unreferencedKeptMs = UNREFERENCED_KEPT_MS } = options;
    const kept = (): Iterable<string> => this.#keep.cids();
    this.#collect = new Collect({ net, catalogue, holdings, clock, log, unreferencedKeptMs, kept });
    const isBusy = (): boolean => this.#underWay > 0;
    this.#scrubber = new Scrubber({ shards: parts.store, clock, random: parts.random, log, isBusy });
    this.#told = tellStorage({ net, catalogue, holdings, clock, log });
    const hashOf = (name: ShardName): Promise<Uint8Array | undefined> => this.#hashOf(name);
    const changed = (): void => this.#changes.emit();
    const refreshing = every(clock, COLLECT_EVERY_MS, () => {
      void this.#keep.refresh(signal);
      void this.#tidy();
    });
    this.#stops.push(
      ...serveShards({ net, holdings, catalogue, coder, hashOf, fetcher, giver }),
      () => this.#told.close(),
      holdings.onChange(changed),
      catalogue.onChange(changed),
      devices.onChange(changed),
      holdings.onDamage(onDamage),
      () => refreshing.cancel(),
    );
  }

  async start(): Promise<void> {
    await this.#keep.load();
  }

  async put(
    source: AsyncIterable<Uint8Array>,
    options: { readonly signal?: AbortSignal | undefined; readonly onProgress?: (progress: PutProgress) => void } = {},
  ): Promise<{ readonly ref: ContentRef; readonly safe: Promise<void> }> {
    const put = await this.#put(source, options);
    const safe = this.#safe(put).then(() => undefined);
    // A caller that only wants to know that it is stored need not handle a rejection.
    safe.catch(() => undefined);
    return { ref: put.ref, safe };
  }

  read(ref: ContentRef, options: ReadOptions = {}): AsyncIterable<Uint8Array> {
    return readContent(this.#parts, ref, options);
  }

  stat(ref: ContentRef, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<ContentStat> {
    return statContent(this.#parts, ref, options);
  }

  keep(ref: ContentRef, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    return this.#keep.keep(ref, options.signal);
  }

  release(ref: ContentRef): Promise<void> {
    return this.#keep.release(ref);
  }

  addReferences(source: () => Iterable<string>): Unsubscribe {
    return this.#collect.addReferences(source);
  }

  use(): StorageUse {
    const { store, holdings, catalogue } = this.#parts;
    const { usedBytes, damaged } = store.usage();
    return {
      offeredBytes: holdings.offeredBytes,
      usedBytes,
      shards: holdings.count,
      damaged,
      repaired: this.#repair.repaired,
      keptBytes: this.#keep.bytes,
      setAside: catalogue.setAside,
    };
  }

  offers(): StorageOffer[] {
    const { net, catalogue } = this.#parts;
    const { offeredBytes, usedBytes } = this.use();
    const own = { peer: net.self, offeredBytes, freeBytes: Math.max(0, offeredBytes - usedBytes) };
    const others = net.members().flatMap(({ record: { peer }, status, isSelf }) => {
      const told = isSelf || status === "gone" ? undefined : catalogue.storage(peer);
      return told === undefined ? [] : [{ peer, ...told }];
    });
    return [own, ...others];
  }

  offer(bytes: number, ownBytes = 0): void {
    this.#parts.holdings.offer(bytes, ownBytes);
    this.#told.now();
    this.#changes.emit();
  }

  onChange(listener: () => void): Unsubscribe {
    return this.#changes.add(listener);
  }

  async close(): Promise<void> {
    this.#ended.abort(new StarfishError("closed", "This node's disk is closed"));
    for (const stop of this.#stops) stop();
    await this.#scrubber[Symbol.asyncDispose]();
    this.#collect.close();
    this.#recode.close();
    this.#repair.close();
    this.#parts.devices.close();
    this.#parts.catalogue.close();
  }

  #put(source: AsyncIterable<Uint8Array>, options: PutOptions): Promise<PutResult> {
    const { signal } = options;
    const ended = this.#ended.signal;
    const either = signal === undefined ? ended : AbortSignal.any([signal, ended]);
    this.#underWay++;
    const parts: PutParts = { ...this.#parts, isReadable: (...what) => this.#isReadable(...what) };
    return putContent(parts, source, { ...options, signal: either }).finally(() => {
      this.#underWay--;
    });
  }

  /**
   * Waits until the content is complete and would survive a power cut, in a code that suits the swarm's present size,
   * and its entry is acknowledged.
   */
  async #safe({ ref, stored, failure, nodes }: PutResult): Promise<Stored> {
    if (failure?.code === "full" && this.#parts.devices.layout.n < stored.code.n) {
      // A device has become full meanwhile: the others can keep the promise among themselves.
      const safe = await this.#again(ref);
      if (this.#parts.catalogue.layout(safe.id) !== undefined) this.#parts.catalogue.remove(stored);
      return safe;
    }
    // If a node can't say whether it has flushed its shards, what it really holds is checked below.
    let reason = failure;
    const unsure = (error: unknown): void => void (reason ??= toStarfishError(error, "io"));
    await Promise.all(Array.from(nodes, (node) => this.#parts.peers.sync(node).catch(unsure)));
    if (reason !== undefined) await this.#placed(stored, reason);
    await this.#acknowledged.wait();
    await allHaveTold(this.#parts, this.#ended.signal);
    // A node that puts something right after joining knew few devices or none, and a swarm may grow during a long put.
    const isBroken = staleness(stored.code, Math.max(1, this.#parts.devices.count)) === "broken";
    return isBroken ? await this.#again(ref) : stored;
  }

  async #isReadable(stored: Stored, signal: AbortSignal | undefined): Promise<boolean> {
    const each = await Promise.all(this.#withList(stored).map((one) => measure(this.#parts, one, { signal })));
    return each.every(({ survivesAny }) => survivesAny >= 0);
  }

  /** A layout, and that of its list if the list is a content. */
  #withList(stored: Stored): Stored[] {
    return [stored, ...this.#parts.catalogue.listLayouts(stored).slice(0, 1)];
  }

  /** Waits until repair has placed what could not be placed. Rejects with `failure` when there is no progress. */
  async #placed(stored: Stored, failure: StarfishError): Promise<void> {
    const { clock } = this.#parts;
    const signal = this.#ended.signal;
    const all = this.#withList(stored);
    for (const each of all) this.#repair.nudge(each.id);
    const patienceMs = failure.retryable ? SAFE_PATIENCE_RETRYABLE_MS : SAFE_PATIENCE_MS;
    let placed = -1;
    let betterAtMs = clock.monotonic();
    for (;;) {
      const measures = await Promise.all(all.map((each) => measure(this.#parts, each, { signal })));
      if (measures.every(({ isWhole }) => isWhole)) return;
      const now = measures.reduce((sum, { holders }) => sum + holders, 0);
      if (now > placed) betterAtMs = clock.monotonic();
      placed = Math.max(placed, now);
      if (clock.monotonic() - betterAtMs > patienceMs) throw failure;
      await sleep(clock, SAFE_LOOK_MS, { signal });
    }
  }

  async #tidy(): Promise<void> {
    const isKept = (cid: string): boolean => this.#keep.has(cid);
    try {
      await tidy({ ...this.#parts, device: this.#device, isKept }, this.#ended.signal);
    } catch (error) {
      this.#parts.log.write("warn", "disk.tidy", { error: messageOf(error) });
    }
  }

  /** Stores a content once more, in the code for the present size of the swarm. */
  async #again(ref: ContentRef): Promise<Stored> {
    return this.#safe(await this.#put(this.read(ref, { signal: this.#ended.signal }), { isAgain: true }));
  }

  async #hashOf({ id, stripe, shard }: ShardName): Promise<Uint8Array | undefined> {
    const stored = this.#parts.catalogue.layout(id);
    if (stored === undefined || shard >= stored.code.n) return undefined;
    const { list } = await this.#parts.lists.of(stored);
    return list.hashOf(stripe, shard);
  }
}

/**
 * Stores a stream: cuts it into stripes, codes them, and places their shards, several stripes at a time within a bound
 * of bytes. The CID is known only at the end. So shards are named by an id that is drawn for this put, and the entry
 * that binds the content to that id is written last. After a crash before that, no entry names the stored shards.
 */
import { assert } from "../../base/assert.ts";
import { concat, copyOf, toHex } from "../../base/bytes.ts";
import { isStarfishError, StarfishError, throwIfAborted, toStarfishError } from "../../base/errors.ts";
import { release } from "../../base/owned.ts";
import { Semaphore } from "../../base/semaphore.ts";
import { type Clock, every } from "../../ports/clock.ts";
import type { Coder } from "../../ports/coder.ts";
import type { PeerId } from "../../ports/network.ts";
import type { Random } from "../../ports/random.ts";
import type { Catalogue, Stored } from "../placement/catalogue.ts";
import type { Hash } from "../content/block.ts";
import { LEAF_BYTES } from "../content/limits.ts";
import { cut, FileDag } from "../content/unixfs.ts";
import { type Layout, storageFactor } from "../code/layout.ts";
import {
  LEASE_MS,
  LEASE_RENEWED_MS,
  LIST_INLINE_BYTES_MAX,
  PUT_WINDOW_BYTES,
  PUT_WINDOW_BYTES_MAX,
} from "../limits.ts";
import { placeStripe, type PlaceParts } from "./place.ts";
import { splitEvenly } from "../code/shard-list.ts";
import type { ContentRef, PutProgress } from "../types.ts";

export interface PutParts extends PlaceParts {
  readonly catalogue: Catalogue;
  readonly coder: Coder;
  readonly random: Random;
  readonly clock: Clock;
  readonly hash: Hash;
  /** Whether enough of its shards are in reach to read it. */
  readonly isReadable: (stored: Stored, signal: AbortSignal | undefined) => Promise<boolean>;
}

export interface PutOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: PutProgress) => void) | undefined;
  /** Whether the content is stored a second time, to be coded anew. */
  readonly isAgain?: boolean | undefined;
}

export interface PutResult {
  readonly ref: ContentRef;
  readonly stored: Stored;
  /** Why some shards have not reached their devices; undefined if all have. */
  readonly failure: StarfishError | undefined;
  /** Nodes that have stored some of it, and may not have flushed it yet. */
  readonly nodes: ReadonlySet<PeerId>;
}

const ID_BYTES = 10;

/** Rejects with "full", "io", "cancelled", and errors of the source; then it has dropped what it had placed. */
export async function putContent(
  parts: PutParts,
  source: AsyncIterable<Uint8Array>,
  options: PutOptions = {},
): Promise<PutResult> {
  const putting = new Putting(parts, options);
  try {
    return await putting.run(source);
  } catch (error) {
    await putting.undo();
    throw toStarfishError(error, "io");
  }
}

interface StripeHashes {
  /** The hashes of its leaves. */
  readonly leaves: Uint8Array;
  /** The hashes of the shards that are not leaves. */
  readonly others: Uint8Array;
}

class Putting {
  readonly #parts: PutParts;
  readonly #options: PutOptions;
  readonly #code: Layout;
  readonly #id: string;
  readonly #window: Semaphore;
  readonly #hashes: StripeHashes[] = [];
  readonly #nodes = new Set<PeerId>();
  readonly #underWay = new Set<Promise<void>>();
  #sizeBytes = 0;
  #safeBytes = 0;
  #hasLease = false;
  #stopLease: (() => void) | undefined;
  /** The error that ended it. */
  #broken: { readonly error: unknown } | undefined;
  #failure: StarfishError | undefined;

  constructor(parts: PutParts, options: PutOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#code = parts.devices.layout;
    const twoStripesBytes = 2 * storageFactor(this.#code) * this.#code.k * LEAF_BYTES;
    this.#window = new Semaphore(Math.min(PUT_WINDOW_BYTES_MAX, Math.max(PUT_WINDOW_BYTES, twoStripesBytes)));
    this.#id = toHex(parts.random.bytes(ID_BYTES));
  }

  async run(source: AsyncIterable<Uint8Array>): Promise<PutResult> {
    const { signal } = this.#options;
    let held: Uint8Array[] | undefined;
    for await (const leaves of stripesOf(source, this.#code.k)) {
      throwIfAborted(signal);
      // One stripe is held back: content of a single one may be known already.
      if (held !== undefined) {
        // The source may pause at any time: what it has given must not be collected meanwhile.
        this.#lease();
        await this.#begin(held);
      }
      held = leaves;
    }
    const last = held ?? [new Uint8Array(0)];
    const known = this.#hashes.length + this.#underWay.size === 0 ? await this.#known(last) : undefined;
    if (known !== undefined) return known;
    await this.#begin(last);
    await Promise.all(this.#underWay);
    this.#check();
    return this.#finish();
  }

  /** Drops what was placed. Never rejects: shards that can't be reached now are collected there later. */
  async undo(): Promise<void> {
    this.#broken ??= { error: undefined };
    await Promise.allSettled(this.#underWay);
    try {
      this.#endLease();
    } catch (error) {
      // The lease expires by itself.
      if (!isStarfishError(error)) throw error;
    }
    const { peers, holdings } = this.#parts;
    await Promise.allSettled([
      holdings.dropAll(this.#id),
      ...[...this.#nodes].map((node) => peers.drop(node, this.#id)),
    ]);
  }

  /** If the content of this only stripe exists already: that content. */
  async #known(leaves: readonly Uint8Array[]): Promise<PutResult | undefined> {
    if (this.#options.isAgain === true) return undefined;
    const sizeBytes = leaves.reduce((sum, { length }) => sum + length, 0);
    const digests = concat(await this.#parts.hash(leaves));
    const dag = await FileDag.of(sizeBytes, digests, this.#parts.hash);
    return this.#existing({ cid: dag.root.toString(), sizeBytes });
  }

  /** The content as somebody has stored it before, unless that is lost. */
  async #existing(ref: ContentRef): Promise<PutResult | undefined> {
    const { catalogue, isReadable } = this.#parts;
    for (const stored of catalogue.layouts(ref.cid)) {
      if (!(await isReadable(stored, this.#options.signal))) continue;
      // The entry is written anew, so that all nodes take the content for new and do not collect it.
      catalogue.write(stored);
      this.#options.onProgress?.({ takenBytes: ref.sizeBytes, safeBytes: ref.sizeBytes });
      // `safe` finds out whether it is complete.
      const failure = new StarfishError("unreachable", "Devices that hold this content are away");
      return { ref, stored, failure, nodes: new Set() };
    }
    return undefined;
  }

  async #begin(leaves: readonly Uint8Array[]): Promise<void> {
    const sizeBytes = leaves.reduce((sum, { length }) => sum + length, 0);
    const stripe = this.#hashes.length;
    this.#hashes.push({ leaves: new Uint8Array(0), others: new Uint8Array(0) });
    const release = await this.#window.acquire(Math.ceil(sizeBytes * storageFactor(this.#code)));
    this.#check();
    this.#sizeBytes += sizeBytes;
    this.#options.onProgress?.({ takenBytes: this.#sizeBytes, safeBytes: this.#safeBytes });
    const work = this.#stripe(stripe, leaves, sizeBytes)
      .catch((error: unknown) => {
        this.#broken ??= { error };
      })
      .finally(() => {
        release();
        this.#underWay.delete(work);
      });
    this.#underWay.add(work);
  }

  #check(): void {
    throwIfAborted(this.#options.signal);
    if (this.#broken !== undefined) throw this.#broken.error;
  }

  async #stripe(stripe: number, leaves: readonly Uint8Array[], sizeBytes: number): Promise<void> {
    const { k, n } = this.#code;
    const { coder, hash } = this.#parts;
    const isLeaves = k === 1 || sizeBytes === k * LEAF_BYTES;
    // Coding takes the bytes away, so hashing comes first if it is not part of the coding.
    const leafHashes = isLeaves ? undefined : concat(await hash(leaves));
    // Copies, because coding takes what it is given, and leaves belong to the source.
    const data = isLeaves ? (n === k ? leaves : leaves.map(copyOf)) : splitEvenly(concat(leaves), k);
    const coded =
      n === k
        ? { shards: data, hashes: await hash(data) }
        : await coder.encode(data, n - k, { signal: this.#options.signal });
    this.#hashes[stripe] = {
      leaves: leafHashes ?? concat(coded.hashes.slice(0, k)),
      others: concat(isLeaves ? coded.hashes.slice(k) : coded.hashes),
    };
    if (this.#broken !== undefined) return;
    const shards = coded.shards.map((bytes, i) => ({ bytes, sha256: hashOf(coded.hashes, i) }));
    const { nodes, failure, isAnswered } = await placeStripe(this.#parts, this.#code, this.#id, stripe, shards);
    // The shards that the coder has made are not being sent any more.
    if (n > k && isAnswered) for (const { bytes } of shards) release(bytes);
    for (const node of nodes) this.#nodes.add(node);
    this.#failure ??= failure;
    if (failure === undefined) this.#safeBytes += sizeBytes;
    this.#options.onProgress?.({ takenBytes: this.#sizeBytes, safeBytes: this.#safeBytes });
  }

  async #finish(): Promise<PutResult> {
    const { catalogue, hash } = this.#parts;
    const leaves = concat(this.#hashes.map((hashes) => hashes.leaves));
    const bytes = concat([leaves, ...this.#hashes.map((hashes) => hashes.others)]);
    const dag = await FileDag.of(this.#sizeBytes, leaves, hash);
    const ref = { cid: dag.root.toString(), sizeBytes: this.#sizeBytes };
    if (this.#options.isAgain !== true) {
      const existing = await this.#existing(ref);
      if (existing !== undefined) {
        await this.undo();
        return existing;
      }
    }
    const list = bytes.length <= LIST_INLINE_BYTES_MAX ? bytes : (await this.#putList(bytes)).ref;
    const stored = { cid: ref.cid, id: this.#id, sizeBytes: ref.sizeBytes, code: this.#code, list };
    catalogue.write(stored);
    this.#endLease();
    const nodes = this.#nodes;
    return { ref, stored: { ...stored, writtenAtMs: catalogue.map.now() }, failure: this.#failure, nodes };
  }

  async #putList(bytes: Uint8Array): Promise<PutResult> {
    const put = await putContent(this.#parts, once(bytes), { signal: this.#options.signal });
    this.#failure ??= put.failure;
    for (const node of put.nodes) this.#nodes.add(node);
    return put;
  }

  #lease(): void {
    if (this.#hasLease) return;
    const { catalogue, clock } = this.#parts;
    catalogue.lease(this.#id, LEASE_MS);
    const renewing = every(clock, LEASE_RENEWED_MS, () => catalogue.lease(this.#id, LEASE_MS));
    this.#stopLease = () => renewing.cancel();
    this.#hasLease = true;
  }

  #endLease(): void {
    this.#stopLease?.();
    if (this.#hasLease) this.#parts.catalogue.endLease(this.#id);
    this.#hasLease = false;
  }
}

function hashOf(hashes: readonly Uint8Array[], i: number): Uint8Array {
  const digest = hashes[i];
  assert(digest !== undefined, "a hash for each shard");
  return digest;
}

/** The leaves of a stream by stripes. */
async function* stripesOf(source: AsyncIterable<Uint8Array>, k: number): AsyncGenerator<Uint8Array[]> {
  let leaves: Uint8Array[] = [];
  for await (const leaf of cut(source)) {
    leaves.push(leaf);
    if (leaves.length < k) continue;
    yield leaves;
    leaves = [];
  }
  if (leaves.length > 0) yield leaves;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/**
 * Reads a content, or a range of it: only the needed stripes, a few of them ahead of the reader, with every byte
 * checked.
 */
import { assert } from "../../base/assert.ts";
import { concat } from "../../base/bytes.ts";
import { isStarfishError, StarfishError, throwIfAborted } from "../../base/errors.ts";
import type { Catalogue, Stored } from "../placement/catalogue.ts";
import type { Hash } from "../content/block.ts";
import type { Run } from "../content/dag-shape.ts";
import { LEAF_BYTES } from "../content/limits.ts";
import { gather, type GatherParts } from "./gather.ts";
import { READ_AHEAD_BYTES } from "../limits.ts";
import type { KnownList, Lists } from "./lists.ts";
import { leavesOfStripe, type Stripe, stripeOf } from "../code/shard-list.ts";
import type { ContentRef } from "../types.ts";

export interface ReadParts extends GatherParts {
  readonly catalogue: Catalogue;
  readonly lists: Lists;
  readonly hash: Hash;
}

export interface ReadOptions {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Rejects with "not-found", "lost", "corrupt", "cancelled". */
export async function* readContent(
  parts: ReadParts,
  ref: ContentRef,
  options: ReadOptions = {},
): AsyncGenerator<Uint8Array> {
  const end = Math.min(ref.sizeBytes, options.to ?? ref.sizeBytes);
  let at = Math.max(0, options.from ?? 0);
  if (at >= end) return;
  // A content has one size: a layout with another size is not one of it.
  const layouts = parts.catalogue.layouts(ref.cid).filter(({ sizeBytes }) => sizeBytes === ref.sizeBytes);
  if (layouts.length === 0) throw new StarfishError("not-found", `No content ${ref.cid} is known here`);
  for (const [i, stored] of layouts.entries()) {
    try {
      for await (const bytes of readLayout(parts, stored, { start: at, end }, options.signal)) {
        yield bytes;
        at += bytes.length;
      }
      return;
    } catch (error) {
      // Another layout may have what this one has lost; it goes on where this one ended.
      const isLast = i === layouts.length - 1;
      if (isLast || !(isStarfishError(error, "lost") || isStarfishError(error, "corrupt"))) throw error;
    }
  }
}

async function* readLayout(
  parts: ReadParts,
  stored: Stored,
  run: Run,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const known = await parts.lists.of(stored, { signal });
  const { cut } = known.list;
  const stripeBytes = cut.code.k * LEAF_BYTES;
  const ahead = Math.max(2, Math.ceil(READ_AHEAD_BYTES / stripeBytes));
  const last = Math.floor((run.end - 1) / stripeBytes);
  const underWay: Promise<Uint8Array[]>[] = [];
  let next = Math.floor(run.start / stripeBytes);
  for (;;) {
    while (underWay.length < ahead && next <= last) {
      const fetching = readStripe(parts, stored, known, next++, run, signal);
      // A failure is reported when the stripe has its turn. Until then nobody waits for it.
      fetching.catch(() => undefined);
      underWay.push(fetching);
    }
    const first = underWay.shift();
    if (first === undefined) return;
    const pieces = await first;
    throwIfAborted(signal);
    yield* pieces;
  }
}

/** The bytes of a stripe that are in the run. */
async function readStripe(
  parts: ReadParts,
  stored: Stored,
  known: KnownList,
  index: number,
  run: Run,
  signal: AbortSignal | undefined,
): Promise<Uint8Array[]> {
  const stripe = stripeOf(known.list.cut, index);
  const start = Math.max(run.start, stripe.run.start) - stripe.run.start;
  const end = Math.min(run.end, stripe.run.end) - stripe.run.start;
  if (!stripe.isLeaves) {
    const whole = await wholeStripe(parts, stored, known, stripe, signal);
    return [whole.subarray(start, end)];
  }
  const first = Math.floor(start / stripe.shardBytes);
  const wanted: number[] = [];
  for (let shard = first; shard * stripe.shardBytes < end; shard++) wanted.push(shard);
  const shards = await gather(parts, known.list, stored.id, index, wanted, { signal });
  return wanted.map((shard) => {
    const from = shard * stripe.shardBytes;
    return shardOf(shards, shard).subarray(Math.max(0, start - from), Math.min(stripe.shardBytes, end - from));
  });
}

/** A stripe whose shards are no leaves: put together, and its leaves checked against the CID. */
async function wholeStripe(
  parts: ReadParts,
  stored: Stored,
  { list, dag }: KnownList,
  stripe: Stripe,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const wanted = Array.from({ length: list.cut.code.k }, (_, shard) => shard);
  const shards = await gather(parts, list, stored.id, stripe.index, wanted, { signal });
  const whole = concat(wanted.map((shard) => shardOf(shards, shard))).subarray(0, stripe.run.end - stripe.run.start);
  const { start, end } = leavesOfStripe(list.cut, stripe.index);
  const leaves = Array.from({ length: end - start }, (_, i) => whole.subarray(i * LEAF_BYTES, (i + 1) * LEAF_BYTES));
  await dag.check(start, leaves, parts.hash);
  return whole;
}

function shardOf(shards: ReadonlyMap<number, Uint8Array>, shard: number): Uint8Array {
  const bytes = shards.get(shard);
  assert(bytes !== undefined, "gathering gives what is wanted");
  return bytes;
}

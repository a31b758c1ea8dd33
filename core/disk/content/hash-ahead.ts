/** Hashing of a stream: several batches of blocks are under way while the next ones are read; order is kept. */
import { assert } from "../../base/assert.ts";
import type { Hash } from "./block.ts";
import { HASH_BATCH_BLOCKS_MAX, HASH_BATCH_BYTES, HASH_BATCHES_IN_FLIGHT } from "./limits.ts";

export type Hashed<T> = T & { readonly digest: Uint8Array };

/** Each item with the SHA-256 of its bytes, in order. Holds a few MiB, however long the stream is. */
export async function* hashAhead<T extends { readonly bytes: Uint8Array }>(
  items: AsyncIterable<T>,
  hash: Hash,
): AsyncGenerator<Hashed<T>> {
  const underWay: Promise<Hashed<T>[]>[] = [];
  for await (const batch of batches(items)) {
    const hashed = hashAll(batch, hash);
    // A failure is reported when the batch has its turn. Until then nobody waits for it.
    hashed.catch(() => undefined);
    underWay.push(hashed);
    if (underWay.length === HASH_BATCHES_IN_FLIGHT) yield* (await underWay.shift()) ?? [];
  }
  for (const hashed of underWay) yield* await hashed;
}

async function hashAll<T extends { readonly bytes: Uint8Array }>(
  batch: readonly T[],
  hash: Hash,
): Promise<Hashed<T>[]> {
  const digests = await hash(batch.map((item) => item.bytes));
  return batch.map((item, i) => {
    const digest = digests[i];
    assert(digest !== undefined, "a digest for each piece");
    return { ...item, digest };
  });
}

async function* batches<T extends { readonly bytes: Uint8Array }>(items: AsyncIterable<T>): AsyncGenerator<T[]> {
  let batch: T[] = [];
  let sizeBytes = 0;
  for await (const item of items) {
    batch.push(item);
    sizeBytes += item.bytes.length;
    if (sizeBytes < HASH_BATCH_BYTES && batch.length < HASH_BATCH_BLOCKS_MAX) continue;
    yield batch;
    batch = [];
    sizeBytes = 0;
  }
  if (batch.length > 0) yield batch;
}

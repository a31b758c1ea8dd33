/** How much of its disk a node offers to the swarm if nobody says. */
import { mkdir, statfs } from "node:fs/promises";
import { guardFiles } from "./files.ts";

const OFFER_OF_FREE = 0.1;
const OFFER_BYTES_MAX = 10_000_000_000;
/** Less would hardly help anybody, unless there is no more. */
const OFFER_BYTES_MIN = 1_000_000_000;
/** However little there is, so much of it stays with the owner. */
const OFFER_OF_FREE_MAX = 0.5;

/**
 * What a node offers of so many bytes that are free or its own shards: a tenth, within 1 and 10 GB, but never more than
 * half.
 */
export function storageOffer(freeBytes: number): number {
  const offer = Math.min(OFFER_BYTES_MAX, Math.max(OFFER_BYTES_MIN, freeBytes * OFFER_OF_FREE));
  return Math.floor(Math.min(offer, freeBytes * OFFER_OF_FREE_MAX));
}

/** Free bytes of the disk that the directory, made if need be, is on, as far as this user may have them. Rejects with "io". */
export function freeBytesAt(directory: string): Promise<number> {
  return guardFiles(directory, async () => {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  });
}
